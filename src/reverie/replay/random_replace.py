"""Retention by chance at every arrival: old units fade exponentially."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from reverie.replay.retention import AbstractRule, Dice, Unit


class RandomReplace(AbstractRule):
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

    def rescore(self, serial: int, score: float) -> None:
        """Chance alone decides."""

    def state(self) -> dict[str, Any]:
        return {"dice": self._dice.count, "accepted": self._accepted}

    def tables(self) -> dict[str, np.ndarray]:
        return {"serial": np.array(self._stored, np.int64)}

    def load(self, state: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        self._dice.count, self._accepted = int(state["dice"]), int(state["accepted"])
        self._stored = tables["serial"].tolist()
