"""Several seeds on the device make one call together, and each is what it would be alone."""

import json
import random
import signal
import time

import jax
import numpy as np
import pytest
from device_runs import CHANGES, TASK, Heard, assert_alike, kept_rows, learned
from test_group import poison
from tiny_runs import assert_same_run, last_step, newest, start, tiny, wait_for_step

from reverie.api.seeds import configs_of
from reverie.folder.errors import Diverged, RunError, Stopped
from reverie.machine.flops import inner_jaxprs
from reverie.train.group import apart, calls, room
from reverie.train.group.apart import CallsApart
from reverie.train.group.calls import Calls
from reverie.train.group.train import train
from reverie.train.group.turns import Turns
from reverie.train.ondevice import refused
from reverie.train.ondevice.script import NO_DRAWS, Planned

SEEDS = (0, 3, 8)
"""Their first episodes are of different length, and so they begin to learn at different steps."""


QUICK = {"train.eval_episodes": 0}


def group(logdir, changes=QUICK, *, seeds=SEEDS, **options):
    """Seeds learned together; how each of them ended, and the columns of its replay."""
    config = tiny(TASK, logdir, {**CHANGES, "train.loop": "device", **changes})
    with pytest.MonkeyPatch.context() as patch:
        columns = kept_rows(patch)
        outcomes = train(configs_of(config, seeds), **options)
    return [(outcome, columns[outcome.logdir]) for outcome in outcomes]


@pytest.fixture(scope="module")
def called():
    """Of every call of all groups: how many seeds took part, and the updates that they made."""
    return []


@pytest.fixture(scope="module", autouse=True)
def count(called):
    real = Calls.__call__

    def call(self, places, updates):
        places = [*places]
        runs = [self._runs[place] for place in places]
        before = [run.updates for run in runs]
        taken = real(self, places, updates)
        made = {run.updates - old for run, old in zip(runs, before, strict=True)}
        called.append((len(places), made))
        return taken

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Calls, "__call__", call)
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory, shared_programs, called):
    """A group that was left alone, and its calls."""
    called.clear()
    found = group(tmp_path_factory.mktemp("group"))
    return found, [*called]


@pytest.fixture(scope="module")
def alone(tmp_path_factory, shared_programs):
    """The same seeds, each by itself: folder and columns."""
    folder = tmp_path_factory.mktemp("alone")
    return [learned(folder / str(seed), "device", {**QUICK, "seed": seed}) for seed in SEEDS]


def test_each_seed_is_its_run_alone(whole, alone):
    for (outcome, rows), single in zip(whole[0], alone, strict=True):
        assert outcome.error is None
        assert_alike((outcome.logdir, rows), single)
    begun = {newest(logdir)["clocks"]["updates"] for logdir, _ in alone}
    assert len(begun) == len(SEEDS), "some seeds began to learn at the same step"


@pytest.mark.slow  # how a machine multiplies one row and three is its own affair
def test_it_is_so_to_the_last_bit_where_updates_are_made_in_turn(whole, alone):
    for (outcome, _), (logdir, _) in zip(whole[0], alone, strict=True):
        assert_same_run(outcome.logdir, logdir)


@pytest.mark.slow
def test_updates_of_all_at_once_are_alike(tmp_path, monkeypatch):
    """As on a GPU: up to the rounding of another program, until it turns one sampled action of a
    dream into another."""
    monkeypatch.setattr(calls, "in_turn", lambda: False)
    for outcome, rows in group(tmp_path / "group", {"steps": 100}):
        assert outcome.error is None
        own = {"steps": 100, "seed": outcome.config.seed}
        assert_alike((outcome.logdir, rows), learned(tmp_path / str(own["seed"]), "device", own))


def test_one_call_runs_all_seeds(whole):
    """Seeds whose first episodes differ in length wait for one another once, before they learn."""
    sizes = [seeds for seeds, updates in whole[1] if updates != {0}]
    assert sizes[0] == len(SEEDS)
    assert sizes == sorted(sizes, reverse=True), "only the end of a run makes them fewer"
    assert all(len(updates) == 1 for _, updates in whole[1]), "all make the same updates"


def stop_after(patch, count):
    """A signal comes after so many calls of a group."""
    real, left = Turns._turn, [count]

    def turn(self):
        real(self)
        left[0] -= 1
        if not left[0]:
            self._interrupt.asked = signal.SIGTERM

    patch.setattr(Turns, "_turn", turn)


def test_a_stopped_group_resumes_to_the_same_bits(whole, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, 10)
        with pytest.raises(Stopped, match="all seeds are saved"):
            group(tmp_path)
    for (outcome, _), (other, _) in zip(group(tmp_path), whole[0], strict=True):
        assert outcome.error is None
        assert_same_run(outcome.logdir, other.logdir)


def with_a_poisoned_seed(monkeypatch, kind, logdir):
    """How the seeds end whose calls are of this kind when one meets an infinity: that one, and the
    others."""
    real, poisoned = kind.measure, []

    def measure(self, place):
        run = self._loops[place]._run
        if run.updates > 3 and not poisoned:
            poisoned.append(run.config.seed)
            poison(run.learner)
        real(self, place)

    monkeypatch.setattr(kind, "measure", measure)
    found = [outcome for outcome, _ in group(logdir)]
    bad, *good = sorted(found, key=lambda outcome: outcome.config.seed not in poisoned)
    assert isinstance(bad.error, Diverged) and "not finite in loss/" in str(bad.error)
    assert json.loads((bad.logdir / "diverged.json").read_text())["reason"] == str(bad.error)
    assert [outcome.error for outcome in good] == [None, None]
    return good


