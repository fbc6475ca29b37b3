"""MinAtar: five Atari games on a grid of 10x10 cells."""

from typing import Any, cast

import gymnasium
import numpy as np

from reverie.envs.base import Split
from reverie.envs.options import EnvConfig


class MinAtarGame(gymnasium.Env):
    """One game with its minimal actions; each channel of the picture is one kind of thing.

    Sticky actions 0.1 and the growing difficulty are the package's defaults. Every end is a true
    one; the games know no time limit.
    Source: Young & Tian 2019 (arXiv:1903.03176).
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(self, game: str, **kwargs: Any):
        import minatar  # pyright: ignore[reportMissingImports]

        self._game: Any = minatar.Environment(game, **kwargs)
        self._actions = self._game.minimal_action_set()
        self.observation_space = gymnasium.spaces.Box(
            0, 1, self._game.state_shape(), cast(Any, np.bool_)
        )
        self.action_space = gymnasium.spaces.Discrete(len(self._actions))
        self.render_mode = "rgb_array"

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First picture (10, 10, channels) bool and an empty info."""
        self._game.seed(seed)
        self._game.reset()
        self._game.last_action = 0  # what a sticky first action repeats
        return self._game.state(), {}

    def step(self, action: int):
        """Picture, reward, the game's end, False, an empty info."""
        reward, over = self._game.act(self._actions[action])
        return self._game.state(), float(reward), bool(over), False, {}

    def render(self) -> np.ndarray:
        """A picture for people, uint8 (200, 200, 3): one gray for each kind of thing."""
        state = self._game.state()
        kinds = state.shape[2]
        shade = (state * np.arange(1, kinds + 1)).max(2) * (255 // kinds)
        return shade.astype(np.uint8).repeat(20, 0).repeat(20, 1)[..., None].repeat(3, 2)


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> gymnasium.Env:
    """A game; `kwargs` may hold `sticky_action_prob` and `difficulty_ramping`."""
    return MinAtarGame(name, **kwargs)
