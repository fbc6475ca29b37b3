"""A curve that grows, and what of it a page does not know yet."""

from collections import deque

import numpy as np

from reverie.report.buckets import Buckets, extended

REMEMBERED = 64
"""Changes of a curve that are kept apart; a page that knows none of them gets the whole curve."""


class Tracked:
    """One metric of one run. Versions are counted up by who adds points."""

    def __init__(self, most: int):
        self.curve = Buckets(most)
        self._changes: deque[tuple[int, int]] = deque(maxlen=REMEMBERED)

    def add(self, version: int, step: np.ndarray, value: np.ndarray) -> None:
        """Take new points, (N,) each, at the end."""
        old = self.curve
        self.curve = extended(old, step, value)
        whole = old.count // old.width  # stretches that can take no further point
        self._changes.append((version, whole if self.curve.width == old.width else 0))

    def unknown(self, version: int) -> int | None:
        """The first stretch that changed after `version`; None where none did."""
        later = [first for changed, first in self._changes if changed > version]
        if not later:
            return None
        forgotten = len(later) == REMEMBERED
        return 0 if forgotten else min(later)

    def low(self) -> float:
        """Least value so far."""
        return float(self.curve.low.min())

    def high(self) -> float:
        """Largest value so far."""
        return float(self.curve.high.max())
