"""Retention by age: the units that came last stay."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from reverie.replay.retention import AbstractRule, Unit


class Oldest(AbstractRule):
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

    def rescore(self, serial: int, score: float) -> None:
        """Age alone decides."""

    def state(self) -> dict[str, Any]:
        return {}

    def tables(self) -> dict[str, np.ndarray]:
        return {"serial": np.array(list(self._stored), np.int64)}

    def load(self, state: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        self._stored = dict.fromkeys(tables["serial"].tolist())
