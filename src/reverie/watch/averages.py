"""Scalars of one log interval, averaged by name."""

import math
from collections.abc import Collection, Mapping
from typing import Any

SKIPPED = "train/skipped"

LATEST = ("train/updates", "train/lr", "train/lr_actor", "train/lr_critic", "explore/places")
"""Metrics whose newest value is logged instead of their mean."""


class Mean:
    """Mean of every scalar since the last `clear`, by name.

    NaN is left out of the mean and counted: `result` reports the count as `train/skipped`
    whenever it is not zero, and a name that was nothing but NaN stays NaN. Infinities count.
    Sums are float64 and the order of addition is the order of `add`, so that an aggregator
    restored from `state` continues bit by bit.

    Args:
        latest: names whose newest value counts instead of the mean: counters and schedules.
    """

    def __init__(self, latest: Collection[str] = ()):
        self._latest = frozenset(latest)
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}
        self._skipped = 0

    def __len__(self) -> int:
        """Number of names seen since the last `clear`."""
        return len(self._sums)

    def add(self, scalars: Mapping[str, Any]) -> None:
        """Add one value a name: Python, numpy or (already fetched) jax scalars."""
        for name, value in scalars.items():
            if name in self._latest:
                self._sums[name], self._counts[name] = 0.0, 0
            number = float(value)
            missing = math.isnan(number)
            self._sums[name] = self._sums.get(name, 0.0) + (0.0 if missing else number)
            self._counts[name] = self._counts.get(name, 0) + (not missing)
            self._skipped += missing

    def result(self) -> dict[str, float]:
        """Means by name, in the order in which the names first appeared."""
        means = {
            name: total / self._counts[name] if self._counts[name] else math.nan
            for name, total in self._sums.items()
        }
        return means | ({SKIPPED: float(self._skipped)} if self._skipped else {})

    def clear(self) -> None:
        """Forget everything: a new interval begins."""
        self._sums, self._counts, self._skipped = {}, {}, 0

    def pop(self) -> dict[str, float]:
        """`result`, then `clear`."""
        means = self.result()
        self.clear()
        return means

    def state(self) -> dict[str, Any]:
        """What `load` needs; survives JSON without losing a bit."""
        return {
            "sums": dict(self._sums),
            "counts": dict(self._counts),
            "skipped": self._skipped,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up the interval that `state` describes."""
        self._sums = {name: float(total) for name, total in state["sums"].items()}
        self._counts = {name: int(count) for name, count in state["counts"].items()}
        self._skipped = int(state["skipped"])
