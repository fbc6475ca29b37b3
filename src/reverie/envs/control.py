"""The MuJoCo suites besides DM Control: which adapter makes a task of which suite."""

from collections.abc import Callable
from typing import Any

import gymnasium

from reverie.envs.options import EnvConfig

CONTROL = ("loconav", "metaworld", "robodesk", "mujoco", "robotics", "memmaze")
"""Suites that `build` knows."""


def build(
    suite: str, name: str, config: EnvConfig, kwargs: dict[str, Any]
) -> tuple[gymnasium.Env, list[str]]:
    """The environment of a task and the notices about it.

    Raises ImportError if the simulator is missing, TypeError if `kwargs` do not fit, KeyError for
    a suite that is not in `CONTROL`.
    """
    return _builder(suite)(name, config, kwargs)


def _builder(suite: str) -> Callable[..., tuple[gymnasium.Env, list[str]]]:
    match suite:
        case "loconav":
            from reverie.envs.loconav import build as make_one
        case "metaworld":
            from reverie.envs.metaworld import build as make_one
        case "robodesk":
            from reverie.envs.robodesk import build as make_one
        case "mujoco":
            from reverie.envs.mujoco import build as make_one
        case "robotics":
            from reverie.envs.mujoco import build_robotics as make_one
        case "memmaze":
            from reverie.envs.memmaze import build as make_one
        case other:
            raise KeyError(other)
    return make_one
