"""The game, grid and toy suites: which adapter makes a task of which suite."""

from collections.abc import Callable
from typing import Any

import gymnasium

from reverie.envs.options import EnvConfig

GAMES = (
    *("minihack", "nethack", "crafter", "bsuite", "procgen", "minatar", "pinpad", "popgym"),
    *("vizdoom", "miniworld", "retro", "envpool", "dmlab", "minecraft", "rlbench", "maniskill"),
)
"""Suites that `build` knows."""


def build(
    suite: str, name: str, config: EnvConfig, kwargs: dict[str, Any]
) -> tuple[gymnasium.Env, list[str]]:
    """The environment of a task and the notices about it.

    Raises ImportError if the simulator is missing, TypeError if `kwargs` do not fit, KeyError for
    a suite that is not in `GAMES`.
    """
    return _builder(suite)(name, config, kwargs)


def _builder(suite: str) -> Callable[..., tuple[gymnasium.Env, list[str]]]:
    match suite:
        case "minihack":
            from reverie.envs.minihack import build_minihack as make_one
        case "nethack":
            from reverie.envs.minihack import build_nethack as make_one
        case "crafter":
            from reverie.envs.crafter import build as make_one
        case "bsuite":
            from reverie.envs.bsuite import build as make_one
        case "procgen":
            from reverie.envs.procgen import build as make_one
        case "minatar":
            from reverie.envs.minatar import build as make_one
        case "pinpad":
            from reverie.envs.pinpad import build as make_one
        case "popgym":
            from reverie.envs.popgym import build as make_one
        case "vizdoom":
            from reverie.envs.vizdoom import build as make_one
        case "miniworld":
            from reverie.envs.miniworld import build as make_one
        case "retro":
            from reverie.envs.retro import build as make_one
        case "envpool":
            from reverie.envs.envpool import build as make_one
        case "dmlab":
            from reverie.envs.dmlab import build as make_one
        case "minecraft":
            from reverie.envs.minecraft import build as make_one
        case "rlbench":
            from reverie.envs.rlbench import build as make_one
        case "maniskill":
            from reverie.envs.maniskill import build as make_one
        case other:
            raise KeyError(other)
    return make_one
