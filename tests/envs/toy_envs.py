"""Tiny environments that misbehave on purpose, and helpers to drive any environment."""

import functools as ft
import os
import time
from pathlib import Path

import gymnasium
import numpy as np
from gymnasium import spaces

from reverie.envs.adapter import Adapter
from reverie.envs.options import EnvConfig


def random_action(specs, rng, lead=()):
    """Uniform over the agent's range: key -> (*lead, *shape)."""
    action = {}
    for key, spec in specs.items():
        shape = (*lead, *spec.shape)
        if spec.kind == "discrete":
            action[key] = rng.integers(0, np.reshape(spec.classes, spec.shape), shape, np.int32)
        else:
            action[key] = rng.uniform(-1, 1, shape).astype(np.float32)
    return action


def play(env, seed, steps):
    """Rows (obs, reward, terminal, last) of one episode under actions drawn from `seed`."""
    rng = np.random.default_rng(seed)
    rows = [(env.reset(seed), 0.0, False, False)]
    for _ in range(steps):
        rows.append(env.step(random_action(env.action_specs, rng)))
        if rows[-1][3]:
            break
    return rows


def assert_rows_equal(one, two):
    assert len(one) == len(two)
    for (obs, *rest), (obs2, *rest2) in zip(one, two, strict=True):
        assert rest == rest2
        assert obs.keys() == obs2.keys()
        for key in obs:
            np.testing.assert_array_equal(obs[key], obs2[key])


def assert_contract(env, rows):
    """Every row holds exactly the promised keys, shapes and dtypes; flags and rewards are plain."""
    for obs, reward, terminal, last in rows:
        assert set(obs) == set(env.obs_specs)
        for key, spec in env.obs_specs.items():
            assert obs[key].shape == spec.shape
            assert obs[key].dtype.name == spec.dtype
        assert isinstance(reward, float)
        assert isinstance(terminal, bool)
        assert isinstance(last, bool)


class Shows(gymnasium.Env):
    """Shows `values` in turn, whatever is done; the space is what it is told."""

    def __init__(self, space, values, action_space=None, rewards=(0.0,), length=100):
        self.observation_space = space
        self.action_space = action_space or spaces.Discrete(2)
        self.values, self.rewards, self.length = values, rewards, length
        self.count, self.received = 0, []

    def _value(self):
        return self.values[min(self.count, len(self.values) - 1)]

    def reset(self, *, seed=None, options=None):
        self.count = 0
        return self._value(), {}

    def step(self, action):
        self.count += 1
        self.received.append(action)
        reward = self.rewards[min(self.count, len(self.rewards)) - 1]
        return self._value(), reward, self.count == self.length, False, {}


class Counter(gymnasium.Env):
    """Shows (seed's noise, steps, sum of actions); ends after `length` steps.

    `trouble` happens at step `at`: "raise", "exit", "hang", "nan", or "wander" (never repeats).
    With `once`, a file, it happens only while that file does not exist yet.
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(self, length=6, trouble="", at=3, once=""):
        self.observation_space = spaces.Dict(
            {
                "numbers": spaces.Box(-np.inf, np.inf, (3,)),
                "image": spaces.Box(0, 255, (8, 8, 3), np.uint8),
            }
        )
        self.action_space = spaces.Discrete(4)
        self.length, self.trouble, self.at, self.once = length, trouble, at, once
        self.render_mode = "rgb_array"

    def reset(self, *, seed=None, options=None):
        self.noise = float(np.random.default_rng(seed).uniform())
        self.count, self.total = 0, 0
        return self._show(), {}

    def _show(self):
        image = np.full((8, 8, 3), self.total % 256, np.uint8)
        return {"numbers": np.array([self.noise, self.count, self.total]), "image": image}

    def step(self, action):
        self.count += 1
        self.total += int(action)
        if self.count == self.at and self.trouble:
            self._misbehave()
        done = self.count == self.length
        return self._show(), float(action), done, False, {}

    def _misbehave(self):
        if self.once:
            if Path(self.once).exists():
                return
            Path(self.once).touch()
        if self.trouble == "raise":
            raise RuntimeError("the simulator lost its marbles")
        if self.trouble == "exit":
            os._exit(7)
        if self.trouble == "hang":
            time.sleep(1000)
        if self.trouble == "nan":
            self.noise = float("nan")
        if self.trouble == "wander":
            self.noise = time.time() % 1000.0

    def render(self):
        return np.full((4, 4, 3), self.count, np.uint8)


def counter(config=None, **kwargs):
    return Adapter(Counter(**kwargs), config or EnvConfig())


def make_counter(**kwargs):
    return ft.partial(counter, **kwargs)


def make_slow(seconds):
    """Makes counters of 50 steps that take so long each."""

    def slow():
        env = Adapter(Counter(length=50), EnvConfig())
        step = env.step
        env.step = lambda action: (time.sleep(seconds), step(action))[1]
        return env

    return slow
