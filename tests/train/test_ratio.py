"""The train ratio against the reference's own counts."""

import json
from pathlib import Path

import numpy as np
import pytest

from reverie.train.ratio import Ratio

GOLDEN = Path(__file__).parents[1] / "golden" / "dreamerv3" / "fn_ratio.npz"


@pytest.mark.parametrize("sequence", ["by1", "by4", "from1088", "uneven"])
def test_matches_the_reference_call_by_call(sequence):
    golden = np.load(GOLDEN)
    steps = golden[f"steps/{sequence}"].tolist()
    for ratio, repeats in zip(golden["ratios"], golden[f"repeats/{sequence}"], strict=True):
        count = Ratio(float(ratio))
        assert [count(step) for step in steps] == repeats.tolist(), ratio


def test_continues_from_its_state():
    steps = [3, 4, 9, 10, 17, 30, 31]
    whole, first, second = Ratio(0.3), Ratio(0.3), Ratio(0.3)
    expected = [whole(step) for step in steps]
    found = [first(step) for step in steps[:3]]
    second.load(json.loads(json.dumps(first.state())))
    assert found + [second(step) for step in steps[3:]] == expected


def test_updates_keep_pace_with_steps():
    count = Ratio(32 / 1024)
    assert sum(count(step) for step in range(10_000)) == 1 + 9_999 // 32


def test_refuses_nonsense():
    with pytest.raises(ValueError, match="must be finite, got nan"):
        Ratio(float("nan"))
    count = Ratio(1.0)
    count(10)
    with pytest.raises(ValueError, match=r"went back from 10\.0 to 5"):
        count(5)
