"""The aggregator, the catalogue and its page."""

import json
import math
import random
import runpy
from pathlib import Path

import numpy as np
import pytest

from reverie.replay.replay import Replay
from reverie.watch import metric_names
from reverie.watch.averages import Mean

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_mean_by_hand():
    mean = Mean()
    mean.add({"loss/rew": 1.0, "loss/con": np.float32(0.5)})
    mean.add({"loss/rew": 4.0})
    assert mean.result() == {"loss/rew": 2.5, "loss/con": 0.5}
    assert mean.pop() == {"loss/rew": 2.5, "loss/con": 0.5}
    assert mean.result() == {} and len(mean) == 0


def test_nan_is_left_out_and_counted():
    mean = Mean()
    for value in (2.0, math.nan, 4.0):
        mean.add({"train/ret": value, "train/adv": math.nan})
    result = mean.result()
    assert result["train/ret"] == 3.0
    assert math.isnan(result["train/adv"])
    assert result["train/skipped"] == 4.0


def test_infinity_is_not_hidden():
    mean = Mean()
    mean.add({"loss/rew": math.inf})
    mean.add({"loss/rew": 1.0})
    assert mean.result()["loss/rew"] == math.inf


def test_a_restored_interval_continues_bit_by_bit():
    draw = random.Random(0)
    rows = [{"loss/rew": draw.gauss(0, 10), "train/val": draw.random() / 3} for _ in range(200)]
    whole, first, second = Mean(), Mean(), Mean()
    for row in rows:
        whole.add(row)
    for row in rows[:77]:
        first.add(row)
    second.load(json.loads(json.dumps(first.state())))
    for row in rows[77:]:
        second.add(row)
    assert second.result() == whole.result()
    assert list(second.result()) == list(whole.result())


def test_docs_page_is_the_catalogue():
    written = runpy.run_path(str(PAGE.parents[1] / "scripts" / "metrics_page.py"))["written"]
    assert PAGE.read_text(encoding="utf-8") == written(), (
        "run `python scripts/metrics_page.py docs/metrics.md`"
    )


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("episode/return", "episode/return"),
        ("loss/rew", "loss/rew"),
        ("loss/image", "loss/<key>"),
        ("train/ent/action", "train/ent/<action>"),
        ("time/act_ms", "time/<part>_ms"),
        ("time/steps_per_s", "time/steps_per_s"),
        ("system/ram_gb", "system/ram_gb"),
    ],
)
def test_names_find_their_entry(name, pattern):
    assert metric_names.find(name).pattern == pattern


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r"'episode/retrun' is not in the catalogue.*episode/retu"):
        metric_names.check_names(["loss/rew", "episode/retrun"])
    assert metric_names.find("train/ent/a/b") is None


def test_what_replay_reports_is_listed():
    specs = {"is_first": ((), np.dtype(bool)), "is_last": ((), np.dtype(bool))}
    replay = Replay(specs, streams=1, capacity=50, length=4, mutable=(), gigabytes=1)
    for k in range(20):
        replay.add({"is_first": np.array([k == 0]), "is_last": np.array([False])})
    replay.draw(3)
    listed = {metric.pattern for metric in metric_names.CATALOGUE}
    stats = replay.stats()
    assert "replay/rows" in stats and set(stats) <= listed


def test_what_a_train_step_reports_is_listed_by_name():
    """Names as `train/step.py` and `world/model.py` spell them."""
    names = [f"train/{n}" for n in ("kl", "dyn_ent", "ret_rate", "return_scale", "update_rms")]
    names += [f"loss/{n}" for n in ("rew", "con", "dyn", "rep", "policy", "value", "repval")]
    assert all(metric_names.find(name).pattern == name for name in names)


def test_a_described_family_names_its_member():
    metric = metric_names.describe("loss/image")
    assert metric == ("loss/image", metric.unit, "reconstruction of the observation image")
    assert metric_names.describe("mine/x") == ("mine/x", "", "mine/x")


def test_every_entry_has_a_unit_and_a_meaning_and_its_own_pattern():
    patterns = [metric.pattern for metric in metric_names.CATALOGUE]
    assert len(set(patterns)) == len(patterns)
    assert all(metric.unit and metric.meaning for metric in metric_names.CATALOGUE)
