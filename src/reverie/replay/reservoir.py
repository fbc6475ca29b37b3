"""Reservoir sampling, and what was published under its name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reverie.replay.retention import AbstractRetention, AbstractRule, Dice, Keys, Unit


@dataclass(frozen=True)
class Reservoir(AbstractRetention):
    """Every unit of the run stays with equal probability."""

    def rule(self, seed: int) -> AbstractRule:
        return ReservoirRule(seed)


@dataclass(frozen=True)
class RandomReplace(AbstractRetention):
    """The newcomer stays, in place of a random unit: old units fade exponentially (published as a
    reservoir by Continual-Dreamer)."""

    def rule(self, seed: int) -> AbstractRule:
        return RandomReplaceRule(seed)


class ReservoirRule(AbstractRule):
    """A uniform sample of all units so far: each draws a random key, the largest keys stay.

    With units of one size and room for n of them, every unit among N has been kept with
    probability n/N, every pair with n(n−1)/(N(N−1)): the law of Algorithm R. A unit whose key
    lies under one that had to go before is refused even where there is room, so that the law also
    holds after memory was short for a while; the price is that room may stay empty.

    Units of different sizes: what is stored are the units with keys above one threshold, so that
    inclusion does not depend on age. It depends weakly on size: a unit makes room for itself,
    therefore one of s out of C rows is kept less often, by a factor of about 1 − s/C.

    Source: Vitter 1985 (Algorithm R); WMAR (arXiv:2401.16650), whose keys are normal instead of
    uniform, which is the same law; replay-sampling.md §4.2.
    """

    def __init__(self, seed: int):
        self._keys = Keys()
        self._dice = Dice(seed)
        self._threshold = 0.0

    def offer(self, unit: Unit, *, load: int, capacity: int) -> list[int]:
        key = float(self._dice.roll().random())
        if key < self._threshold:
            return [unit.serial]
        self._keys.set(unit.serial, key)
        return []

    def victim(self) -> int:
        self._threshold, serial = self._keys.pop()
        return serial

    def state(self) -> dict[str, Any]:
        return {"dice": self._dice.count, "threshold": self._threshold}

    def tables(self) -> dict[str, np.ndarray]:
        return self._keys.tables()

    def load(self, state: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        self._dice.count, self._threshold = int(state["dice"]), float(state["threshold"])
        self._keys.load(tables)


class RandomReplaceRule(AbstractRule):
    """What Continual-Dreamer publishes as a "reservoir", under the name of what it does.

    The newcomer is always stored. If memory is full then, a number is drawn below the number of
    units ever stored, and if it is the position of a stored unit, that one goes; while there is
    still too much, units at uniform positions go. Positions count in the order of arrival, the
    newcomer last. With n units of one size, the k-th newest is still there with probability about
    (1 − 1/n)^k: forgetting, where a reservoir keeps n/N of everything.

    Source: continual-dreamer.md §3.3; replay-sampling.md §5.1; golden/dreamerv2 continual.npz.
    """

    def __init__(self, seed: int):
        self._dice = Dice(seed)
        self._stored: list[int] = []
        self._accepted = 0

    def offer(self, unit: Unit, *, load: int, capacity: int) -> list[int]:
        self._stored.append(unit.serial)
        self._accepted += 1
        if load < capacity:
            return []
        position = int(self._dice.roll().integers(self._accepted))
        return [self._stored.pop(position)] if position < len(self._stored) else []

    def victim(self) -> int:
        return self._stored.pop(int(self._dice.roll().integers(len(self._stored))))

    def state(self) -> dict[str, Any]:
        return {"dice": self._dice.count, "accepted": self._accepted}

    def tables(self) -> dict[str, np.ndarray]:
        return {"serial": np.array(self._stored, np.int64)}

    def load(self, state: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        self._dice.count, self._accepted = int(state["dice"]), int(state["accepted"])
        self._stored = tables["serial"].tolist()
