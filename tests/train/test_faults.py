"""What goes wrong while a run goes on: environments that die, numbers that are not finite."""

import functools as ft
import re
import signal

import jax
import numpy as np
import pytest
from back_ends import signal_seat
from gymnasium import spaces
from rude_envs import Rude
from tiny_runs import flat, learn, metrics, newest

import reverie
from reverie.envs.base import EnvError
from reverie.folder.errors import RunError, Stopped
from reverie.module import tree_at
from reverie.replay.replay import Replay
from reverie.replay.rows import row_specs
from reverie.train import evaluate, loop
from reverie.train.interrupt import Interrupt


def replay_of(run) -> Replay:
    """The replay that the newest checkpoint of a run holds."""
    config, tree = reverie.saved_config(run), newest(run)
    agent = reverie.load(run)
    replay = Replay(
        row_specs(agent.obs_specs, agent.action_specs, config.world.dynamics.columns()),
        streams=config.env.num,
        capacity=tree["replay"]["keep"]["slots"] * config.env.num,
        length=config.train.length + config.replay.context,
        chunk=config.replay.chunk,
    )
    replay.load(run / "replay", tree["replay"])
    return replay


ON_RAY = {"env.parallel": True, "env.backend": "ray", "env.workers": 2}


@pytest.mark.parametrize("trouble", ["raise", "exit", "hang"])
def test_a_failing_environment_is_restarted_counted_and_never_mixed(
    trouble, tmp_path, cache, back_end
):
    env = ft.partial(Rude, trouble=trouble, at=50, once=str(tmp_path / "done"))
    changes = {"steps": 200, "env.parallel": trouble != "raise"}
    changes |= ON_RAY if back_end == "ray" else {}
    run = learn(env, tmp_path / "run", {**changes, "env.timeout": 10 if trouble == "hang" else 60})
    restarts = [row["env/restarts"] for row in metrics(run) if "env/restarts" in row]
    assert (restarts[0], restarts[-1]) == (0, 1)
    replay = replay_of(run)
    assert abandoned_episodes(replay, 100) == 1
    check_drawn(replay)


@pytest.mark.slow
def test_fifty_actors_are_killed_and_fifty_are_counted(tmp_path, cache, monkeypatch):
    """One after the other at rows of every kind, while the run learns."""
    pytest.importorskip("ray")
    rng, real, killed = np.random.default_rng(0), loop.Run.turn, []

    def turn(run):
        if run.step >= 8 * (len(killed) + 1) and len(killed) < 50:
            killed.append(signal_seat(run.envs, int(rng.integers(2))))
        real(run)

    monkeypatch.setattr(loop.Run, "turn", turn)
    changes = {**ON_RAY, "steps": 500, "env.restarts": 60}
    run = learn(Rude, tmp_path / "run", changes)
    restarts = [row["env/restarts"] for row in metrics(run) if "env/restarts" in row]
    assert (len(killed), len(set(killed)), restarts[-1]) == (50, 50, 50)
    replay = replay_of(run)
    assert 20 < abandoned_episodes(replay, 250) <= 50
    check_drawn(replay)


def abandoned_episodes(replay: Replay, steps: int) -> int:
    """How many end without a last row; nowhere does one go on as another."""
    rows = replay._store.arrays
    abandoned = 0
    for stream in range(2):
        count, first = rows["obs/vector"][stream, :steps, 0], rows["is_first"][stream, :steps]
        last = rows["is_last"][stream, :steps]
        assert (count[first] == 0).all()
        going_on = ~first[1:]
        np.testing.assert_array_equal(count[1:][going_on], count[:-1][going_on] + 1)
        assert (rows["reward"][stream, :steps][first] == 0).all()
        abandoned += int((first[1:] & ~last[:-1]).sum())
    return abandoned


def check_drawn(replay: Replay) -> None:
    """Every drawn sequence ends an episode before it begins the next, the abandoned one too."""
    seen = False
    for _ in range(60):
        batch, _ = replay.draw(16)
        count = batch["obs/vector"][..., 0]
        begins = batch["is_first"][:, 1:]
        np.testing.assert_array_equal(batch["is_last"][:, :-1] & begins, begins)
        np.testing.assert_array_equal(count[:, 1:][~begins], count[:, :-1][~begins] + 1)
        seen |= bool((begins & (count[:, :-1] < 9)).any())
    assert seen, "the abandoned episode was never drawn"


def test_too_many_restarts_stop_the_run(tmp_path, cache):
    env = ft.partial(Rude, trouble="raise", at=30)
    with pytest.raises(EnvError, match=r"all 2 restarts \(env.restarts\) are used up"):
        learn(env, tmp_path, {"env.restarts": 2})


def test_nan_of_an_environment_stops_the_run_and_keeps_what_was_saved(tmp_path, cache):
    changes = {"train.save_every": 0}
    with pytest.raises(EnvError, match=r"Environment 0: observation 'vector' .* at step 5 of"):
        learn(ft.partial(Rude, trouble="nan", at=50), tmp_path, changes)
    assert newest(tmp_path)["clocks"]["step"] == 110
    learn(ft.partial(Rude), tmp_path, changes)
    assert newest(tmp_path)["clocks"]["step"] == 240


