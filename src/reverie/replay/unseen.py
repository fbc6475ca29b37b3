"""Windows with rows that no update has seen: the online queue, and a share of every batch."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from reverie.replay.keep import AbstractKeep, Change, Ring, Ticket, spread
from reverie.replay.signal import slide
from reverie.replay.unit_store import UnitStore

WAITING = "score/waiting"
"""Column that a replay with a fresh share stores beside those of a row."""

BLOCK = 1024


class AbstractQueue(ABC):
    """Windows in line. Of every row at most one window is ever delivered."""

    skipped: int
    """Windows that were evicted before their turn."""

    def follow(self) -> None:
        """Take notice of windows that can be drawn since the last `admit`."""
        return

    @abstractmethod
    def waiting(self) -> int:
        """Windows that are ready and still alive."""

    @abstractmethod
    def take(self, num: int) -> Ticket:
        """The next windows in line, at most `num`; they leave the queue."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Everything that `load` needs beside `tables`, as JSON values."""

    def tables(self) -> dict[str, np.ndarray]:
        """Everything that `load` needs beside `state`, as arrays."""
        return {}

    @abstractmethod
    def load(self, state: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        """Continue from a state."""


class OnlineQueue(AbstractQueue):
    """Windows that tile every stream of a ring: rows 0 … L−1, then L … 2L−1, and so on.

    Window number q is tile q // E of stream q mod E, so the whole queue is one counter. A tile
    joins once its L rows exist; tiles that lost rows to eviction are skipped and counted.

    Source: spec/dreamerv3.md §4.2, replay-sampling.md §1.1.
    Deviation: the official tiles start at row 1 of a stream, which leaves its row 0 out; ours
    start at row 0, so that every row is delivered exactly once.
    """

    def __init__(self, keep: Ring, *, streams: int, length: int):
        self._keep, self._streams, self._length = keep, streams, length
        self._next = self.skipped = 0

    def waiting(self) -> int:
        begin, end = self._range()
        return max(0, end - begin)

    def take(self, num: int) -> Ticket:
        begin, end = self._range()
        self.skipped += begin - self._next
        self._next = max(begin, min(begin + num, end))
        queued = np.arange(begin, self._next)
        return Ticket(queued % self._streams, queued // self._streams * self._length)

    def state(self) -> dict[str, Any]:
        return {"next": self._next, "skipped": self.skipped}

    def load(self, state: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        self._next, self.skipped = int(state["next"]), int(state["skipped"])

    def _range(self) -> tuple[int, int]:
        """The next tile whose rows may all live, and the first one that is not complete."""
        alive = -(-self._keep.oldest // self._length) * self._streams
        return max(self._next, alive), self._keep.inserted // self._length * self._streams


class UnitQueue(AbstractQueue):
    """Windows that tile every unit: its rows 0 … L−1, then L … 2L−1, and so on.

    A window joins when it can be drawn and shares no row with one that joined before. Rows beyond
    the last whole tile of a unit are left to the draw.
    """

    def __init__(self, keep: UnitStore, *, streams: int, length: int):
        self._keep, self._length = keep, length
        self._next = np.zeros(streams, np.int64)  # the first row of each stream that is not tiled
        self._line: deque[tuple[int, int]] = deque()
        self.skipped = 0

    def follow(self) -> None:
        for stream, begin, end in sorted(self._keep.opened):
            tiles = range(max(begin, int(self._next[stream])), end, self._length)
            if tiles:
                self._line.extend((stream, row) for row in tiles)
                self._next[stream] = tiles[-1] + self._length

    def waiting(self) -> int:
        line = self._tickets()
        alive = self._keep.drawable(*line)
        self.skipped += int(alive.size - alive.sum())
        self._line = deque(zip(*(part[alive].tolist() for part in line), strict=True))
        return len(self._line)

    def take(self, num: int) -> Ticket:
        num = min(num, self.waiting())
        taken = [self._line.popleft() for _ in range(num)]
        return Ticket(*np.array(taken, np.int64).reshape(-1, 2).T)

    def state(self) -> dict[str, Any]:
        return {"skipped": self.skipped}

    def tables(self) -> dict[str, np.ndarray]:
        return {"next": self._next, **self._tickets()._asdict()}

    def load(self, state: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        self.skipped = int(state["skipped"])
        self._next = tables["next"].copy()
        self._line = deque(zip(tables["stream"].tolist(), tables["row"].tolist(), strict=True))

    def _tickets(self) -> Ticket:
        return Ticket(*np.array(self._line, np.int64).reshape(-1, 2).T)


class Fresh:
    """Which windows hold a row that was never drawn; they are drawn uniformly, each row once.

    A window is fresh while any of its rows waits. A drawn window's rows wait no longer, whichever
    way it was drawn, and so its neighbours are fresh only for their other rows.

    Source: replay-sampling.md §3.1. The published `inf` priorities do the same without a cap, and
    prefer some fresh windows to others by their place in the tree (its D5).
    """

    def __init__(self, waiting: Bool[np.ndarray, " P"], keep: AbstractKeep, *, length: int):
        """`waiting`: flags of rows by place; the caller's array, written in place."""
        self.waiting, self.length, self._keep = waiting, length, keep
        self._fresh = np.zeros((-(-len(waiting) // BLOCK), BLOCK), bool)
        self._counts = np.zeros(len(self._fresh), np.int64)

    @property
    def nbytes(self) -> int:
        """Bytes of bookkeeping."""
        return self.waiting.nbytes + self._fresh.nbytes + self._counts.nbytes

    def follow(self, change: Change) -> None:
        """Rows and windows came and went."""
        self.waiting[change.admitted] = True
        self._mark(change.closed, False)
        self._mark(change.opened, True)  # a window that has just opened ends with a new row

    def draw(self, num: int, rng: np.random.Generator) -> Ticket:
        """At most `num` fresh windows, one after the other; their rows wait no longer."""
        found: list[int] = []
        while len(found) < num and (total := int(self._counts.sum())):
            rank = int(rng.integers(total))
            ends = np.cumsum(self._counts)
            block = int(np.searchsorted(ends, rank, side="right"))
            rank -= int(ends[block] - self._counts[block])
            found.append(block * BLOCK + int(np.flatnonzero(self._fresh[block])[rank]))
            self.take(self._keep.address(np.array(found[-1:])))
        return self._keep.address(np.array(found, np.int64))

    def take(self, ticket: Ticket) -> None:
        """The rows of these windows wait no longer."""
        if not len(ticket.row):
            return
        stream, row = spread(ticket, self.length)
        self.waiting[self._keep.find(stream, row)] = False
        row = row[:, :1] + np.arange(1 - self.length, 2 * self.length - 1)
        stream = np.broadcast_to(stream[:, :1], row.shape)
        place = self._keep.find(stream, row)
        waits = (place >= 0) & self.waiting[place]
        fresh = slide(waits, self.length, np.logical_or)
        num = fresh.shape[1]
        can = self._keep.drawable(stream[:, :num], row[:, :num])
        self._mark(place[:, :num][can], fresh[can])

    def load(self) -> None:
        """All flags of windows from those of the rows, which were loaded."""
        self._fresh[:] = False
        num = self._keep.num_windows(self.length)
        for begin in range(0, num, BLOCK):
            ordinal = np.arange(begin, min(begin + BLOCK, num))
            place = self._keep.find(*spread(self._keep.locate(ordinal, self.length), self.length))
            self._fresh.flat[place[:, 0]] = self.waiting[place].any(1)
        self._counts[:] = self._fresh.sum(1)

    def _mark(self, place: Int[np.ndarray, " N"], fresh: Bool[np.ndarray, " N"] | bool) -> None:
        self._fresh.reshape(-1)[place] = fresh
        blocks = np.unique(place // BLOCK)
        self._counts[blocks] = self._fresh[blocks].sum(1)
