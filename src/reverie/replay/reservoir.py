"""Retention by lot: every unit ever offered is equally likely to be stored."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from reverie.replay.keys import Keys
from reverie.replay.retention import AbstractRule, Dice, Unit


class Reservoir(AbstractRule):
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

    def rescore(self, serial: int, score: float) -> None:
        """The lot alone decides."""

    def state(self) -> dict[str, Any]:
        return {"dice": self._dice.count, "threshold": self._threshold}

    def tables(self) -> dict[str, np.ndarray]:
        return self._keys.tables()

    def load(self, state: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        self._dice.count, self._threshold = int(state["dice"]), float(state["threshold"])
        self._keys.load(tables)
