"""The replay benchmark: what is full when the clock starts, and what is written."""

import json
import random

import numpy as np
import pytest

from reverie.bench import insert, replay
from reverie.bench.options import ReplayOptions
from reverie.bench.pointers import PointerTree

CAPACITY, ROWS, LARGEST = 8192, 2000, 512
"""Rows of a store, rows that are timed, and rows of its largest units."""


@pytest.fixture(autouse=True)
def small(monkeypatch):
    for name, value in {"CAPACITY": CAPACITY, "ROWS": ROWS, "EPISODE": 20}.items():
        monkeypatch.setattr(insert, name, value)
    monkeypatch.setattr(replay, "CALLS", 3)


def test_what_is_measured_is_written(tmp_path, capsys):
    file = tmp_path / "a.json"
    replay.run(ReplayOptions(2000, batch=4, length=9, streams=2, repeats=1, json=str(file)))
    found = json.loads(file.read_text())
    assert {"uniform", "uncertainty, numpy", "pointer tree"} <= set(found)
    assert found["uniform"]["nbytes"] == 0
    # 20 bytes a place: score, power and visits of 4, weight of 8; and the sums of blocks
    assert 20 <= found["uncertainty, numpy"]["nbytes"] < 20 * (2000 / 2 + 8) / 1000 + 0.5
    assert list(found["insertion"]) == ["1 stream", "2 streams"]
    printed = capsys.readouterr().out
    for name, rate in found["insertion"]["2 streams"].items():
        assert rate > 0
        assert name in printed
        assert f"{rate:,.0f}" in printed


@pytest.mark.parametrize("streams", [1, 4])
@pytest.mark.parametrize("name", list(insert.STRATEGIES))
def test_stores_are_full_of_whole_episodes(name, streams):
    keep, more = insert.full(insert.STRATEGIES[name], streams, length=9)
    assert keep.inserted == 2 * CAPACITY / streams
    before = keep.num_rows
    assert before <= CAPACITY
    more(ROWS)
    assert keep.inserted == (2 * CAPACITY + ROWS) / streams
    assert abs(keep.num_rows - before) <= LARGEST * streams  # one leaves for every one that comes
    if name.startswith("ring"):
        assert before == keep.num_rows == CAPACITY
    else:
        assert keep.pages.taken == keep.pages.num
    if name.startswith("episodes"):
        firsts = keep.spans().first.tolist()
        assert len(firsts) > 0.5 * CAPACITY / insert.EPISODE
        assert set(firsts) <= set(range(0, keep.inserted, insert.EPISODE))


def test_the_tree_of_pointers_draws_in_proportion():
    tree, rng = PointerTree(100), random.Random(0)
    for index in range(100):
        tree.set(index, float(index % 10))
    counts = np.bincount([tree.draw(rng) for _ in range(20_000)], minlength=100)
    by_weight = counts.reshape(10, 10).sum(0)
    expected = 20_000 * np.arange(10) / 45
    assert by_weight[0] == 0
    assert (np.abs(by_weight - expected)[1:] < 5 * np.sqrt(expected[1:])).all()
