"""Several seeds in one process equal each of them alone, and end, stop and resume like it."""

import dataclasses
import functools
import json
import random
import shutil
import signal
import time

import jax
import numpy as np
import pytest
from tiny_runs import (
    assert_same_run,
    flat,
    last_step,
    metrics,
    newest,
    start,
    tiny,
    wait_for_step,
)

from reverie.api.seeds import configs_of
from reverie.config.presets import resolve
from reverie.folder.errors import Diverged, RunError, Stopped
from reverie.module import tree_at
from reverie.part.errors import ConfigError
from reverie.train import loop
from reverie.train.group import apart, folders, room, turns
from reverie.train.group.train import train

SEEDS = (0, 1)
APART = {"steps": 120, "train.eval_every": 60, "train.prefill": 10, "train.pretrain": 3}
"""Learning begins when a random episode has ended: at another step for every seed."""


def group(logdir, changes=None, *, task="gym:CartPole-v1", agent="v3", seeds=SEEDS, **options):
    """Seeds learned together; how each of them ended."""
    config = tiny(task, logdir, {**APART, **(changes or {})}, agent)
    return train(configs_of(config, seeds), **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, shared_programs):
    """Folder of a group that was left alone."""
    logdir = tmp_path_factory.mktemp("group")
    assert [outcome.error for outcome in group(logdir)] == [None, None]
    return logdir


def assert_like_alone(logdir, alone, near=1e-4):
    """The folder of a seed of a group holds what that of the same run alone does.

    Programs for one seed and for several round differently in the last bits, and the optimiser's
    moments are quotients of gradients that may be next to nothing: parameters are compared.
    """
    for one, other in zip(metrics(logdir), metrics(alone), strict=True):
        assert one == pytest.approx(other, rel=1e-3, abs=1e-4, nan_ok=True)
    first, second = flat(newest(logdir)), flat(newest(alone))
    assert first.keys() == second.keys()
    for name, value in first.items():
        if name.startswith(("/learner/state/agent", "/learner/acting", "/learner/newest")):
            one, other = np.float64(value), np.float64(second[name])
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=near, err_msg=name)
        elif name.startswith(("/clocks", "/actor/count", "/actor/action", "/episodes", "/envs")):
            np.testing.assert_array_equal(value, second[name], err_msg=name)


@pytest.fixture
def rows(monkeypatch):
    """The rows of every run, by seed and folder."""
    found, real = {}, loop.Run.take_in

    def take_in(run, step, row):
        found.setdefault((run.config.seed, run.logdir.name), []).append(dict(row))
        real(run, step, row)

    monkeypatch.setattr(loop.Run, "take_in", take_in)
    return found


def alone_of(logdir, config):
    """The run of one seed in a folder and by itself."""
    return loop.train(dataclasses.replace(config, logdir=str(logdir)))


def test_each_seed_equals_its_run_alone(rows, tmp_path):
    together, begun = group(tmp_path, {"steps": 72}), set()
    for config, logdir, error in together:
        assert error is None
        alone = alone_of(tmp_path / "alone" / str(config.seed), config)
        assert_like_alone(logdir, alone)
        seed = config.seed
        pairs = zip(rows[seed, logdir.name], rows[seed, str(seed)], strict=True)
        for one, other in pairs:
            for name, value in one.items():
                near = 1e-2 if name.startswith("latent/deter") else 0.0
                mine, alones = np.float32(value), np.float32(other[name])
                np.testing.assert_allclose(mine, alones, rtol=near, atol=near, err_msg=name)
        begun.add(newest(alone)["clocks"]["updates"])
    assert len(begun) == 2, "the seeds began to learn at the same step"


@pytest.fixture
def computed_apart(monkeypatch):
    """Each seed is computed by itself, as if an update of size debug were not tiny."""
    monkeypatch.setattr(apart, "FEW", 0)


