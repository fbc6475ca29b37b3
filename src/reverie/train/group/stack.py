"""The learners of several seeds as one: stacked states, and one program that updates them all.

The program always computes an update for every seed. Where a seed has none to make, its state stays
as it was: which seeds take part changes nothing for any of them, to the last bit.
"""

import functools as ft
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from reverie.behavior.policy import Acting
from reverie.config.schema import Config
from reverie.envs.functional.copies import choose
from reverie.train.compiling import Compiled, compiled_beside
from reverie.train.learner import Learner, Result, packed_step
from reverie.train.state import TrainState

Batch = tuple[Mapping[str, Any], Any]
"""Rows of an update, and their ticket."""


class RowOf:
    """Row `index` of an array (S, …). The host's copy of the array is made once for all rows."""

    def __init__(self, whole: Any, index: int):
        self._whole, self._index = whole, index

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(np.asarray(self._whole)[self._index], dtype)


def rows_of(columns: Mapping[str, Any], index: int) -> dict[str, RowOf]:
    """One seed's columns of those of all."""
    return {name: RowOf(column, index) for name, column in columns.items()}


def stacked(trees: Sequence[Any]) -> Any:
    """Trees of one structure as one whose leaves (S, …) lie on the device."""
    return jax.tree.map(lambda *leaves: jnp.array(np.stack(list(map(np.asarray, leaves)))), *trees)


def row(tree: Any, index: int) -> Any:
    """One seed's tree, on the device, of a stacked one."""
    return jax.tree.map(lambda leaf: jnp.array(np.asarray(leaf)[index]), tree)


def with_row(tree: Any, index: int, one: Any) -> Any:
    """A stacked tree in which one seed's is replaced."""

    def replaced(whole: Any, leaf: Any) -> Any:
        copy = np.array(whole)
        copy[index] = leaf
        return jnp.array(copy)

    return jax.tree.map(replaced, tree, one)


def masked_step(
    state: TrainState, rows: dict[str, Any], root: Any, numbers: dict[str, Any], on: Any, *, config
):
    """`packed_step` whose next state is the old one where `on` is False."""
    following, acting, result = packed_step(state, rows, root, numbers, config=config)
    return choose(on, following, state), acting, result


class Stack:
    """The learners of S seeds, whose arrays it takes over."""

    def __init__(self, learners: Sequence[Learner], config: Config):
        self._learners = learners
        self.train_state: TrainState = stacked([learner.train_state for learner in learners])
        self.acting: Acting = stacked([learner.acting for learner in learners])
        self.newest: Acting = stacked([learner.newest for learner in learners])
        self._roots = jnp.stack([learner.root for learner in learners])
        step = jax.vmap(ft.partial(masked_step, config=config), (0, 0, 0, None, 0))
        self._step: Any = jax.jit(step, donate_argnums=0)
        self._choose = jax.jit(jax.vmap(choose))
        for index, learner in enumerate(learners):
            learner.held = Seat(self, index)

    def compile_beside(self, rows: Mapping[str, Any]) -> Future[Compiled]:
        """As that of a learner; `rows`: shapes of one seed's batch."""
        seeds = len(self._learners)
        shapes = {k: jax.ShapeDtypeStruct((seeds, *v.shape), v.dtype) for k, v in rows.items()}

        def take(program: Any) -> None:
            self._step = program

        on = jax.ShapeDtypeStruct((seeds,), bool)
        numbers = self._learners[0].numbers
        arguments = (self.train_state, shapes, self._roots, numbers, on)
        names, future = compiled_beside(self._step, arguments, take)
        for learner in self._learners:
            learner.names = names
        return future

    def update(self, batches: Mapping[int, Batch]) -> dict[int, tuple[Any, Result] | None]:
        """Start an update of the seeds whose batches are given, by their place in the stack; what
        `Learner.update` returns for each of them."""
        on = np.array([index in batches for index in range(len(self._learners))])
        self.train_state, acting, result = self._step(
            self.train_state,
            together({index: rows for index, (rows, _) in batches.items()}, len(on)),
            self._roots,
            self._learners[0].numbers,
            on,
        )
        if on.all():
            self.acting, self.newest = self.newest, acting
        else:
            self.acting = self._choose(on, self.newest, self.acting)
            self.newest = self._choose(on, acting, self.newest)
        return {
            index: self._learners[index].started(ticket, _row_of(result, index))
            for index, (_, ticket) in batches.items()
        }


def together(parts: Mapping[int, Any], count: int) -> Any:
    """Trees of host arrays as one with leaves (S, …); zeros for the seeds that are left out."""
    blank = jax.tree.map(lambda leaf: np.zeros_like(np.asarray(leaf)), next(iter(parts.values())))
    trees = [parts.get(index, blank) for index in range(count)]
    return jax.tree.map(lambda *leaves: np.stack(list(map(np.asarray, leaves))), *trees)


def _row_of(result: Result, index: int) -> Result:
    return Result(RowOf(result.metrics, index), rows_of(result.written, index))


class Stacked(Protocol):
    """The arrays of S learners, each (S, …): `Stack`, and `Calls` of their loops on the device."""

    train_state: TrainState
    acting: Acting
    newest: Acting


class Seat:
    """The arrays of one learner of several (see `learner.Own`): copies that reading makes."""

    def __init__(self, stack: Stacked, index: int):
        self._stack, self._index = stack, index

    @property
    def train_state(self) -> TrainState:
        return row(self._stack.train_state, self._index)

    @train_state.setter
    def train_state(self, state: TrainState) -> None:
        self._stack.train_state = with_row(self._stack.train_state, self._index, state)

    @property
    def acting(self) -> Acting:
        return row(self._stack.acting, self._index)

    @acting.setter
    def acting(self, acting: Acting) -> None:
        self._stack.acting = with_row(self._stack.acting, self._index, acting)

    @property
    def newest(self) -> Acting:
        return row(self._stack.newest, self._index)

    @newest.setter
    def newest(self, newest: Acting) -> None:
        self._stack.newest = with_row(self._stack.newest, self._index, newest)
