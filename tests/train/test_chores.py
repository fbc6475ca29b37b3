"""What is said of observations that the latents do not tell."""

from types import SimpleNamespace
from typing import Any

from reverie.train import chores


def run(updates: int) -> Any:
    notes: list[str] = []
    progress = SimpleNamespace(note=notes.append)
    return SimpleNamespace(updates=updates, unseen=set(), progress=progress, notes=notes)


def test_a_key_that_is_not_encoded_is_named_once_with_the_remedy():
    told = {"explained/kind": 0.031, "explained/picture": 0.99, "explained/noise": -0.2}
    seen = run(2_000)
    for _ in range(3):
        chores._warn_of_unseen(seen, told)
    assert len(seen.notes) == 2
    kind, noise = sorted(seen.notes)
    assert "'kind'" in kind and "3 %" in kind.replace("3%", "3 %")
    assert "--world.objective.weights kind=10" in kind and "2,000 updates" in kind
    assert "'noise'" in noise and " 0%" in noise


def test_nothing_is_said_while_the_model_has_hardly_learned():
    young = run(10)
    chores._warn_of_unseen(young, {"explained/kind": 0.0})
    assert young.notes == [] and young.unseen == set()