@pytest.fixture(scope="module")
def alone(tmp_path_factory, shared_programs):
    """Folder of the same runs as those of a group, each alone."""
    logdir = tmp_path_factory.mktemp("alone")
    for config in configs_of(tiny("gym:CartPole-v1", logdir, APART), SEEDS):
        loop.train(config)
    return logdir


def test_seeds_that_are_computed_apart_are_those_of_runs_alone(computed_apart, alone, tmp_path):
    """To the last bit, also where all were stopped and went on."""
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, 35)
        with pytest.raises(Stopped, match=r"stopped by SIGTERM at step .* all seeds are saved"):
            group(tmp_path)
    for outcome in group(tmp_path):
        assert outcome.error is None
        assert_same_run(outcome.logdir, alone / outcome.logdir.name)
        told = json.loads((outcome.logdir / "config.json").read_text())
        assert told["group"]["seeds"] == [0, 1]
        assert dict(told["facts"])["seeds"] == "2 in one process"


def test_a_seed_that_fails_leaves_those_apart_alone(computed_apart, alone, tmp_path, monkeypatch):
    bad, good = with_a_poisoned_seed(monkeypatch, tmp_path)
    assert isinstance(bad.error, Diverged) and good.error is None
    assert_same_run(alone / good.logdir.name, good.logdir)


def test_which_seeds_are_computed_apart(tmp_path):
    """An update of size debug in short windows is tiny; one of larger batches or models is not."""

    def of(size, **changes):
        edits = {"logdir": str(tmp_path / "run"), "device.kind": "cpu", **changes}
        with loop.opened(resolve("gym:CartPole-v1", size=size, overrides=edits), None) as run:
            return apart.is_apart(run)

    assert not of("debug") and of("tiny")
    assert of("debug", **{"train.batch": 16, "train.length": 64})


def stop_after(patch, count):
    """A signal comes after so many turns of a group."""
    real, left = turns.Turns._turn, [count]

    def turn(self):
        real(self)
        left[0] -= 1
        if not left[0]:
            self._interrupt.asked = signal.SIGTERM

    patch.setattr(turns.Turns, "_turn", turn)


def test_a_stopped_group_resumes_with_the_same_command(whole, tmp_path):
    for count in (7, 35):
        with pytest.MonkeyPatch.context() as patch:
            stop_after(patch, count)
            with pytest.raises(Stopped, match=r"stopped by SIGTERM at step .* all seeds are saved"):
                group(tmp_path)
    outcomes = group(tmp_path)
    for outcome in outcomes:
        assert outcome.error is None
        assert_same_run(whole / outcome.logdir.name, outcome.logdir)
    assert group(tmp_path)[0].error is None, "a finished group has nothing to do"
    assert_same_run(whole / "seed-0", tmp_path / "seed-0")


@pytest.mark.slow
def test_a_group_killed_by_the_kernel_goes_on_from_its_last_save(tmp_path, cache):
    """Killed in the middle, where one seed may have been saved and the next one not."""
    changes = {**APART, "steps": 900, "train.save_every": 0.02, "device.precision": "f32"}
    words = {**changes, "seeds": "0,1"}
    begin = functools.partial(start, "gym:CartPole-v1", cache=cache, changes=words)
    rng = random.Random(seed := time.time_ns())
    for _ in range(3):
        process, lagging = begin(tmp_path / "killed"), tmp_path / "killed" / "seed-1"
        wait_for_step(process, lagging, last_step(lagging) + rng.randint(1, 150))
        time.sleep(rng.uniform(0, 0.1))
        process.kill()
        process.communicate(timeout=60)
    for logdir in (tmp_path / "killed", tmp_path / "whole"):
        said = (process := begin(logdir)).communicate(timeout=600)
        assert process.returncode == 0, (seed, said)
    for name in ("seed-0", "seed-1"):
        assert_same_run(tmp_path / "whole" / name, tmp_path / "killed" / name)


