"""ViZDoom's scenarios in first person."""

import contextlib
import tempfile
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from reverie.envs.base import Split
from reverie.envs.names_games import VIZDOOM_IDS
from reverie.envs.options import EnvConfig
from reverie.envs.pictures import resize


class Doom(gymnasium.Wrapper):
    """One scenario. Reads `size` and `repeat`; the screen is shown as `image`.

    Death and success are true ends, the scenario's time limit a truncation (the package calls it
    both). The game runs in a process of its own, which `close` ends; the file in which it keeps
    its settings lies in a temporary folder instead of the current one.
    """

    def __init__(self, env: gymnasium.Env, size: int):
        gymnasium.Wrapper.__init__(self, env)
        self._size = size
        self._folder = tempfile.TemporaryDirectory(prefix="reverie-doom-")
        core: Any = env.unwrapped
        core.game.set_doom_config_path(str(Path(self._folder.name) / "doom.ini"))
        shown: Any = env.observation_space
        parts = {key: space for key, space in shown.spaces.items() if key != "screen"}
        parts["image"] = gymnasium.spaces.Box(0, 255, (size, size, 3), np.uint8)
        self.observation_space = gymnasium.spaces.Dict(parts)

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First observation and info."""
        observation, info = self.env.reset(seed=seed, options=options)
        with contextlib.suppress(OSError):  # an empty folder that every game makes where it runs
            Path("_vizdoom").rmdir()
        return self._show(observation), info

    def step(self, action: Any):
        """What the game answers; a time-out is no true end."""
        observation, reward, ended, cut, info = self.env.step(action)
        return self._show(observation), reward, ended and not cut, cut, info

    def close(self) -> None:
        """End the game and remove its folder."""
        self.env.close()
        self._folder.cleanup()

    def _show(self, observation: dict[str, Any]) -> dict[str, Any]:
        rest = {key: part for key, part in observation.items() if key != "screen"}
        return {**rest, "image": resize(observation["screen"], self._size)}


def build(
    name: str, config: EnvConfig, split: Split, /, **kwargs: Any
) -> tuple[gymnasium.Env, list[str]]:
    """A scenario such as `basic`. One button is pressed at a time unless `kwargs` say otherwise.

    `kwargs` go to the package's environment (`max_buttons_pressed`, `map`, `skill_level`, …).
    """
    import vizdoom.gymnasium_wrapper  # pyright: ignore[reportMissingImports]  # noqa: F401

    settings = {
        "frame_skip": config.repeat,
        "max_buttons_pressed": 1,
        "render_mode": "rgb_array",
        **kwargs,
    }
    env = gymnasium.make(VIZDOOM_IDS[name], disable_env_checker=True, **settings)
    return Doom(env, config.size), [f"Observation 'image': the screen at {config.size} pixels."]
