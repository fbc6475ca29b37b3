"""POPGym: fourteen partially observed games in three difficulties."""

from typing import Any

import gymnasium

from reverie.envs.base import Split
from reverie.envs.names_games import popgym_ids
from reverie.envs.options import EnvConfig


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> gymnasium.Env:
    """A task such as `repeat_previous_easy`; `kwargs` go to the package's environment.

    The previous action, which some of the games ask for, is seen by the world model anyway.
    Source: Morad et al. 2023 (arXiv:2303.01859).
    """
    import popgym  # pyright: ignore[reportMissingImports]  # noqa: F401  (registers the ids)

    return gymnasium.make(popgym_ids()[name], disable_env_checker=True, **kwargs)
