"""MiniWorld: simple rooms in first person."""

import os
import sys
from typing import Any

import gymnasium

from reverie.envs.base import Split
from reverie.envs.names_games import miniworld_ids
from reverie.envs.options import EnvConfig


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> gymnasium.Env:
    """A task such as `hallway`, drawn with `size` pixels a side. `kwargs` go to the environment.

    Reaching the goal is a true end, the package's step limit a truncation. Pyglet is told to draw
    without a screen where there is none (PYGLET_HEADLESS).
    """
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        os.environ.setdefault("PYGLET_HEADLESS", "true")
        import pyglet  # pyright: ignore[reportMissingImports]

        pyglet.options["headless"] = True  # also where another package imported it before
    import miniworld  # pyright: ignore[reportMissingImports]  # noqa: F401  (registers the ids)

    settings = {
        "obs_width": config.size,
        "obs_height": config.size,
        "render_mode": "rgb_array",
        **kwargs,
    }
    return gymnasium.make(miniworld_ids()[name], disable_env_checker=True, **settings)
