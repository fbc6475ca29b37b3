"""An environment with every kind of observation and action; importing this registers it.

`gym:parity_envs:Parity/Mixed-v0`: pictures, numbers and classes are seen, a class and two numbers
are done. Episodes last 5 to 12 steps; half of them end, the others are cut off.
"""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

SIDE = 16


class Mixed(gymnasium.Env):
    """A bright column moves by the chosen class; the numbers are paid for pointing at it."""

    def __init__(self) -> None:
        self.observation_space = spaces.Dict(
            {
                "image": spaces.Box(0, 255, (SIDE, SIDE, 3), np.uint8),
                "numbers": spaces.Box(-np.inf, np.inf, (3,), np.float32),
                "side": spaces.Discrete(3),
            }
        )
        self.action_space = spaces.Dict(
            {"move": spaces.Discrete(3), "point": spaces.Box(-1.0, 1.0, (2,), np.float32)}
        )
        self._rng, self._column, self._left, self._ends = np.random.default_rng(0), 0, 0, False

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """The column anywhere, a length and a kind of ending drawn from the seed."""
        self._rng = np.random.default_rng(seed)
        self._column = int(self._rng.integers(SIDE))
        self._left, self._ends = int(self._rng.integers(5, 13)), bool(self._rng.integers(2))
        return self._show(), {}

    def _show(self) -> dict[str, Any]:
        image = np.full((SIDE, SIDE, 3), 30, np.uint8)
        image[:, self._column] = (220, 160, 90)
        where = self._column / (SIDE - 1) * 2 - 1
        numbers = np.array([where, self._left, self._rng.normal()], np.float32)
        return {"image": image, "numbers": numbers, "side": min(2, 3 * self._column // SIDE)}

    def step(self, action: dict[str, Any]):
        """The next picture; 1 minus the distance between column and numbers, in [-1, 1]."""
        self._column = int(np.clip(self._column + int(action["move"]) - 1, 0, SIDE - 1))
        self._left -= 1
        where = self._column / (SIDE - 1) * 2 - 1
        reward = 1.0 - float(np.abs(np.asarray(action["point"]) - where).mean())
        over = self._left == 0
        return self._show(), reward, over and self._ends, over and not self._ends, {}


gymnasium.register("Parity/Mixed-v0", entry_point=Mixed)
