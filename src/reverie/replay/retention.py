"""The rule of retention: which unit goes when memory is full. Bookkeeping of numbers, no rows.

A unit has a serial number, in the order in which units began. A rule hears of every unit that is
complete (`offer`) and names the next one to go (`victim`); the store of units calls it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Shaped

from reverie.replay.draw import generator

KEEP = 2
"""Purpose of the generators of retention (`draw.generator`)."""


class Dice:
    """Randomness of a rule: generator number n is a function of (seed, n) alone."""

    def __init__(self, seed: int):
        self._seed = seed
        self.count = 0
        """Generators handed out so far."""

    def roll(self) -> np.random.Generator:
        """The next generator."""
        self.count += 1
        return generator(self._seed, self.count - 1, KEEP)


class Unit(NamedTuple):
    """A unit that is complete."""

    serial: int
    rows: int
    ret: float
    """Sum of its rewards."""
    read: Callable[[int], dict[str, Shaped[np.ndarray, "..."]]]
    """`read(n)`: the observations of at most n of its rows, evenly spread from the first on."""


class AbstractRule(ABC):
    """Which units stay. Another rule is another final class in its own file."""

    @abstractmethod
    def offer(self, unit: Unit, *, load: int, capacity: int) -> list[int]:
        """Take in a unit; the serials that go at once, whether or not memory is full.

        `load` is the memory of all stored units and of this one, in the unit of `capacity`.
        """

    @abstractmethod
    def victim(self) -> int:
        """The serial that goes next, called while `load` exceeds the capacity and some unit is
        stored; it may be the unit that was offered last."""

    @abstractmethod
    def rescore(self, serial: int, score: float) -> None:
        """The mean score of a stored unit's rows changed."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Everything that `load` needs beside `tables`, as JSON values."""

    @abstractmethod
    def tables(self) -> dict[str, np.ndarray]:
        """Everything that `load` needs beside `state`, as arrays."""

    @abstractmethod
    def load(self, state: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        """Continue from a state."""
