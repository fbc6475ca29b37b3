"""Which seeds make the next call on the device together."""

from types import SimpleNamespace
from typing import Any

import pytest

from reverie.train.ondevice.script import UPDATES, ready

PREFILL = 10


def run(name, *, updates=0, due=0, step=20, filling=False, explores=True):
    """What counts of a run."""
    train = SimpleNamespace(prefill=PREFILL)
    explore = SimpleNamespace(acts=lambda step, turn: explores)
    config = SimpleNamespace(train=train, explore=explore)
    clocks = {"updates": updates, "due": due, "step": step, "filling": filling}
    return SimpleNamespace(name=name, config=config, actor=SimpleNamespace(count=0), **clocks)


@pytest.mark.parametrize(
    ("runs", "goes", "updates"),
    [
        ([run("a", due=1), run("b", due=2)], "ab", UPDATES),
        ([run("a", step=40), run("b")], "ab", UPDATES),
        ([run("a", due=1), run("b"), run("c")], "bc", 0),
        ([run("a", updates=7), run("b", updates=4, due=1), run("c", updates=9)], "b", 3),
        ([run("a", updates=4), run("b", updates=4, due=1), run("c", updates=9)], "a", 0),
        ([run("a"), run("b", filling=True), run("c", filling=True)], "bc", 0),
        ([run("a", filling=True, step=4), run("b", filling=True)], "a", 0),
        ([run("a", explores=False), run("b"), run("c", explores=False)], "ac", 0),
        ([run("a", due=1, explores=False), run("b", due=1)], "ab", UPDATES),
    ],
)
def test_who_is_behind_goes_first_and_waits_for_the_others(runs, goes, updates):
    answer: Any = ready(runs)
    found, most = answer
    assert "".join(one.name for one in found) == goes
    assert most == updates
