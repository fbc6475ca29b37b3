"""Environments that misbehave while a run goes on; importing this registers them."""

import os
import sys
import time
from pathlib import Path

import gymnasium
import numpy as np
from gymnasium import spaces

TROUBLES = ("raise", "exit", "hang", "nan")


class Rude(gymnasium.Env):
    """Shows (steps of the episode, 0, 0, 0), lasts 9 steps, and goes wrong in between.

    The spaces are CartPole's, so that tests of both share their compiled programs.

    `trouble` happens at step `at` of an environment's life: "raise", "exit", "hang" or "nan"; with
    `once`, a file, only while that file does not exist.
    """

    def __init__(self, trouble: str = "", at: int = 50, once: str = ""):
        self.observation_space = spaces.Box(-np.inf, np.inf, (4,), np.float32)
        self.action_space = spaces.Discrete(2)
        self.trouble, self.at, self.once = trouble, at, once
        self.count = self.life = 0

    def reset(self, *, seed=None, options=None):
        self.count = 0
        return self._show(), {}

    def _show(self):
        return np.array([self.count, 0, 0, 0], np.float32)

    def step(self, action):
        self.count, self.life = self.count + 1, self.life + 1
        value = self._show()
        if self.life == self.at and self.trouble and self._is_first():
            value = self._misbehave(value)
        return value, 1.0, self.count == 9, False, {}

    def _is_first(self):
        """Whether no other environment was here before, which may come at the same instant."""
        if self.once:
            try:
                Path(self.once).touch(exist_ok=False)
            except FileExistsError:
                return False
        return True

    def _misbehave(self, value):
        if self.trouble == "hang":
            sys.stderr.write("hanging\n")
            sys.stderr.flush()
            time.sleep(1000)
        if self.trouble == "exit":
            os._exit(7)
        if self.trouble == "raise":
            raise RuntimeError("the simulator lost its marbles")
        return value * np.nan


for _trouble in TROUBLES:
    gymnasium.register(
        f"Rude/{_trouble.title()}-v0", entry_point=Rude, kwargs={"trouble": _trouble}
    )


class Odd(gymnasium.Env):
    """Spaces that the agent cannot use; nobody gets to step it."""

    def __init__(self, shows=None, does=None):
        self.observation_space = shows or spaces.Box(-1, 1, (4,), np.float32)
        self.action_space = does or spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        return self.observation_space.sample(), {}


def _picture(height: int, width: int) -> dict:
    return {"shows": spaces.Box(0, 255, (height, width, 3), np.uint8)}


ODD = {
    "Blind": {"shows": spaces.Text(8)},
    "Speaker": {"does": spaces.Text(8)},
    "Stripe": _picture(8, 400),
    "Poster": _picture(1024, 1024),
}
for _name, _kwargs in ODD.items():
    gymnasium.register(f"Odd/{_name}-v0", entry_point=Odd, kwargs=_kwargs)
