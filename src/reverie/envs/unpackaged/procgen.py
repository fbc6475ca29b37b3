"""ProcGen's sixteen games, in the original build."""

from typing import Any

import gymnasium
import numpy as np

from reverie.envs.base import Split
from reverie.envs.options import EnvConfig
from reverie.envs.pictures import resize

NATIVE = 64
"""Side of the picture that the games themselves give, pixels."""


class ProcGenGame(gymnasium.Env):
    """One game. Reads `size`: 64 shows the games' own picture, other sizes the 512-pixel one.

    A level is made from the episode's seed: any of 2³¹ without `num_levels`, else one of
    `start_level` … `start_level + num_levels - 1`, uniformly. The game starts anew for each
    episode, so an episode follows from its seed. Every end is a true one (the games do not tell
    their limit of 1000 steps from a loss). The games show no last picture: the one before stands
    in for it. Source: Cobbe et al. 2020 (arXiv:1912.01588); DreamerV3's environment settings.
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(
        self,
        game: str,
        config: EnvConfig,
        *,
        start_level: int = 0,
        num_levels: int = 0,
        distribution_mode: str = "hard",
        **kwargs: Any,
    ):
        from procgen import ProcgenGym3Env  # pyright: ignore[reportMissingImports]

        self._make = ProcgenGym3Env
        self._settings = {"env_name": game, "distribution_mode": distribution_mode, **kwargs}
        self._levels, self._size = (start_level, num_levels), config.size
        self.observation_space = gymnasium.spaces.Box(
            0, 255, (config.size, config.size, 3), np.uint8
        )
        self.action_space = gymnasium.spaces.Discrete(15)
        self.render_mode = "rgb_array"
        self._game: Any = None
        self._picture = np.zeros((config.size, config.size, 3), np.uint8)

    def level(self, seed: int) -> int:
        """The level that belongs to an episode's seed."""
        start, count = self._levels
        return start + int(np.random.default_rng(seed).integers(count)) if count else seed

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First picture and an empty info."""
        seed = int(np.random.default_rng().integers(2**31)) if seed is None else seed
        self.close()
        self._game = self._make(
            num=1,
            start_level=self.level(seed),
            num_levels=1,
            rand_seed=seed,
            render_mode=None if self._size == NATIVE else "rgb_array",  # which takes milliseconds
            **self._settings,
        )
        self._picture = self._look()
        return self._picture, {}

    def step(self, action: int):
        """Picture, reward, the game's end, False, an empty info."""
        self._game.act(np.array([action], np.int32))
        reward, _, over = (
            part[0] if i != 1 else part for i, part in enumerate(self._game.observe())
        )
        if not over:
            self._picture = self._look()
        return self._picture, float(reward), bool(over), False, {}

    def _look(self) -> np.ndarray:
        if self._size == NATIVE:
            return self._game.observe()[1]["rgb"][0].copy()
        return resize(self._game.get_info()[0]["rgb"], self._size)

    def render(self) -> np.ndarray:
        """A picture for people, uint8: 512x512, or what the agent sees at the native size."""
        return self._picture if self._size == NATIVE else self._game.get_info()[0]["rgb"]

    def close(self) -> None:
        """End the game."""
        if self._game is not None:
            self._game.close()
            self._game = None


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> gymnasium.Env:
    """A game; `kwargs` may hold `start_level`, `num_levels`, `distribution_mode` and others."""
    return ProcGenGame(name, config, **kwargs)
