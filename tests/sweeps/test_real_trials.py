"""Real runs of size debug as trials of every back end: one is killed, and the comparison is that of
runs made by hand, number for number. Seeds that learn together, and a search that prunes."""

import threading
from functools import partial

import pytest
from sweep_parts import child_of, kill, numbers, wait_for
from test_group import APART, assert_like_alone
from test_slurm import cluster as cluster  # a fixture
from test_slurm import there
from tiny_runs import TINY, assert_same_run, last_step, learn, metrics

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


def swept(folder, task: str, **given):
    """The sweep of a task by local processes, one at a time."""
    options = {**OPTIONS, **given.pop("options")}
    words = {"tasks": task, "jobs": 1, "logdir": str(folder), "options": options, **given}
    return run(compose(of_values(words)), len)


MEANS = {"behavior.critic.dist": "gauss", "world.reward.dist": "gauss"}
"""Heads that predict means: two-hot heads of size debug turn the rounding of another program into
values."""


@pytest.mark.slow
def test_seeds_that_learn_together_equal_runs_by_hand(tmp_path):
    changes = {**APART, **MEANS}
    found = swept(tmp_path / "sweep", TASK, seeds=2, together=True, options=changes)
    (trial,) = found.trials
    assert (trial, found.count("finished")) == ("gym_CartPole-v1-seeds=0,1", 1)
    for seed in range(2):
        alone = learn(TASK, tmp_path / str(seed), {**changes, "seed": seed})
        assert_like_alone(found.folder / trial / f"seed-{seed}", alone)
        assert {row["step"] for row in metrics(alone)} >= {60, 120}
    (row,) = reverie.compare([found.folder]).tasks[0].rows
    assert row.seeds == (0, 1)


STEPS = 400
LIMITS = {"trial-0000": 5, "trial-0001": 4, "trial-0002": 5, "trial-0003": 2}
"""What Optuna draws for seed 2: each step gives 1, so a return is the limit of an episode."""


@pytest.mark.slow
def test_a_search_prunes_a_trial_while_it_runs(tmp_path, monkeypatch):
    optuna = pytest.importorskip("optuna")
    early = partial(optuna.pruners.MedianPruner, n_startup_trials=3)  # it waits for five otherwise
    monkeypatch.setattr(optuna.pruners, "MedianPruner", early)
    options = {"steps": STEPS, "train.eval_every": 100, "train.ratio": 16.0}
    given = {"vary": {"env.limit": [2, 3, 4, 5]}, "search": "optuna", "trials": 4, "seeds": [2]}
    found = swept(tmp_path, "probe_constant", options=options, **given)
    states = {name: trial.state for name, trial in found.trials.items()}
    assert states == dict.fromkeys(LIMITS, "finished") | {"trial-0003": "pruned"}
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    trials = optuna.load_study(study_name="reverie", storage=storage).trials
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 3 + ["PRUNED"]
    assert [trial.values for trial in trials[:3]] == [[5.0], [4.0], [5.0]]
    evaluated = range(100, STEPS + 1, 100)
    for trial, limit in zip(trials[:3], LIMITS.values(), strict=False):
        assert trial.intermediate_values == dict.fromkeys(evaluated, limit)
    told = trials[3].intermediate_values  # by the run, before it was ended
    assert {*told.values()} == {2.0} and 100 in told and STEPS not in told
    pruned = tmp_path / "trial-0003"
    assert last_step(pruned) < STEPS
    assert checkpoint.complete(pruned / "checkpoints")
