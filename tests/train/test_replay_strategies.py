"""Every named strategy trains a tiny run end to end, and its numbers say what it did."""

import json

import pytest
from tiny_runs import learn

from reverie.config.presets import resolve
from reverie.config.strategies import STRATEGIES
from reverie.replay.signal import AbstractStepSignal

SHORT = {"replay.unit.rows": 8, "replay.unit.page": 4, "train.ratio": 16.0}


def last_stats(logdir):
    rows = map(json.loads, (logdir / "metrics.jsonl").read_text().splitlines())
    stats = {}
    for row in rows:
        stats |= {name: value for name, value in row.items() if name.startswith("replay/")}
    return stats


def changes_of(name):
    """The strategy as a tiny run can take it: short splices, a sweep every few updates."""
    edits = {**STRATEGIES[name].edits}
    edits |= {key: value for key, value in SHORT.items() if key in edits or key == "train.ratio"}
    if "replay.signal.sweep_every" in edits:
        edits |= {"replay.signal.sweep_every": 5, "replay.signal.sweep_windows": 6}
    if edits.get("replay.unit") == "splice":
        edits |= {"replay.unit.rows": 8}
    return edits


NAMES = [
    pytest.param(name, marks=() if name == "uncertainty" else pytest.mark.slow)
    for name in STRATEGIES
]


@pytest.mark.parametrize("name", NAMES)
def test_a_strategy_trains(name, tmp_path):
    stats = last_stats(learn("gym:CartPole-v1", tmp_path, changes_of(name)))
    config = resolve("gym:CartPole-v1", replay=name)
    shares = [value for key, value in stats.items() if key.startswith("replay/drawn_")]
    assert sum(shares) == pytest.approx(1.0)
    assert stats["replay/dropped"] == 0
    if isinstance(config.replay.signal, AbstractStepSignal):
        assert 0 < stats["replay/effective"] <= 1
        assert stats["replay/weight_low"] <= stats["replay/weight_median"]
        assert stats["replay/weight_median"] <= stats["replay/weight_max"]
    if name == "uniform":
        assert stats["replay/effective"] == 1
    if config.replay.fresh:
        assert 0 < stats["replay/fresh"] <= config.replay.fresh
    if name == "uncertainty":
        assert stats["replay/initial"] != 1.0  # the mean of what was seen, no longer the default
