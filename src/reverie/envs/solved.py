"""Success, as suites of solvable tasks tell it: beside the reward, to people only."""

from typing import Any

import gymnasium
import numpy as np

FLAGS = ("success", "is_success")
"""Keys of `info` by which environments tell that their task is solved at this step."""
KEY = "log/success"
"""The observation that holds it; `log/` keeps it from the agent."""


class Solved(gymnasium.Wrapper):
    """Adds `log/success`: 1 once a step of the episode was a success, 0 before.

    An observation that is no dictionary becomes `state`.
    """

    def __init__(self, env: gymnasium.Env):
        gymnasium.Wrapper.__init__(self, env)
        space = env.observation_space
        self._bare = not isinstance(space, gymnasium.spaces.Dict)
        parts = {"state": space} if self._bare else dict(space.spaces)  # type: ignore[attr-defined]
        parts[KEY] = gymnasium.spaces.Box(0.0, 1.0, (), np.float32)
        self.observation_space = gymnasium.spaces.Dict(parts)
        self._solved = False

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First observation and info."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._solved = False
        return self._show(observation), info

    def step(self, action: Any):
        """Observation, reward, terminated, truncated, info."""
        observation, *rest, info = self.env.step(action)
        self._solved |= any(bool(info.get(flag, False)) for flag in FLAGS)
        return self._show(observation), *rest, info

    def _show(self, observation: Any) -> dict[str, Any]:
        parts = {"state": observation} if self._bare else dict(observation)
        return {**parts, KEY: np.float32(self._solved)}
