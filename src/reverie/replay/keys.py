"""Units by a number of theirs, the smallest at hand."""

import heapq
from collections.abc import Mapping

import numpy as np


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