@pytest.mark.slow
def test_a_seed_resumes_without_the_others(shared_programs, tmp_path):
    """Few updates after the stop: once rounding turns one sampled action of a dream into another,
    the two are different runs of the same kind."""
    short = {"steps": 72}
    group(tmp_path / "whole", short)
    assert_like_alone(resumed_alone(tmp_path / "cut", 25, short), tmp_path / "whole" / "seed-1")


@pytest.mark.slow
def test_a_seed_that_was_computed_apart_resumes_without_the_others(computed_apart, alone, tmp_path):
    assert_same_run(alone / "seed-1", resumed_alone(tmp_path, 40))


def resumed_alone(logdir, count, changes=()):
    """The folder of a seed whose group was stopped after so many turns, and which went on alone."""
    changes = dict(changes)
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, count)
        with pytest.raises(Stopped):
            group(logdir, changes)
    _, config = configs_of(tiny("gym:CartPole-v1", logdir, {**APART, **changes}), SEEDS)
    went_on = loop.train(config)
    told = json.loads((logdir / "seed-1" / "config.json").read_text())
    assert told["group"]["seeds"] == [0, 1], "it is still one of the group"
    return went_on


def with_a_poisoned_seed(monkeypatch, logdir):
    """How a group ends, one seed of which meets an infinity: this one, the other."""
    real, poisoned = loop.Run.send, []

    def send(run):
        if run.updates > 3 and not poisoned:
            poisoned.append(run.config.seed)
            poison(run.learner)
        real(run)

    monkeypatch.setattr(loop.Run, "send", send)
    return sorted(group(logdir), key=lambda outcome: outcome.config.seed not in poisoned)


def test_a_seed_that_fails_leaves_the_others_alone(whole, tmp_path, monkeypatch):
    bad, good = with_a_poisoned_seed(monkeypatch, tmp_path)
    assert isinstance(bad.error, Diverged)
    assert "not finite in loss/" in str(bad.error) and "Lower optim.lr" in str(bad.error)
    assert json.loads((bad.logdir / "diverged.json").read_text())["reason"] == str(bad.error)
    assert good.error is None
    assert_same_run(whole / good.logdir.name, good.logdir)


def poison(learner):
    """Put an infinity into a tensor of the critic."""
    leaves, structure = jax.tree.flatten(learner.train_state.agent.critic)
    leaves[0] = leaves[0].at[(0,) * leaves[0].ndim].set(np.inf)
    critic = jax.tree.unflatten(structure, leaves)
    learner.train_state = tree_at(lambda state: state.agent.critic, learner.train_state, critic)


def regroup(logdir, seed, **group):
    """Write another group into the config.json of a seed."""
    path = logdir / f"seed-{seed}" / "config.json"
    text = json.loads(path.read_text())
    text.pop("digest", None)
    path.write_text(json.dumps({**text, "group": {**text["group"], **group}}))


def test_folders_of_one_group(whole, tmp_path):
    def refused(*seeds):
        configs = configs_of(tiny("gym:CartPole-v1", tmp_path / "g", APART), seeds)
        with pytest.raises(RunError) as caught:
            train(configs)
        assert "Nothing was changed." in str(caught.value)
        return str(caught.value)

    shutil.copytree(whole, tmp_path / "g")
    assert "names 0, 1, 2: give the seeds of the group" in refused(0, 1, 2)
    assert "seeds 0, 1, and --seeds names 1: give" in refused(1)
    before = sorted((tmp_path / "g").rglob("*"))
    (tmp_path / "g" / "seed-1").rename(tmp_path / "away")
    assert "seed-1 (seed 1) is missing, and the other seeds" in refused(0, 1)
    assert not (tmp_path / "g" / "seed-1").exists()
    (tmp_path / "away").rename(tmp_path / "g" / "seed-1")
    assert sorted((tmp_path / "g").rglob("*")) == before
    regroup(tmp_path / "g", 1, id="other")
    assert "seed-1 (seed 1) belongs to the group other of seeds 0, 1, and" in refused(0, 1)
    regroup(tmp_path / "g", 1, seeds=[1, 5])
    assert "belongs to the group other of seeds 1, 5" in refused(0, 1)


