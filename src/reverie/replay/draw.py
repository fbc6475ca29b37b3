"""The draw: which windows are trained on. Randomness is a counter, never a hidden state."""

from abc import ABC, abstractmethod
from typing import Literal, assert_never

import numpy as np

from reverie.replay.errors import ReplayError
from reverie.replay.keep import AbstractKeep, Change, Ticket

TRAIN = 0
PEEK = 1


def generator(seed: int, counter: int, purpose: int) -> np.random.Generator:
    """The generator of draw number `counter`: a pure function of its arguments.

    Streams of different seeds, counters (each 2⁶⁴ blocks long) and purposes (`TRAIN`, `PEEK`) do
    not overlap. Raises ReplayError unless seed and counter lie in [0, 2⁶⁴).
    """
    for name, value in (("seed", seed), ("counter", counter)):
        if not 0 <= value < 2**64:
            raise ReplayError(f"the {name} of a draw must lie in [0, 2**64), got {value}.")
    key = np.array([seed, 0], np.uint64)
    return np.random.Generator(
        np.random.Philox(key=key, counter=np.array([0, counter, purpose, 0], np.uint64))
    )


class AbstractDraw(ABC):
    """A distribution over the windows that retention offers. One final class a strategy."""

    @abstractmethod
    def draw(
        self, num: int, *, keep: AbstractKeep, length: int, rng: np.random.Generator
    ) -> Ticket:
        """`num` windows of `length` rows, drawn with replacement. Changes nothing: whatever the
        weights depend on arrives by other doors. There is at least one window to draw from."""

    @abstractmethod
    def follow(self, change: Change) -> None:
        """Take notice of windows that came and went, after every row."""


class Uniform(AbstractDraw):
    """Every valid window is equally likely, independently of the others [dreamerv3.md §4.5]."""

    def draw(
        self, num: int, *, keep: AbstractKeep, length: int, rng: np.random.Generator
    ) -> Ticket:
        ordinal = rng.integers(keep.num_windows(length), size=num)
        return keep.locate(ordinal, length)

    def follow(self, change: Change) -> None:
        """Nothing to learn: `keep` numbers the windows."""


def make_draw(kind: Literal["uniform"]) -> AbstractDraw:
    """The draw that the configuration names (`ReplayConfig.draw`)."""
    match kind:
        case "uniform":
            return Uniform()
        case _:
            assert_never(kind)
