"""An environment in which nearly all there is to see has nothing to do with the task."""

import gymnasium
import numpy as np
from gymnasium import spaces

LENGTH, DISTRACTORS, LOUD = 16, 63, 3.0


class Distracted(gymnasium.Env):
    """A coin among 63 loud numbers; reward 1 for every action that names it.

    The coin is tossed once an episode and shown as ±1 in the first place of `numbers` (64,); the
    other places hold independent Gaussians of deviation 3, drawn anew at every row. Each of 16
    actions (0 or 1) earns 1 if it names the coin. A random policy returns 8, the best one 16.
    """

    def __init__(self) -> None:
        self.observation_space = spaces.Dict(
            {"numbers": spaces.Box(-np.inf, np.inf, (DISTRACTORS + 1,), np.float32)}
        )
        self.action_space = spaces.Discrete(2)
        self._rng, self._left, self._coin = np.random.default_rng(0), 0, 0

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """The first numbers of an episode."""
        self._rng, self._left = np.random.default_rng(seed), LENGTH
        self._coin = int(self._rng.integers(2))
        return self._show(), {}

    def _show(self) -> dict[str, np.ndarray]:
        noise = LOUD * self._rng.normal(size=DISTRACTORS)
        return {"numbers": np.array([2 * self._coin - 1, *noise], np.float32)}

    def step(self, action: int):
        """New numbers, 1 if the action named the coin, the end after sixteen steps."""
        reward = float(int(action) == self._coin)
        self._left -= 1
        return self._show(), reward, self._left == 0, False, {}
