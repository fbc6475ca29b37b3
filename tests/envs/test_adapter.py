import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from toy_envs import Counter, Shows, assert_contract, play

from reverie.envs.adapter import Adapter
from reverie.envs.base import EnvError
from reverie.envs.options import EnvConfig

ONE = {"action": np.int32(1)}


def test_repeat_sums_rewards_and_stops_at_the_end():
    env = Adapter(Counter(length=6), EnvConfig(repeat=4))
    env.reset(0)
    obs, reward, terminal, last = env.step(ONE)
    assert (reward, terminal, last) == (4.0, False, False)
    assert obs["numbers"][1] == 4
    assert env.step(ONE)[1:] == (2.0, True, True)


@pytest.mark.parametrize("labelled", [False, True])
def test_limit_truncates_and_is_terminal_only_if_asked(labelled):
    env = Adapter(Counter(length=50), EnvConfig(limit=3, limit_is_terminal=labelled))
    rows = play(env, 0, 10)
    assert [row[3] for row in rows] == [False, False, False, True]
    assert [row[2] for row in rows] == [False, False, False, labelled]
    assert_contract(env, rows)


def test_time_limit_of_the_environment_is_truncation():
    env = Adapter(gymnasium.make("CartPole-v1", max_episode_steps=4), EnvConfig())
    assert play(env, 0, 10)[-1][2:] == (False, True)


def test_a_true_end_at_the_limit_stays_terminal():
    env = Adapter(Counter(length=3), EnvConfig(limit=3))
    assert play(env, 0, 10)[-1][2:] == (True, True)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_reward_that_is_not_finite_is_refused(bad):
    env = Adapter(Shows(spaces.Discrete(2), [0], rewards=(1.0, bad)), EnvConfig())
    env.reset(3)
    env.step(ONE)
    with pytest.raises(EnvError, match=f"reward is {bad} at step 2 of the episode with seed 3"):
        env.step(ONE)


def test_old_gym_environments_are_named():
    with pytest.raises(EnvError, match=r"returned a builtins.dict, expected a gymnasium.Env"):
        Adapter({}, EnvConfig())


def test_old_style_answers_are_refused():
    env = Shows(spaces.Discrete(2), [0])
    env.step = lambda action: (0, 0.0, False, {})
    adapter = Adapter(env, EnvConfig())
    adapter.reset(0)
    with pytest.raises(EnvError, match="got tuple of length 4"):
        adapter.step(ONE)
    env.reset = lambda **_: np.zeros(3)
    with pytest.raises(EnvError, match=r"reset\(\) must return \(observation, info\), got ndarray"):
        adapter.reset(0)


def test_render_gives_the_picture_or_none():
    env = Adapter(Counter(), EnvConfig())
    env.reset(0)
    assert env.render().shape == (4, 4, 3)
    assert Adapter(gymnasium.make("CartPole-v1"), EnvConfig()).render() is None
    env.inner.render = lambda: np.zeros((4, 5), np.uint8)
    assert env.render().shape == (4, 5, 1)
    env.inner.render = lambda: None
    assert env.render() is None
