"""Console games through stable-retro: Airstriker comes with it, other ROMs are the user's."""

from typing import Any

import gymnasium
import numpy as np

from reverie.envs.base import EnvError, Split
from reverie.envs.options import EnvConfig
from reverie.envs.pictures import resize
from reverie.part.errors import did_you_mean


class Screen(gymnasium.ObservationWrapper):
    """The console's screen at `size` pixels a side."""

    def __init__(self, env: gymnasium.Env, size: int):
        gymnasium.ObservationWrapper.__init__(self, env)
        self._size = size
        self.observation_space = gymnasium.spaces.Box(0, 255, (size, size, 3), np.uint8)

    def observation(self, observation: np.ndarray) -> np.ndarray:
        """The resized screen."""
        return resize(observation, self._size)


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> gymnasium.Env:
    """An integrated game in the package's spelling, for example `Airstriker-Genesis-v0`.

    `kwargs` go to the package (`state`, `scenario`, …); `use_restricted_actions` is given by name:
    ALL, FILTERED (default), DISCRETE or MULTI_DISCRETE. Games are deterministic: every episode
    starts from the same saved state. A process can hold one game at a time, so several
    environments need processes of their own (`env.parallel`).

    Raises EnvError for a game that is not integrated or has no ROM, or a second one in a process.
    """
    import stable_retro as retro  # pyright: ignore[reportMissingImports]

    known = retro.data.list_games()  # pyright: ignore[reportAttributeAccessIssue]
    if name not in known:
        raise EnvError(
            f"stable-retro has no integration of {name!r}.{did_you_mean(name, known)} It knows "
            f"{len(known)} games, spelt as in stable_retro.data.list_games()."
        )
    actions = kwargs.pop("use_restricted_actions", "FILTERED")
    settings = {"render_mode": "rgb_array", "use_restricted_actions": retro.Actions[actions]}
    try:
        env = retro.make(name, **{**settings, **kwargs})
    except FileNotFoundError:
        raise EnvError(
            f"The ROM of {name} is missing: stable-retro brings only Airstriker. Import your own "
            "with: python -m stable_retro.import FOLDER"
        ) from None
    except RuntimeError as error:
        raise EnvError(
            f"{error} Let every environment have its own process: --env.parallel."
        ) from None
    return Screen(env, config.size)
