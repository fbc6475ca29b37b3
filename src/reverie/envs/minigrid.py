"""MiniGrid and BabyAI as pictures."""

from typing import Any

import gymnasium
import numpy as np

from reverie.config.schema import EnvConfig
from reverie.envs.base import EnvError


class GridPicture(gymnasium.ObservationWrapper):
    """Replaces the symbolic `image` by a square RGB picture of exactly `size` pixels.

    A cell is drawn with floor(size / n) pixels, where n is the longer side of the grid or of the
    agent's view; black pixels at the right and at the bottom fill the picture up. With 64 pixels
    the 7x7 view is 63 pixels wide and gets one black column and row.
    """

    def __init__(self, env: gymnasium.Env, *, size: int, full: bool):
        gymnasium.ObservationWrapper.__init__(self, env)
        core: Any = env.unwrapped
        cells = (core.width, core.height) if full else (core.agent_view_size,) * 2
        self._tile, self._full, self._size = size // max(cells), full, size
        if self._tile < 1:
            raise EnvError(
                f"env.size {size} is too small to draw {cells[0]}x{cells[1]} cells; it must be at "
                f"least {max(cells)}."
            )
        picture = gymnasium.spaces.Box(0, 255, (size, size, 3), np.uint8)
        parts = {**env.observation_space.spaces, "image": picture}  # type: ignore[attr-defined]
        self.observation_space = gymnasium.spaces.Dict(parts)

    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        """The same observation with the picture (size, size, 3) uint8 as `image`."""
        core: Any = self.env.unwrapped
        drawn = core.get_frame(highlight=self._full, tile_size=self._tile, agent_pov=not self._full)
        picture = np.zeros((self._size, self._size, 3), np.uint8)
        picture[: drawn.shape[0], : drawn.shape[1]] = drawn
        return {**observation, "image": picture}


def build(id: str, config: EnvConfig, kwargs: dict[str, Any]) -> tuple[gymnasium.Env, list[str]]:
    """The environment of a MiniGrid or BabyAI id, as pictures. Reads `view` and `size`.

    Raises ImportError if minigrid is missing, EnvError if its files lack what the id needs.
    """
    import minigrid  # noqa: F401  (registers the ids)

    kwargs = {"render_mode": "rgb_array", **kwargs}
    try:
        env = gymnasium.make(id, disable_env_checker=True, **kwargs)
    except (OSError, gymnasium.error.DependencyNotInstalled) as error:
        raise EnvError(f"{id} cannot be built by the installed minigrid: {error}") from None
    full = config.view == "full"
    shown = "the whole grid" if full else "the agent's view"
    env = GridPicture(env, size=config.size, full=full)
    return env, [f"Observation 'image': {shown} as a picture of {config.size} pixels a side."]
