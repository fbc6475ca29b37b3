"""Gymnasium-MuJoCo and Gymnasium-Robotics: states, pictures, or both."""

from typing import Any

import gymnasium
import numpy as np

from reverie.envs.base import Split
from reverie.envs.gym import default_gl
from reverie.envs.names_control import mujoco_ids, robotics_ids
from reverie.envs.options import EnvConfig
from reverie.envs.solved import Solved

SIZED = ("Fetch", "Hand", "AntMaze", "PointMaze", "Adroit", "Franka")
"""First parts of the ids whose environments take the size of their pictures as arguments."""


class Pictured(gymnasium.ObservationWrapper):
    """Adds a picture (size, size, 3) uint8 as `image`; `alone` leaves the rest out.

    An observation that is no dictionary becomes `state`.
    """

    def __init__(self, env: gymnasium.Env, *, size: int, alone: bool):
        gymnasium.ObservationWrapper.__init__(self, env)
        self._alone = alone
        space = env.observation_space
        self._bare = not isinstance(space, gymnasium.spaces.Dict)
        parts = {"state": space} if self._bare else dict(space.spaces)  # type: ignore[attr-defined]
        picture = gymnasium.spaces.Box(0, 255, (size, size, 3), np.uint8)
        known = {} if alone else parts
        self.observation_space = gymnasium.spaces.Dict({**known, "image": picture})

    def observation(self, observation: Any) -> dict[str, Any]:
        """The observation with its picture."""
        known = {} if self._alone else {"state": observation} if self._bare else observation
        return {**known, "image": self.env.render()}


def _make(id: str, config: EnvConfig, kwargs: dict[str, Any]) -> gymnasium.Env:
    default_gl()
    if config.observe == "proprio":
        return gymnasium.make(
            id, disable_env_checker=True, **{"render_mode": "rgb_array", **kwargs}
        )
    drawn = {"render_mode": "rgb_array", "width": config.size, "height": config.size}
    env = gymnasium.make(id, disable_env_checker=True, **{**drawn, **kwargs})
    return Pictured(env, size=config.size, alone=config.observe == "vision")


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> gymnasium.Env:
    """The environment of `mujoco_NAME`. Reads `observe` and `size`.

    Ends are Gymnasium's: a fall is terminal, 1000 steps (reacher 50, pusher 100) truncate.
    """
    import mujoco  # noqa: F401  (missing: say which extra, before Gymnasium says something else)

    return _make(mujoco_ids()[name], config, kwargs)


def build_robotics(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> gymnasium.Env:
    """The environment of `robotics_NAME`. Reads `observe` and `size`.

    Goals are seen (`desired_goal`, `achieved_goal`); success is `log/success`. Almost all of
    them only truncate.
    """
    import gymnasium_robotics

    gymnasium.register_envs(gymnasium_robotics)
    return Solved(_make(robotics_ids()[name], config, kwargs))
