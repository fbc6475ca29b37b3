"""An environment in which nearly all there is to see has nothing to do with the task."""

import gymnasium
import numpy as np
from gymnasium import spaces

LENGTH, DISTRACTORS, CUE = 16, 31, 0.5


class Distracted(gymnasium.Env):
    """A faint cue among 31 loud numbers; reward 1 for every action that names the cue.

    At each of 16 steps `numbers` (32,) shows a fair coin as ±0.5 in its first place and 31
    independent Gaussians of deviation 3, drawn anew, in the others. The action (0 or 1) earns 1 if
    it names the coin in sight. A random policy returns 8, one that sees the cue 16.
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
        return self._show(), {}

    def _show(self) -> dict[str, np.ndarray]:
        self._coin = int(self._rng.integers(2))
        noise = 3.0 * self._rng.normal(size=DISTRACTORS)
        cue = CUE if self._coin else -CUE
        return {"numbers": np.concatenate([[cue], noise]).astype(np.float32)}

    def step(self, action: int):
        """New numbers, 1 if the action named the coin, the end after sixteen steps."""
        reward = float(int(action) == self._coin)
        self._left -= 1
        return self._show(), reward, self._left == 0, False, {}
