"""Meta-World's 50 manipulation tasks, from states, pictures, or both."""

from typing import Any

import gymnasium
import numpy as np

from reverie.envs.base import EnvError, Split
from reverie.envs.gym import default_gl
from reverie.envs.options import EnvConfig
from reverie.envs.solved import Solved
from reverie.part.errors import did_you_mean

CAMERAS = ("corner", "corner2", "corner3", "corner4", "topview", "behindGripper", "gripperPOV")
"""Cameras of the scene."""
UPSIDE_DOWN = ("corner", "corner2", "corner3")
"""Cameras that are mounted the wrong way up."""
CORNER2 = (0.75, 0.075, 0.7)
"""Where the published experiments put the camera `corner2`, metres."""


class MetaWorldTask(gymnasium.Env):
    """One task, its goal visible in the state. Reads `observe` and `size`.

    Every reset draws another goal and another pose of the object, as published. An episode is 500
    steps long and never terminal, not even at success, which `log/success` tells. Shows
    `state` (39,) and `image`.

    Args:
        camera_name: one of `CAMERAS`; `corner2` is moved to its published place.
        upright: turn the pictures of the cameras that hang upside down.
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(
        self, name: str, config: EnvConfig, *, camera_name: str = "corner", upright: bool = True
    ):
        default_gl()
        from metaworld.env_dict import ENV_CLS_MAP

        if camera_name not in CAMERAS:
            near = did_you_mean(camera_name, CAMERAS)
            raise EnvError(
                f"Meta-World has no camera {camera_name!r}.{near} It has {', '.join(CAMERAS)}."
            )
        make_one: Any = ENV_CLS_MAP[name.replace("_", "-") + "-v3"]
        self._observe, self._flip = config.observe, upright and camera_name in UPSIDE_DOWN
        self._env = make_one(
            render_mode="rgb_array", camera_name=camera_name, width=config.size, height=config.size
        )
        if camera_name == "corner2":
            self._env.model.camera("corner2").pos[:] = CORNER2
        self._env._set_task_called = True  # what its own goal-observable classes set
        self._env._partially_observable = False
        del self._env.sawyer_observation_space  # its cached bounds would clip the goal to zero
        self._env._freeze_rand_vec = False
        self._env.seeded_rand_vec = True
        parts: dict[str, gymnasium.Space] = {}
        if config.observe != "vision":
            parts["state"] = gymnasium.spaces.Box(-np.inf, np.inf, (39,), np.float64)
        if config.observe != "proprio":
            parts["image"] = gymnasium.spaces.Box(0, 255, (config.size, config.size, 3), np.uint8)
        self.observation_space = gymnasium.spaces.Dict(parts)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (4,), np.float32)
        self.render_mode = "rgb_array"

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First observation and info."""
        self._env.seed(0 if seed is None else seed)
        state, info = self._env.reset()
        return self._show(state), info

    def step(self, action: np.ndarray):
        """Observation, the task's dense reward, False, whether 500 steps are over, info."""
        state, reward, _, truncated, info = self._env.step(action)
        info["success"] = bool(info["success"])
        return self._show(state), float(reward), False, truncated, info

    def _show(self, state: np.ndarray) -> dict[str, np.ndarray]:
        parts = {}
        if self._observe != "vision":
            parts["state"] = state
        if self._observe != "proprio":
            parts["image"] = self.render()
        return parts

    def render(self) -> np.ndarray:
        """The picture that the agent sees, or would see, uint8 (size, size, 3)."""
        picture = self._env.render()
        return np.ascontiguousarray(picture[::-1]) if self._flip else picture

    def close(self) -> None:
        """Free the simulator."""
        self._env.close()


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> gymnasium.Env:
    """The environment of `metaworld_NAME`."""
    return Solved(MetaWorldTask(name, config, **kwargs))