def test_a_diverging_learner_stops_the_run_and_keeps_what_was_saved(tmp_path, cache):
    changes = {"train.save_every": 0, "optim.lr": 1e14}
    with pytest.raises(RunError) as stop:
        learn(Rude, tmp_path, changes)
    text = str(stop.value)
    assert re.match(r"update \d+ made the parameters absurdly large \(root mean square \S+\)", text)
    assert "parameters of absurd size: world." in text
    assert "Lower optim.lr, or look for" in text
    assert text.count("\n") == 0
    tree = newest(tmp_path)
    for name, value in flat(tree["learner"]).items():
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            assert np.isfinite(value).all(), name
            assert "agent." not in name or np.abs(value).max() < 10, name
    assert reverie.load(tmp_path).act({"vector": np.zeros(4, np.float32)})
    learn(Rude, tmp_path, {**changes, "optim.lr": 1e-3})
    assert newest(tmp_path)["clocks"]["step"] == 240


def test_a_poisoned_parameter_is_found(tmp_path, cache, monkeypatch):
    """One infinite weight, as a broken memory would leave it; the update spreads it."""
    real = loop.Run.turn

    def turn(run):
        if run.step == 120:
            poison(run.learner)
        real(run)

    monkeypatch.setattr(loop.Run, "turn", turn)
    named = r"update \d+ .* not finite in loss/.*loss/value; parameters no longer finite: .* more\."
    with pytest.raises(RunError, match=named):
        learn(Rude, tmp_path, {"train.save_every": 0})
    assert np.isfinite(newest(tmp_path)["learner"]["pending"]["metrics"]).all()


def poison(learner) -> None:
    """Put an infinity into the first tensor of the critic."""
    leaves, structure = jax.tree.flatten(learner.train_state.agent.critic)
    leaves[0] = leaves[0].at[(0,) * leaves[0].ndim].set(np.inf)
    critic = jax.tree.unflatten(structure, leaves)
    learner.train_state = tree_at(lambda state: state.agent.critic, learner.train_state, critic)


def test_a_single_action_is_no_fault(tmp_path, cache):
    """Its entropy is zero of a largest entropy of zero: a share that is not reported."""

    class Single(Rude):
        def __init__(self):
            super().__init__()
            self.action_space = spaces.Discrete(1)

    run = learn(Single, tmp_path, {"steps": 80})
    names = {name for row in metrics(run) for name in row}
    assert "train/ent/action" in names
    assert "train/rand/action" not in names


def test_signals_are_a_question_and_the_second_one_an_order():
    before = signal.getsignal(signal.SIGTERM)
    with Interrupt() as interrupt:
        assert interrupt.asked == 0
        signal.raise_signal(signal.SIGTERM)
        assert interrupt.asked == signal.SIGTERM
        with pytest.raises(Stopped, match="stopped by SIGINT at once") as stop:
            signal.raise_signal(signal.SIGINT)
    assert stop.value.exit_code == 130
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_signal_during_an_evaluation_saves_and_the_resumed_run_repeats_it(
    tmp_path, cache, monkeypatch
):
    changes = {"train.eval_every": 120, "train.eval_episodes": 4, "train.eval_envs": 1}
    whole = learn(Rude, tmp_path / "whole", changes)
    real = evaluate.EpisodeRecorder.add
    calls = iter(range(10_000))

    def add(film, envs, step, *, render=False):
        if render and next(calls) == 25:
            signal.raise_signal(signal.SIGINT)
        return real(film, envs, step, render=render)

    monkeypatch.setattr(evaluate.EpisodeRecorder, "add", add)
    with pytest.raises(Stopped, match="stopped by SIGINT at step 120 and saved"):
        learn(Rude, tmp_path / "parts", changes)
    assert newest(tmp_path / "parts")["clocks"]["chores"] == ["evaluate"]
    parts = learn(Rude, tmp_path / "parts", changes)
    assert metrics(parts) == metrics(whole)


def test_a_failing_evaluation_loses_nothing(tmp_path, cache, monkeypatch):
    def fail(*_, **__):
        raise EnvError("no display.")

    with monkeypatch.context() as patch, pytest.raises(EnvError, match="no display"):
        patch.setattr(loop.Evaluator, "__call__", fail)
        learn(Rude, tmp_path)
    assert newest(tmp_path)["clocks"]["step"] == 240
    learn(Rude, tmp_path)
    *_, evaluated, dreamed = metrics(tmp_path)
    assert "eval/return" in evaluated and "explained/vector" in dreamed


def test_an_environment_that_does_not_repeat_itself_is_named_on_resume(tmp_path, cache, capsys):
    class Wandering(Rude):
        def _show(self):
            return np.random.default_rng().normal(size=4).astype(np.float32)

    run = learn(Wandering, tmp_path, {"steps": 90})
    assert newest(run)["envs"]["envs"][0]["due"] is False
    learn(Wandering, tmp_path, {"steps": 120})
    said = " ".join(capsys.readouterr().out.split())
    assert "resumed at step 90. the open episode of environment 0, 1 cannot be rebuilt" in said
