"""Crafter: open-world survival, 22 achievements."""

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np

from reverie.envs.base import Split
from reverie.envs.options import EnvConfig

RENDER_SIDE = 450
"""Side of the pictures for people, pixels."""


class Ordered:
    """A set that remembers in which order its members came."""

    def __init__(self) -> None:
        self._members: dict[Any, None] = {}

    def add(self, member: Any) -> None:
        """Put a member at the end."""
        self._members[member] = None

    def remove(self, member: Any) -> None:
        """Take a member out."""
        del self._members[member]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)


class Chunks(dict):
    """Chunk of the map -> its objects, in insertion order; a missing chunk is empty."""

    def __missing__(self, key: Any) -> Ordered:
        self[key] = Ordered()
        return self[key]

    def copy(self) -> "Chunks":
        """A shallow copy."""
        return Chunks(self)


class Crafter(gymnasium.Env):
    """The game as a gymnasium environment. Reads `size`; with `reward` False nothing is rewarded.

    Death is a true end; the length limit of the package (10000 steps) a truncation. Achievements
    of the episode so far are shown under `log/achievement_NAME`, for people only.

    Deviation: the package keeps creatures in sets that are ordered by memory address, so equal
    seeds part company between processes. Here they are kept in the order of their birth, which
    changes no probability, and an episode follows from its seed and its actions.
    Source: Hafner 2021 (arXiv:2109.06780).
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(self, config: EnvConfig, *, reward: bool, **kwargs: Any):
        import crafter  # pyright: ignore[reportMissingImports]
        from crafter import constants as package  # pyright: ignore[reportMissingImports]

        constants: Any = package

        self._env: Any = crafter.Env(
            size=(config.size, config.size), reward=reward, seed=0, **kwargs
        )
        self._names = sorted(constants.achievements)
        image = gymnasium.spaces.Box(0, 255, (config.size, config.size, 3), np.uint8)
        count = gymnasium.spaces.Box(0, np.inf, (), np.float32)
        logs = {f"log/achievement_{name}": count for name in self._names}
        self.observation_space = gymnasium.spaces.Dict({"image": image, **logs})
        self.action_space = gymnasium.spaces.Discrete(len(constants.actions))
        self.render_mode = "rgb_array"
        self._restart = self._env._world.reset
        self._env._world.reset = self._reset_world

    def _reset_world(self, seed: int | None = None) -> None:
        self._restart(seed=seed)
        self._env._world._chunks = Chunks()

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First observation and an empty info."""
        self._env._seed, self._env._episode = seed, 0
        picture = self._env.reset()
        return self._show(picture, dict.fromkeys(self._names, 0)), {}

    def step(self, action: int):
        """Observation, reward, death, length limit, info."""
        picture, reward, over, info = self._env.step(int(action))
        dead = info["discount"] == 0.0
        return self._show(picture, info["achievements"]), reward, dead, over and not dead, info

    def _show(self, picture: np.ndarray, achievements: dict[str, int]) -> dict[str, Any]:
        logs = {f"log/achievement_{name}": np.float32(achievements[name]) for name in self._names}
        return {"image": picture, **logs}

    def render(self) -> np.ndarray:
        """A picture for people, uint8 (450, 450, 3); its noise at night is not the game's."""
        random = self._env._world.random
        state = random.get_state()
        picture = self._env.render((RENDER_SIDE, RENDER_SIDE))
        random.set_state(state)
        return picture


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> gymnasium.Env:
    """`reward` or `noreward`; `kwargs` go to the package's environment (area, view, length)."""
    return Crafter(config, reward=name == "reward", **kwargs)
