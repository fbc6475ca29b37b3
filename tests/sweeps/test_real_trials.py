"""Real runs of size debug as trials of every back end: one is killed, and the comparison is that of
runs made by hand, number for number."""

import threading

import pytest
from sweep_parts import child_of, kill, numbers, wait_for
from test_slurm import cluster as cluster  # a fixture
from test_slurm import there
from tiny_runs import TINY, assert_same_run, learn

import reverie
from reverie.api.sweep_plan import compose
from reverie.api.sweep_runs import run
from reverie.api.sweep_words import of_values
from reverie.train import checkpoint

TASK = "gym:CartPole-v1"
CHANGES = {"steps": 400, "train.save_every": 0.5, "train.eval_every": 200}
VARIED = {"behavior.horizon": [50, 100]}
OPTIONS = {**TINY, **CHANGES, "device.precision": "f32", "size": "debug"}


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory):
    """The four runs of the sweep, made one after the other."""
    folder = tmp_path_factory.mktemp("hand")
    for horizon in VARIED["behavior.horizon"]:
        for seed in range(2):
            own = {**CHANGES, "behavior.horizon": horizon, "seed": seed}
            learn(TASK, folder / f"gym_CartPole-v1-horizon={horizon}-seed={seed}", own)
    return folder


def rows(comparison) -> list[tuple]:
    """What a comparison says of its groups."""
    (task,) = comparison.tasks
    return [(row.group, row.seeds, row.scores.tolist(), row.curves.tolist()) for row in task.rows]


def shoot(folder) -> None:
    """Kill the command of the first trial that has saved something."""

    def saved() -> list[str]:
        every = folder.glob("*/checkpoints")
        return [path.parent.name for path in every if checkpoint.complete(path)]

    wait_for(saved, 300)
    kill(child_of(folder, saved()[0]))


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["local", "ray", "slurm"])
def test_four_trials_one_killed_equal_runs_by_hand(backend, by_hand, tmp_path, request):
    given = {"tasks": TASK, "seeds": 2, "vary": VARIED, "options": OPTIONS, "jobs": 2}
    if backend == "slurm":
        if not there:
            pytest.skip("no SLURM on this machine")
        request.getfixturevalue("cluster")
        given["slurm"] = {"partition": "low"}
    elif backend == "ray":
        pytest.importorskip("ray")
    folder = tmp_path / "sweep"
    thread = threading.Thread(target=shoot, args=(folder,))
    thread.start()
    found = run(compose(of_values({**given, "backend": backend, "logdir": str(folder)})), len)
    thread.join()
    assert found.count("finished") == 4, found.trials
    assert sorted(r.failures for r in found.trials.values()) == [0, 0, 0, 1]
    for name in numbers(by_hand):
        assert_same_run(by_hand / name, folder / name)
        assert (folder / name / "report.html").is_file()
    hand = sorted(by_hand.iterdir())
    assert rows(reverie.compare([folder])) == rows(reverie.compare(hand, by="behavior.horizon"))
