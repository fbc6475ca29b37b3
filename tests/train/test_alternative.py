"""What the other settings of a small task would cost, told beside a run."""

import pytest
from tiny_runs import learn, tiny

from reverie.config.presets import resolve
from reverie.envs.make import make
from reverie.train import alternative, plan
from reverie.train.setup import complete

COUNTED = alternative.Cost("1m", 100_000, 25_000.0, 27 * 10**9, 7200.0)


@pytest.fixture
def cart_pole(tmp_path):
    """A tiny run's configuration, and the spaces of its task."""
    config = tiny("gym:CartPole-v1", tmp_path)
    env = make(config.task, config.env)
    return complete(config, env), env.obs_specs, env.action_specs


def test_seconds_are_updates_by_the_matrix_speed_for_all_seeds(cart_pole, monkeypatch):
    monkeypatch.setattr(plan, "best_speed", lambda dtype: 1e9)
    monkeypatch.setattr(alternative, "update_flops", lambda *_: 10**9)
    _, obs, actions = cart_pole
    other = resolve("gym:CartPole-v1", preset="published", overrides={"device.precision": "f32"})
    found = alternative.cost(other, obs, actions, seeds=3)
    assert (found.size, found.updates) == ("1m", 25_000)
    assert found.seconds == pytest.approx(25_000 * 3 / plan.ATTAINED)
    assert str(found) == ("about 41.7 hours: 100,000 steps, 25,000 updates of 3.0 GFLOP, size 1m")


def test_a_run_tells_them_when_it_learns(cart_pole, tmp_path, capsys, monkeypatch, traced_once):
    asked, compiled, real = [], [], plan.make_plan
    own = alternative.cost(*cart_pole)  # from shapes alone

    def make_plan(config, learner, replay, update, *rest, **more):
        compiled.append(update.flops)
        return real(config, learner, replay, update, *rest, **more)

    def cost(config, obs, actions, *, seeds):
        asked.append((config.preset, config.device.precision, seeds, set(obs)))
        return COUNTED

    monkeypatch.setattr(alternative, "cost", cost)
    monkeypatch.setattr(plan, "make_plan", make_plan)
    learn("gym:CartPole-v1", tmp_path / "told", {"log.progress": "plain"})
    said = " ".join(capsys.readouterr().out.split())
    assert f"--preset published {COUNTED}" in said
    assert said.index("first update after") < said.index("--preset published about")
    assert asked == [("published", "f32", 1, {"vector"})]
    assert compiled == [own.flops]


def test_what_cannot_be_counted_is_said(tmp_path, capsys, monkeypatch, traced_once):
    def cost(*_, **__):
        raise ValueError("a loop of unknown length")

    monkeypatch.setattr(alternative, "cost", cost)
    learn("gym:CartPole-v1", tmp_path / "untold", {"log.progress": "plain"})
    said = " ".join(capsys.readouterr().out.split())
    assert "--preset published its hours are not known (a loop of unknown length)" in said


def test_a_run_that_nobody_watches_counts_nothing(tmp_path, monkeypatch, traced_once):
    monkeypatch.setattr(alternative, "cost", lambda *_, **__: pytest.fail("counted"))
    learn("gym:CartPole-v1", tmp_path / "unseen")
