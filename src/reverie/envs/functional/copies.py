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
        self.game, self.config = game, config
        self._num, self._specs = num, game.action_specs
        self._begin = jax.jit(ft.partial(rows.begin, game))
        self._step = jax.jit(jax.vmap(ft.partial(rows.advance, game, config)))
        self._put = jax.jit(_put)
        self._choose = jax.jit(choose)
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

    @property
    def now(self) -> tuple[rows.Episode, rows.Row]:
        """Episodes and present rows of all copies; zeros before the first reset."""
        if self._now is None:
            return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), self._like())
        return self._now

    @now.setter
    def now(self, now: tuple[rows.Episode, rows.Row]) -> None:
        self._now = now

    def state(self) -> dict[str, np.ndarray]:
        """What `load` needs: the arrays of `now`, by number; nothing before the first reset."""
        leaves = [] if self._now is None else jax.tree.leaves(self._now)
        return {str(number): np.asarray(leaf) for number, leaf in enumerate(leaves)}

    def load(self, state: Mapping[str, np.ndarray]) -> bool:
        """Go on where `state` was taken; False where it is that of another environment."""
        like, structure = jax.tree.flatten(self._like())
        leaves = [state[str(number)] for number in range(len(state))]
        kinds = [(leaf.shape, leaf.dtype) for leaf in like]
        if [(leaf.shape, leaf.dtype) for leaf in leaves] != kinds:
            return False
        self._now = jax.tree.unflatten(structure, [jnp.array(leaf) for leaf in leaves])
        return True

    def _like(self) -> Any:
        """Shapes and dtypes of `now`."""
        seeds = jax.ShapeDtypeStruct((self._num,), np.uint32)
        return jax.eval_shape(jax.vmap(ft.partial(rows.begin, self.game)), seeds)

    def look(self) -> rows.Row:
        """The present row of every copy, on the host."""
        return jax.device_get(self._began()[1])

    def _began(self) -> tuple[rows.Episode, rows.Row]:
        if self._now is None:
            raise RuntimeError("a copy is stepped before any was reset")
        return self._now


def _put(every: Any, one: Any, index: Any) -> Any:
    return jax.tree.map(lambda old, new: old.at[index].set(new), every, one)


def choose(mask: Any, new: Any, old: Any) -> Any:
    """Arrays (E, …) of `new` where `mask` (E,) holds, else of `old`; all of them by a mask ()."""

    def pick(a, b):
        return jnp.where(mask.reshape(*mask.shape, *[1] * (a.ndim - mask.ndim)), a, b)

    return jax.tree.map(pick, new, old)