def test_a_seed_that_fails_leaves_the_others_alone(whole, tmp_path, monkeypatch):
    for outcome in with_a_poisoned_seed(monkeypatch, Calls, tmp_path):
        assert_same_run(whole[0][SEEDS.index(outcome.config.seed)][0].logdir, outcome.logdir)


@pytest.fixture
def computed_apart(monkeypatch):
    """Each seed makes calls of its own, as if an update of size debug were not tiny."""
    monkeypatch.setattr(apart, "FEW", 0)


def test_seeds_with_calls_of_their_own_are_runs_alone(computed_apart, alone, called, tmp_path):
    """To the last bit, also where all were stopped and went on."""
    called.clear()
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, 3)
        with pytest.raises(Stopped, match="all seeds are saved"):
            group(tmp_path)
    for (outcome, columns), other in zip(group(tmp_path), alone, strict=True):
        assert outcome.error is None
        assert_same_run(outcome.logdir, other[0])
        for name, column in columns.items():
            np.testing.assert_array_equal(column, other[1][name], err_msg=name)
    assert called == [], "no call was common"


def test_a_seed_that_fails_leaves_those_with_their_own_calls_alone(
    computed_apart, alone, tmp_path, monkeypatch
):
    for outcome in with_a_poisoned_seed(monkeypatch, CallsApart, tmp_path):
        assert_same_run(alone[SEEDS.index(outcome.config.seed)][0], outcome.logdir)


@pytest.mark.slow
def test_a_group_killed_by_the_kernel_goes_on_from_its_last_save(tmp_path, cache):
    """Killed in the middle, where one seed may have been saved and the next one not."""
    changes = {**CHANGES, "steps": 900, "train.save_every": 0.02, "train.loop": "device"}
    changes |= {"seeds": ",".join(map(str, SEEDS)), "device.precision": "f32"}
    rng = random.Random(seed := time.time_ns())
    for _ in range(3):
        process, last = start(TASK, tmp_path / "killed", cache, changes), tmp_path / "killed/seed-8"
        wait_for_step(process, last, last_step(last) + rng.randint(1, 150))
        time.sleep(rng.uniform(0, 0.1))
        process.kill()
        process.communicate(timeout=60)
    for name in ("killed", "whole"):
        said = (process := start(TASK, tmp_path / name, cache, changes)).communicate(timeout=600)
        assert process.returncode == 0, (seed, said)
    for name in SEEDS:
        assert_same_run(tmp_path / f"whole/seed-{name}", tmp_path / f"killed/seed-{name}")


def test_the_rows_of_all_seeds_must_fit_the_device(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "available_bytes", lambda: None)
    monkeypatch.setattr(refused, "available_bytes", lambda: 5_000)
    said = r"keep 60 rows of the replay for each of 3 seeds, .*: set --replay.capacity \d+ or less"
    with pytest.raises(RunError, match=said):
        group(tmp_path)
    assert list(tmp_path.iterdir()) == []


STRATEGIES = {
    "priorities": {
        "replay.draw": "proportional",
        "replay.signal": "kl",
        "replay.importance.begin": 0.5,
        "train.ratio": 24.0,
    },
    "explorer": {"explore": "plan2explore", "explore.until": 60, "explore.every": 2},
    "units": {"world.encoder.standardize": True},
    "no prefill": {"train.prefill": 0, "train.pretrain": 0, "replay.context": 1},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", STRATEGIES)
def test_every_kind_of_run_equals_itself_alone(name, tmp_path):
    changes = {"steps": 100, **STRATEGIES[name]}
    for outcome, rows in group(tmp_path / "group", changes, seeds=SEEDS[:2]):
        assert outcome.error is None
        alone = {**changes, "seed": outcome.config.seed}
        folder = tmp_path / str(outcome.config.seed)
        assert_alike((outcome.logdir, rows), learned(folder, "device", alone))


@pytest.mark.slow
def test_a_callback_of_one_seed_hears_of_its_steps(tmp_path):
    heard, alone = Heard(), Heard()
    found = group(tmp_path, {"steps": 60}, callbacks=lambda seed: [heard] if seed == 3 else [])
    assert [outcome.error for outcome, _ in found] == [None] * 3
    learned(tmp_path / "alone", "device", {"steps": 60, "seed": 3}, callbacks=[alone])
    assert [step[0] for step in heard.steps] == [step[0] for step in alone.steps]
    for mine, theirs in zip(heard.steps, alone.steps, strict=True):
        np.testing.assert_allclose(mine[1], theirs[1], rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(mine[3]["action"], theirs[3]["action"])


def loops(jaxpr):
    """The `while` loops of a program."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == "while":
            yield equation
        for inner in inner_jaxprs(equation.params):
            yield from loops(getattr(inner, "jaxpr", inner))


@pytest.mark.slow
@pytest.mark.parametrize("in_turn", [True, False])
def test_loops_end_for_all_seeds_at_once(in_turn, tmp_path, monkeypatch):
    """One whose end differed by seed would choose, and copy, all that it carries at every step: the
    rings too."""
    found = []

    def traced(self, rows):
        script = self._loops[0].script(Planned([NO_DRAWS], [], []), NO_DRAWS)
        program = jax.make_jaxpr(self.chunk.of_seeds())(*self._arguments({0: script}))
        columns = {column.shape for column in self._rest.ring.values()}
        for loop in loops(program.jaxpr):
            if columns & {out.aval.shape for out in loop.outvars}:
                found.append(loop.params["cond_jaxpr"].out_avals[0].shape)
        raise RunError("that was all")

    monkeypatch.setattr(calls, "in_turn", lambda: in_turn)
    monkeypatch.setattr(Calls, "compile_beside", traced)
    with pytest.raises(RunError, match="that was all"):
        group(tmp_path)
    assert found == [(), (), ()], "segments, updates, turns"
