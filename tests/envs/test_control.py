"""DM Control's suite and manipulation tasks against dm_control itself."""

import numpy as np
import pytest
from elsewhere import assert_same_elsewhere
from toy_envs import assert_contract, assert_rows_equal, play

from reverie.envs import catalog, names
from reverie.envs.dmc import split_task
from reverie.envs.make import make
from reverie.envs.options import EnvConfig


def test_manipulation_names_equal_dm_controls():
    from dm_control import manipulation

    stems = dict.fromkeys(name.rpartition("_")[0] for name in manipulation.ALL)
    assert list(stems) == names.MANIP_TASKS
    assert catalog.parse("dmc_manip_reach_site") == ("dmc", "manip_reach_site")


def test_spellings_of_other_code_bases():
    for suite in ("dmc", "dmcr", "dmcbg"):
        assert catalog.parse(f"{suite}_cup_catch") == (suite, "ball_in_cup_catch")


def rescaled(action, spec):
    """From [-1, 1] to the bounds of dm_control's action, where it has any (`lqr` has none)."""
    low, high = (np.broadcast_to(bound, spec.shape) for bound in (spec.minimum, spec.maximum))
    if not np.isfinite(low).all():
        return action.astype(np.float64)
    half = (high - low) / 2
    return np.clip(action * half + (low + half), low, high)


@pytest.mark.slow
@pytest.mark.parametrize("name", names.DMC_TASKS)
def test_returns_of_every_task_equal_dm_controls_sum(name):
    """Sums of rewards and last observations over 30 steps of repeat 2, task by task."""
    from dm_control import suite

    env = make(f"dmc_{name}", EnvConfig(repeat=2))
    rows = play(env, 13, 30)
    assert_contract(env, rows)
    plain = suite.load(*split_task(name), task_kwargs={"random": 0})
    plain.task.random.seed(13)
    moment, rng = plain.reset(), np.random.default_rng(13)
    spec, total = plain.action_spec(), 0.0
    for _ in range(30):
        action = rng.uniform(-1, 1, spec.shape).astype(np.float32)
        for _ in range(2):
            moment = plain.step(rescaled(action, spec))
            total += moment.reward
    assert sum(row[1] for row in rows) == pytest.approx(total, rel=1e-9, abs=1e-12)
    for key, value in moment.observation.items():
        if np.size(value):
            shown = rows[-1][0][key.replace("/", "_")]
            np.testing.assert_allclose(shown.reshape(-1), np.ravel(value), rtol=1e-5, atol=1e-6)
    env.close()


def test_manipulation_keeps_the_contract():
    env = make("dmc_manip_reach_site", EnvConfig(repeat=1))
    rows = play(env, 3, 260)
    assert_contract(env, rows)
    assert len(rows) == 251
    assert rows[-1][2:] == (False, True)  # 10 s at 25 Hz, a time limit
    assert_rows_equal(rows[:20], play(env, 3, 19))
    assert env.obs_specs["target_position"].size == 3
    env.close()


def test_manipulation_rewards_equal_dm_controls():
    from dm_control import manipulation

    env = make("dmc_manip_reach_site", EnvConfig(repeat=1))
    rows = play(env, 8, 12)
    plain = manipulation.load("reach_site_features", seed=8)
    plain.random_state.seed(8)
    moment, rng, spec = plain.reset(), np.random.default_rng(8), plain.action_spec()
    for row in rows[1:]:
        action = rng.uniform(-1, 1, spec.shape).astype(np.float32)
        moment = plain.step(rescaled(action, spec))
        assert row[1] == pytest.approx(moment.reward, rel=1e-9)
    env.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", names.MANIP_TASKS)
def test_every_manipulation_task_runs(name):
    env = make(f"dmc_manip_{name}", EnvConfig(repeat=1))
    rows = play(env, 1, 5)
    assert_contract(env, rows)
    assert_rows_equal(rows, play(env, 1, 5))
    env.close()


@pytest.mark.slow
def test_manipulation_from_pictures():
    config = EnvConfig(repeat=1, observe="vision", size=48)
    env = make("dmc_manip_reach_site", config)
    rows = play(env, 1, 2)
    assert_contract(env, rows)
    assert list(env.obs_specs) == ["image"]
    assert rows[0][0]["image"].std() > 10
    env.close()
    assert_same_elsewhere("dmc_manip_reach_site", config, 1, 2)


@pytest.mark.parametrize("task", ["dmc_manip_lift_brick", "dmc_dog_fetch"])
def test_the_same_episode_in_another_process(task):
    assert_same_elsewhere(task, EnvConfig(repeat=2), 4, 4)
