"""Random steps before learning: how many, of which actions, what follows, and how they resume."""

import dataclasses

import jax
import numpy as np
import pytest
from tiny_runs import assert_same_run, learn, metrics, tiny

from reverie.folder.errors import Stopped
from reverie.part.errors import ConfigError
from reverie.records import Spec
from reverie.train import loop
from reverie.train.collect import random_action
from reverie.train.plan import Plan

EDITS = {"steps": 120, "train.prefill": 60, "train.pretrain": 5, "train.log_every": 20}


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A run, and of every turn: was it random, the action made, what the policy remembers of it."""
    turns, act = [], loop.Actor.__call__

    def note(self, acting, step, *, random=False, explore=None):
        row = act(self, acting, step, random=random, explore=explore)
        flat = np.asarray(self.carry.action["action"])
        drawn = np.asarray(self._random(self.key, np.uint32(self.count - 1))["action"])
        turns.append((random, row["action/action"], flat, drawn, step.is_last))
        return row

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop.Actor, "__call__", note)
        folder = learn("probe_action", tmp_path_factory.mktemp("whole"), EDITS)
    return folder, turns


@pytest.fixture(scope="module")
def whole(watched):
    return watched[0]


def test_the_policy_remembers_the_random_actions_that_were_made(watched):
    early, late = watched[1][:30], watched[1][30:60]
    assert all(random for random, *_ in early) and not any(random for random, *_ in late)
    for _, made, remembered, drawn, over in early:
        np.testing.assert_array_equal(remembered, drawn)
        np.testing.assert_array_equal(made, np.where(over[:, None], 0, drawn))
    assert any((remembered != drawn).any() for _, _, remembered, drawn, _ in late)


def test_nothing_is_learned_before_and_the_pretraining_comes_at_once(whole):
    updates = {
        row["step"]: row["train/updates"] for row in metrics(whole) if "train/updates" in row
    }
    assert min(updates) > 60, updates
    # A row is replayed 8 times and an update takes 24 of them; the first step counts one more.
    learned = max(updates.values())
    assert learned == pytest.approx(5 + 1 + (120 - 62) * 8 / 24, abs=2)
    assert updates[min(updates)] >= 5


def test_it_goes_on_until_an_episode_has_ended(tmp_path):
    edits = {**EDITS, "train.prefill": 4, "env.num": 1, "train.pretrain": 0, "steps": 60}
    run = learn("gym:CartPole-v1", tmp_path, edits)
    rows = metrics(run)
    first = next(row["step"] for row in rows if "episode/length" in row)
    assert first > 4
    assert min(row["step"] for row in rows if "train/updates" in row) > first


def test_a_stopped_prefill_resumes_exactly(whole, tmp_path, monkeypatch):
    """Stopped while steps are random, and again right after."""
    for stop in (30, 70):
        turn = loop.Run.turn

        def interrupted(run, stop=stop, turn=turn):
            if run.step >= stop:
                run.save()
                raise Stopped(15, "for the test")
            turn(run)

        with monkeypatch.context() as patch:
            patch.setattr(loop.Run, "turn", interrupted)
            with pytest.raises(Stopped):
                learn("probe_action", tmp_path, EDITS)
    learn("probe_action", tmp_path, EDITS)
    assert_same_run(whole, tmp_path)


def test_random_actions_are_uniform_and_a_function_of_the_count():
    specs = {
        "button": Spec("discrete", (2,), (2, 5)),
        "wheel": Spec("vector", (3,), (), (-2.0,) * 3, (2.0,) * 3),
    }
    key = jax.random.key(0)
    first, again, other = (random_action(specs, 4000, key, n) for n in (7, 7, 8))
    assert all((first[k] == again[k]).all() for k in specs)
    assert any((first[k] != other[k]).any() for k in specs)
    for component, classes in enumerate((2, 5)):
        shares = np.bincount(np.asarray(first["button"][:, component]), minlength=classes) / 4000
        np.testing.assert_allclose(shares, 1 / classes, atol=0.03)
    wheel = np.asarray(first["wheel"])
    assert wheel.shape == (4000, 3) and np.abs(wheel).max() <= 1
    np.testing.assert_allclose(wheel.mean(0), 0, atol=0.04)
    np.testing.assert_allclose(wheel.std(0), 3**-0.5, atol=0.03)


def test_the_plan_says_so_and_a_run_without_learning_is_refused(tmp_path):
    rows = dict(Plan(1, 1, 1, 1, 1.0, 1.0, 1.0, 1.0, 10_000, 2).rows())
    assert rows["first"] == (
        "random actions for 10,000 steps and until an episode has ended, then 2 updates at once"
    )
    assert "first" not in dict(Plan(1, 1, 1, 1, 1.0, 1.0, 1.0, 1.0).rows())
    with pytest.raises(
        ConfigError, match=r"train\.prefill \(240\) must be less than steps \(240\)"
    ):
        tiny("probe_action", tmp_path, {"train.prefill": 240})


@pytest.mark.parametrize(
    ("agent", "task"), [("v2", "gym:CartPole-v1"), ("v3-2023", "probe_action")]
)
def test_the_older_agents_run_and_resume(agent, task, tmp_path, monkeypatch):
    """From random steps to evaluation and video, without stored latents; stopped on the way."""
    edits = {**EDITS, "train.eval_episodes": 2, "train.save_every": 0.0}
    turn, stops = loop.Run.turn, [90]

    def interrupted(run):
        if stops and run.step >= stops[0]:
            stops.pop()
            run.save()
            raise Stopped(15, "for the test")
        turn(run)

    config = tiny(task, tmp_path / "whole", edits, agent=agent)
    loop.train(config)
    monkeypatch.setattr(loop.Run, "turn", interrupted)
    again = dataclasses.replace(config, logdir=str(tmp_path / "again"))
    with pytest.raises(Stopped):
        loop.train(again)
    loop.train(again)
    assert_same_run(tmp_path / "whole", tmp_path / "again")
    rows = metrics(tmp_path / "whole")
    assert any("eval/return" in row for row in rows)
    learned = next(row for row in rows if "train/updates" in row)
    assert learned["train/lr_actor"] > 0 and "loss/repval" not in learned
