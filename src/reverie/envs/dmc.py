"""DM Control suite: proprioception, pictures, or both."""

from typing import Any

import gymnasium
import numpy as np

from reverie.config.schema import EnvConfig
from reverie.envs.gym import default_gl

RENDER_SIDE = 240
"""Side of the pictures for people, pixels."""
CAMERAS = {"quadruped": 2}
"""Camera of a domain where camera 0 does not show the agent."""


class ControlTask(gymnasium.Env):
    """One task of the suite. Reads `observe`, `camera`, `size` and `repeat`.

    A discount of 0 is a true end, every other end the time limit of the task. A reset re-seeds the
    task's random state, so an episode follows from its seed and its actions; what a task draws
    while it is *loaded* (the masses of `lqr`) is always drawn from seed 0.
    Nothing is drawn on the screen unless pictures are observed or `render` is called.
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(self, domain: str, task: str, config: EnvConfig, **task_kwargs: Any):
        default_gl()
        from dm_control import suite

        self._env = suite.load(domain, task, task_kwargs={"random": 0, **task_kwargs})
        self._config = config
        self._camera = config.camera if config.camera >= 0 else CAMERAS.get(domain, 0)
        self._vectors = {}
        if config.observe != "vision":
            specs = self._env.observation_spec()
            self._vectors = {key: s.shape for key, s in specs.items() if 0 not in s.shape}
        parts: dict[str, gymnasium.Space] = {
            key: gymnasium.spaces.Box(-np.inf, np.inf, shape or (1,), np.float64)
            for key, shape in self._vectors.items()
        }
        if config.observe != "proprio":
            parts["image"] = gymnasium.spaces.Box(0, 255, (config.size, config.size, 3), np.uint8)
        self.observation_space = gymnasium.spaces.Dict(parts)
        action = self._env.action_spec()
        low, high = (np.broadcast_to(b, action.shape) for b in (action.minimum, action.maximum))
        self.action_space = gymnasium.spaces.Box(low, high, dtype=np.float64)
        self.render_mode = "rgb_array"

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First observation and an empty info."""
        self._env.task.random.seed(seed)
        return self._observe(self._env.reset()), {}

    def step(self, action: np.ndarray):
        """Observation, reward summed over `repeat` control steps, true end, time limit, info."""
        total = 0.0
        for _ in range(self._config.repeat):
            moment = self._env.step(action)
            total += moment.reward
            if moment.last():
                break
        ended = moment.last() and moment.discount == 0.0
        return self._observe(moment), total, ended, moment.last() and not ended, {}

    def _observe(self, moment: Any) -> dict[str, np.ndarray]:
        shown = {
            key: np.asarray(moment.observation[key]).reshape(shape or (1,))
            for key, shape in self._vectors.items()
        }
        if self._config.observe != "proprio":
            shown["image"] = self._draw(self._config.size)
        return shown

    def _draw(self, side: int) -> np.ndarray:
        return self._env.physics.render(side, side, camera_id=self._camera)

    def render(self) -> np.ndarray:
        """A picture for people, uint8 (240, 240, 3)."""
        return self._draw(RENDER_SIDE)

    def close(self) -> None:
        """Free the physics and its render context."""
        self._env.close()
