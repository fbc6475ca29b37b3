"""A suite: corridors whose end is worth a reward."""

import gymnasium
import numpy as np

from reverie.envs.suite import Suite

LENGTHS = {"short": 5, "long": 20}


class Corridor(gymnasium.Env):
    """Walk right; the observation is the place."""

    observation_space = gymnasium.spaces.Box(0, 1, (1,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, length):
        self.length, self.place, self.count = length, 0, 0

    def _observation(self):
        return np.array([self.place / self.length], np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = self.count = 0
        return self._observation(), {}

    def step(self, action):
        self.count += 1
        self.place = max(0, self.place + (1 if action else -1))
        there = self.place >= self.length
        late = self.count >= 4 * self.length
        return self._observation(), float(there), there, late and not there, {}


def build(name, config, split, /):
    """The task `name`."""
    return Corridor(LENGTHS[name])


SUITE = Suite(
    "my_parts.corridor:build", lambda: tuple(LENGTHS), "a {} corridor with a reward at its end"
)
