"""Retention: which unit goes when memory is full. Bookkeeping of numbers, no rows.

A unit has a serial number, in the order in which units began. A rule hears of every unit that is
complete (`offer`) and names the next one to go (`victim`); the store of units calls it. Another
rule is a frozen record below `AbstractRetention` with the options, and the final class below
`AbstractRule` that it builds; `Fifo` is the simplest one.
"""

import heapq
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from jaxtyping import Shaped

from reverie.part.needs import UNITS, Need
from reverie.part.part import Part
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
    """The state of a rule: which units are stored, and who goes next."""

    @abstractmethod
    def offer(self, unit: Unit, *, load: int, capacity: int) -> list[int]:
        """Take in a unit; the serials that go at once, whether or not memory is full.

        `load` is the memory of all stored units and of this one, in the unit of `capacity`.
        """

    @abstractmethod
    def victim(self) -> int:
        """The serial that goes next, called while `load` exceeds the capacity and some unit is
        stored; it may be the unit that was offered last."""

    def rescore(self, serial: int, score: float) -> None:
        """The mean score of a stored unit's rows changed, which most rules do not care about."""
        return

    def state(self) -> dict[str, Any]:
        """Everything that `load` needs beside `tables`, as JSON values."""
        return {}

    @abstractmethod
    def tables(self) -> dict[str, np.ndarray]:
        """Everything that `load` needs beside `state`, as arrays."""

    @abstractmethod
    def load(self, state: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        """Continue from a state."""


class Keys:
    """Units by a number of theirs; the smallest goes first, of equal ones the oldest."""

    def __init__(self):
        self._key: dict[int, float] = {}
        self._heap: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self._key)

    def __contains__(self, serial: int) -> bool:
        return serial in self._key

    def set(self, serial: int, key: float) -> None:
        """Give a unit its number, or another one."""
        self._key[serial] = key
        heapq.heappush(self._heap, (key, serial))
        if len(self._heap) > 2 * len(self._key) + 64:
            self._heap = [(key, serial) for serial, key in self._key.items()]
            heapq.heapify(self._heap)

    def pop(self) -> tuple[float, int]:
        """Number and serial of the next one to go; it is forgotten."""
        while True:
            key, serial = heapq.heappop(self._heap)
            if self._key.get(serial) == key:
                del self._key[serial]
                return key, serial

    def tables(self) -> dict[str, np.ndarray]:
        """Everything that `load` needs."""
        return {
            "serial": np.array(list(self._key), np.int64),
            "key": np.array(list(self._key.values()), np.float64),
        }

    def load(self, tables: Mapping[str, np.ndarray]) -> None:
        """Continue from tables."""
        pairs = zip(tables["serial"].tolist(), tables["key"].tolist(), strict=True)
        self._key = dict(pairs)
        self._heap = [(key, serial) for serial, key in self._key.items()]
        heapq.heapify(self._heap)


class FifoRule(AbstractRule):
    """First in, first out: the unit that was offered first goes first."""

    def __init__(self):
        self._stored: dict[int, None] = {}

    def offer(self, unit: Unit, *, load: int, capacity: int) -> list[int]:
        self._stored[unit.serial] = None
        return []

    def victim(self) -> int:
        serial = next(iter(self._stored))
        del self._stored[serial]
        return serial

    def tables(self) -> dict[str, np.ndarray]:
        return {"serial": np.array(list(self._stored), np.int64)}

    def load(self, state: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        self._stored = dict.fromkeys(tables["serial"].tolist())


class AbstractRetention(Part, ABC):
    """What stays when memory is full."""

    SLOT = "replay.keep"
    MEMBERS: ClassVar[Mapping[str, str]] = {
        "fifo": "reverie.replay.retention:Fifo",
        "reservoir": "reverie.replay.reservoir:Reservoir",
        "random_replace": "reverie.replay.reservoir:RandomReplace",
        "coverage": "reverie.replay.coverage:Coverage",
        "top_return": "reverie.replay.top:TopReturn",
        "top_surprise": "reverie.replay.top:TopSurprise",
        "split": "reverie.replay.split:Split",
    }

    @abstractmethod
    def rule(self, seed: int) -> AbstractRule:
        """The rule, with nothing stored yet."""

    def stores(self) -> "tuple[tuple[AbstractRetention, float], ...]":
        """The stores that memory is split into, each with its share; most rules fill it alone."""
        return ((self, 1.0),)

    def needs(self) -> frozenset[Need]:
        """Windows that share rows are not units: removing one of them would free no memory."""
        return frozenset({UNITS})


@dataclass(frozen=True)
class Fifo(AbstractRetention):
    """The newest stay."""

    def rule(self, seed: int) -> AbstractRule:
        return FifoRule()

    def needs(self) -> frozenset[Need]:
        return frozenset()
