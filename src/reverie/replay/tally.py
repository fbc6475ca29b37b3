"""Whole numbers in a row, found by their running sum."""

import numpy as np
from jaxtyping import Int

BLOCK = 256
"""Entries whose sum is kept; near the root of the usual number of entries."""


class Tally:
    """Counts by index, with exact sums of blocks: setting costs O(1), locating O(√n)."""

    def __init__(self, size: int):
        self.counts = np.zeros(-(-size // BLOCK) * BLOCK, np.int64)
        self._sums = np.zeros(len(self.counts) // BLOCK, np.int64)
        self.total = 0
        """The sum of all counts."""

    def set(self, index: int, count: int) -> None:
        """Replace the count of one index."""
        change = count - int(self.counts[index])
        self.total += change
        self._sums[index // BLOCK] += change
        self.counts[index] = count

    def increase(self, index: Int[np.ndarray, " N"], by: int) -> None:
        """Add `by` at each of these indices, all different."""
        self.total += by * len(index)
        self.counts[index] += by
        np.add.at(self._sums, index // BLOCK, by)

    def fill(self, counts: Int[np.ndarray, " N"]) -> None:
        """Replace all counts; indices behind the last one count 0. Grows where it must."""
        if len(counts) > len(self.counts):
            self.__init__(len(counts))
        self.counts[: len(counts)] = counts
        self.counts[len(counts) :] = 0
        self._sums[:] = self.counts.reshape(-1, BLOCK).sum(1)
        self.total = int(self._sums.sum())

    def before(self, index: Int[np.ndarray, " B"]) -> Int[np.ndarray, " B"]:
        """The sum of all counts before each of these indices."""
        block, inside = np.divmod(index, BLOCK)
        running = np.cumsum(self.counts.reshape(-1, BLOCK)[block], axis=1)
        earlier = np.cumsum(self._sums) - self._sums
        own = np.take_along_axis(running, inside[:, None], 1)[:, 0]
        return earlier[block] + own - self.counts[index]

    def locate(
        self, ordinal: Int[np.ndarray, " B"]
    ) -> tuple[Int[np.ndarray, " B"], Int[np.ndarray, " B"]]:
        """Where the running sum passes each of these numbers (0 … total − 1): index and rest.

        The rest counts from 0 within the index; indices with count 0 are never found.
        """
        ends = np.cumsum(self._sums)
        block = np.searchsorted(ends, ordinal, side="right")
        rest = ordinal - (ends[block] - self._sums[block])
        inside = self.counts.reshape(-1, BLOCK)[block]
        running = np.cumsum(inside, axis=1)
        position = (running <= rest[:, None]).sum(1)
        each = np.arange(len(position))
        return block * BLOCK + position, rest - (running - inside)[each, position]
