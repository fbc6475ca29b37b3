"""E episodes of a game side by side: one compiled call steps them all."""

import functools as ft
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from reverie.envs.functional import rows
from reverie.envs.functional.game import Arrays, Game
from reverie.envs.options import EnvConfig


class Copies:
    """E copies. Results are those of the same compiled step whatever the others do.

    Two programs are compiled: a step of all copies, and the beginning of one episode.
    """

    def __init__(self, game: Game, config: EnvConfig, num: int):
        self._num, self._specs = num, game.action_specs
        self._begin = jax.jit(ft.partial(rows.begin, game))
        self._step = jax.jit(jax.vmap(ft.partial(rows.advance, game, config)))
        self._put = jax.jit(_put)
        self._choose = jax.jit(_choose)
        self._now: tuple[rows.Episode, rows.Row] | None = None

    def reset(self, index: int, seed: int) -> None:
        """Begin the episode of `seed` in one copy."""
        one = self._begin(np.uint32(seed))
        if self._now is None:
            self._now = jax.tree.map(lambda leaf: jnp.stack([leaf] * self._num), one)
        self._now = self._put(self._now, one, np.int32(index))

    def step(self, action: Arrays, mask: np.ndarray) -> None:
        """Step the copies where `mask` (E,) holds by `action` (E, *shape); the others wait."""
        episodes, _ = self._began()
        after = self._step(episodes, action)
        self._now = after if mask.all() else self._choose(mask, after, self._now)

    def replay(self, stored: Mapping[int, tuple[int, Arrays]]) -> None:
        """Rebuild episodes: copy -> (seed, actions (N, *shape)); stops where one ends."""
        for index, (seed, _) in stored.items():
            self.reset(index, seed)
        lengths = np.zeros(self._num, int)
        for index, (_, actions) in stored.items():
            lengths[index] = len(next(iter(actions.values())))
        for turn in range(lengths.max(initial=0)):
            action = {
                key: np.zeros((self._num, *spec.shape), spec.dtype)
                for key, spec in self._specs.items()
            }
            for index, (_, actions) in stored.items():
                if turn < lengths[index]:
                    for key, array in actions.items():
                        action[key][index] = array[turn]
            self.step(action, (turn < lengths) & ~np.asarray(self._began()[1].last))

    def look(self) -> rows.Row:
        """The present row of every copy, on the host."""
        return jax.device_get(self._began()[1])

    def _began(self) -> tuple[rows.Episode, rows.Row]:
        if self._now is None:
            raise RuntimeError("a copy is stepped before any was reset")
        return self._now


def _put(every: Any, one: Any, index: Any) -> Any:
    return jax.tree.map(lambda old, new: old.at[index].set(new), every, one)


def _choose(mask: Any, new: Any, old: Any) -> Any:
    def pick(a, b):
        return jnp.where(mask.reshape(-1, *[1] * (a.ndim - 1)), a, b)

    return jax.tree.map(pick, new, old)
