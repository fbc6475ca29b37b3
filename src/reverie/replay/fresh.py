"""Windows with rows that no update has seen: an explicit, capped share of every batch."""

import numpy as np
from jaxtyping import Bool, Int

from reverie.replay.keep import AbstractKeep, Change, Ticket, spread
from reverie.replay.scores import last_events

WAITING = "score/waiting"
COLUMN = {WAITING: ((), "bool")}
"""Column that a replay with a fresh share stores beside those of a row."""

BLOCK = 1024


class Fresh:
    """Which windows hold a row that was never drawn; they are drawn uniformly, each row once.

    A window is fresh while any of its rows waits. A drawn window's rows wait no longer, whichever
    way it was drawn, and so its neighbours are fresh only for their other rows.

    Source: replay-sampling.md §3.1. The published `inf` priorities do the same without a cap, and
    prefer some fresh windows to others by their place in the tree (its D5).
    """

    def __init__(self, waiting: Bool[np.ndarray, " P"], *, length: int):
        """`waiting`: flags of rows by place; the caller's array, written in place."""
        self.waiting, self.length = waiting, length
        self._fresh = np.zeros((-(-len(waiting) // BLOCK), BLOCK), bool)
        self._flat = self._fresh.reshape(-1)
        self._counts = np.zeros(len(self._fresh), np.int64)
        self._changes: list[Change] = []

    @property
    def nbytes(self) -> int:
        """Bytes of bookkeeping."""
        return self.waiting.nbytes + self._fresh.nbytes + self._counts.nbytes

    def follow(self, change: Change) -> None:
        """Take notice of rows and windows that came and went; the work waits (`settle`)."""
        self._changes.append(change)

    def settle(self) -> None:
        """Bring the flags up to date with what `follow` was told."""
        if not self._changes:
            return
        self.waiting[np.concatenate([change.admitted for change in self._changes])] = True
        place, opened = last_events(self._changes)
        self._mark(place, opened)  # a window that has just opened ends with a new row
        self._changes = []

    def draw(self, num: int, keep: AbstractKeep, rng: np.random.Generator) -> Ticket:
        """At most `num` fresh windows, one after the other; their rows wait no longer."""
        self.settle()
        found = []
        while len(found) < num and (total := int(self._counts.sum())):
            rank = int(rng.integers(total))
            ends = np.cumsum(self._counts)
            block = int(np.searchsorted(ends, rank, side="right"))
            rank -= int(ends[block] - self._counts[block])
            place = block * BLOCK + int(np.flatnonzero(self._fresh[block])[rank])
            found.append(place)
            self.take(keep.address(np.array([place])), keep)
        return keep.address(np.array(found, np.int64))

    def take(self, ticket: Ticket, keep: AbstractKeep) -> None:
        """The rows of these windows wait no longer."""
        self.settle()
        if not len(ticket.row):
            return
        stream, row = spread(ticket, self.length)
        self.waiting[keep.find(stream, row)] = False
        row = row[:, :1] + np.arange(1 - self.length, 2 * self.length - 1)
        stream = np.broadcast_to(stream[:, :1], row.shape)
        place = keep.find(stream, row)
        waits = (place >= 0) & self.waiting[place]
        running = np.pad(np.cumsum(waits, axis=1), ((0, 0), (1, 0)))
        num = row.shape[1] - self.length + 1
        fresh = (running[:, self.length :] - running[:, :num]) > 0
        can = keep.drawable(stream[:, :num], row[:, :num])
        self._mark(place[:, :num][can], fresh[can])

    def rebuild(self, keep: AbstractKeep) -> None:
        """All flags of windows from those of the rows, which were loaded."""
        self._changes = []
        self._fresh[:] = False
        num = keep.num_windows(self.length)
        for begin in range(0, num, BLOCK):
            windows = keep.locate(np.arange(begin, min(begin + BLOCK, num)), self.length)
            place = keep.find(*spread(windows, self.length))
            self._flat[place[:, 0]] = self.waiting[place].any(1)
        self._counts[:] = self._fresh.sum(1)

    def _mark(self, place: Int[np.ndarray, " N"], fresh: Bool[np.ndarray, " N"]) -> None:
        self._flat[place] = fresh
        blocks = np.unique(place // BLOCK)
        self._counts[blocks] = self._fresh[blocks].sum(1)
