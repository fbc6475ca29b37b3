"""A finished environment handed over: more of its kind are made where they are truly alike."""

import itertools
import threading
import types

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces, wrappers
from tiny_runs import learn

import reverie
from reverie.envs.gym import default_gl
from reverie.envs.source import source_of
from reverie.folder.fingerprint import identity
from reverie.part.errors import ConfigError


class Game(gymnasium.Env):
    """Nine steps; rewards are `goal` times the action. The spaces are CartPole's, so that tests of
    both share their compiled programs."""

    observation_space = spaces.Box(-np.inf, np.inf, (4,), np.float32)
    action_space = spaces.Discrete(2)

    def __init__(self, goal=1):
        self.goal = goal

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.steps = self.np_random.uniform(-1, 1), 0
        return self.show(), {}

    def show(self):
        return np.float32([self.place, self.steps, 0, 0])

    def step(self, action):
        self.steps += 1
        return self.show(), float(action * self.goal), False, self.steps >= 9, {}


class Held(Game):
    """Something that no copy can have."""

    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()


class Itself(Game):
    """Its copy is the same one."""

    def __deepcopy__(self, memo):
        return self


class Entangled(Game):
    """Copies share a simulator behind their backs."""

    world: list = [0]  # noqa: RUF012

    def show(self):
        self.world[0] += 1
        return np.float32([0, self.world[0] % 9, 0, 0])


class Wandering(Game):
    """The seed does nothing."""

    def reset(self, *, seed=None, options=None):
        return super().reset()


def played(env):
    """Rewards and first observation of an episode of ones."""
    first, rewards = env.reset(seed=3)[0], []
    for _ in range(9):
        _, reward, terminated, truncated, _ = env.step(1)
        rewards.append(reward)
        if terminated or truncated:
            break
    return first.tolist(), rewards


def heavier():
    env = gymnasium.make("CartPole-v1")
    env.unwrapped.gravity = 30.0
    return env


def extended():
    env = gymnasium.make("CartPole-v1")
    env.unwrapped.wind = 2.0  # read by nobody, but who knows
    return env


def drawn():
    default_gl(mujoco=False)
    env = gymnasium.make("CartPole-v1", render_mode="rgb_array")
    env.reset()
    env.render()
    return env


def cart(**kwargs):
    return gymnasium.make("CartPole-v1", **kwargs)


@pytest.mark.parametrize(
    ("make", "way", "task"),
    [
        (cart, "FromSpec", "custom:CartPole-v1"),
        (lambda: cart(max_episode_steps=5), "FromSpec", "custom:CartPole-v1"),
        (lambda: wrappers.TransformReward(cart(), np.abs), "FromSpec", "custom:CartPole-v1"),
        (lambda: wrappers.RecordEpisodeStatistics(cart()), "FromSpec", "custom:CartPole-v1"),
        (drawn, "FromSpec", "custom:CartPole-v1"),
        (heavier, "FromCopy", "custom:CartPole-v1"),
        (extended, "FromCopy", "custom:CartPole-v1"),
        (lambda: Game(5), "FromCopy", "custom:Game"),
        (lambda: wrappers.TimeLimit(Game(5), 4), "FromCopy", "custom:Game"),
    ],
)
def test_what_is_made_is_as_what_was_handed_over(make, way, task):
    env = make()
    source = source_of(env)
    source.check_kwargs({})
    assert (type(source.make_env).__name__, source.task) == (way, task)
    one, two = source.make_env(), source.make_env()
    assert len({id(part.unwrapped) for part in (env, one, two)}) == 3
    assert played(one) == played(two) == played(make())
    assert identity(source.make_env) == identity(source_of(make()).make_env)


def test_how_long_a_game_took_is_no_setting(monkeypatch):
    """Games of new ones that happen to take equally long, and that of the given one longer."""
    clock = itertools.chain([0, 5, 6], itertools.count(10))
    told = types.SimpleNamespace(perf_counter=lambda: next(clock))
    monkeypatch.setattr("gymnasium.wrappers.common.time", told)
    source = source_of(wrappers.RecordEpisodeStatistics(cart(max_episode_steps=5)))
    assert type(source.make_env).__name__ == "FromSpec"


def test_what_was_changed_has_an_identity_of_its_own():
    assert identity(source_of(Game(5)).make_env) != identity(source_of(Game(6)).make_env)


def test_a_copy_does_not_follow_its_model():
    env = Game(5)
    make = source_of(env).make_env
    env.goal = 7
    assert played(make())[1] == [5.0] * 9


@pytest.mark.parametrize(
    ("env", "reason"),
    [
        (Held(), r"be made \(copied, it ends in TypeError: cannot pickle '_thread.lock' object\)"),
        (Itself(), "its copies hold one and the same environment"),
        (Entangled(), "its copies play different games under one seed"),
        (Wandering(), "its copies play different games under one seed"),
    ],
)
def test_what_has_no_true_copy_is_told_why(env, reason):
    name = type(env).__name__
    with pytest.raises(ConfigError, match=reason) as error:
        source_of(env)
    assert f"hand over a function that makes one, for example lambda: {name}(...)" in str(
        error.value
    )
    assert "\n" not in str(error.value)


def test_a_run_on_an_instance_is_a_run_on_its_class(tmp_path, cache, traced_once):
    changes = {"steps": 20, "train.eval_episodes": 2}
    run = learn(source_of(Game(2)).make_env, tmp_path / "a", changes)
    how = {"episodes": 3, "overrides": {"env.parallel": False}}
    by_class = reverie.evaluate(run, make_env=lambda: Game(2), **how)
    assert reverie.evaluate(run, make_env=Game(2), **how) == by_class
    in_processes = reverie.evaluate(run, make_env=Game(2), episodes=3)
    assert in_processes == by_class