def test_a_group_that_never_learned_may_lack_a_folder(tmp_path):
    configs = configs_of(tiny("gym:CartPole-v1", tmp_path, APART), SEEDS)
    fresh = folders.group_of(configs)
    assert fresh["seeds"] == [0, 1] and fresh["id"]
    (tmp_path / "seed-0").mkdir()
    (tmp_path / "seed-0" / "config.json").write_text(json.dumps({"group": fresh}))
    assert folders.group_of(configs) == fresh


def test_more_seeds_than_the_memory_holds(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "available_bytes", lambda: 2_000_000)
    with pytest.raises(RunError, match=r"40 seeds in one process would need .*: at most \d+ fit"):
        group(tmp_path, seeds=range(40))
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(room, "available_bytes", lambda: 1_000)
    with pytest.raises(RunError, match=r"not even one fits; lower --size"):
        group(tmp_path)


def test_seeds_apart_need_no_stacked_arrays(computed_apart, tmp_path, monkeypatch):
    config = tiny("gym:CartPole-v1", tmp_path, APART)
    with loop.opened(config, None) as run:
        need = run.replay.planned_bytes + 2 * run.learner.nbytes
        monkeypatch.setattr(room, "available_bytes", lambda: 3 * need)
        room.check_host(run, 3)
        with pytest.raises(RunError, match="at most 3 fit"):
            room.check_host(run, 4)
        monkeypatch.setattr(apart, "FEW", 1e9)
        with pytest.raises(RunError, match="at most 2 fit"):
            room.check_host(run, 3)


def test_what_a_process_can_have_once_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"--log.wandb is for one run a process.*--no-together"):
        group(tmp_path, {"log.wandb": "project"})


KINDS = [
    ("gym:CartPole-v1", "v2", {"train.pretrain": 2}),
    ("gym:CartPole-v1", "v3-2023", {"world.balance": "harmony"}),
    ("gym:CartPole-v1", "v3", {"explore": "plan2explore", "explore.every": 2}),
    ("gym:CartPole-v1", "v3", {"replay.signal": "kl", "replay.draw": "proportional"}),
    (
        "gym:Pendulum-v1",
        "v3",
        {"replay.keep": "reservoir", "replay.unit": "splice", "replay.unit.rows": 16},
    ),
    (
        "continual:custom",
        "v3",
        {"sequence.tasks": ("minigrid_empty_5x5", "minigrid_empty_6x6"), "env.size": 32}
        | {"sequence.steps": (44, 28), "sequence.reset_optimizer": True, "env.limit": 15}
        | {"steps": 72},
    ),
]
"""Task, agent and options of a run of every kind."""


@pytest.mark.slow
@pytest.mark.parametrize(("task", "agent", "changes"), KINDS)
def test_every_kind_of_run_equals_itself_alone(task, agent, changes, tmp_path):
    """Steps are few, as above."""
    changes = {"steps": 64, **changes}
    outcomes = group(tmp_path, changes, task=task, agent=agent)
    assert [outcome.error for outcome in outcomes] == [None, None]
    config = configs_of(tiny(task, tmp_path, {**APART, **changes}, agent), SEEDS)[1]
    # The actor's first gradients are next to nothing, and the optimiser divides by their size.
    assert_like_alone(outcomes[1].logdir, alone_of(tmp_path / "alone", config), near=3e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("task", "agent", "changes"), KINDS)
def test_every_kind_of_run_apart_is_itself_alone(task, agent, changes, computed_apart, tmp_path):
    """To the last bit, so as long as one likes."""
    changes = {"steps": 120, **changes}
    outcomes = group(tmp_path, changes, task=task, agent=agent)
    assert [outcome.error for outcome in outcomes] == [None, None]
    for config, logdir, _ in outcomes:
        assert_same_run(logdir, alone_of(tmp_path / "alone" / str(config.seed), config))
