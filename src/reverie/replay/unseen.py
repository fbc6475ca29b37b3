"""Windows with rows that no update has seen: the online queue, and a share of every batch."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from reverie.replay.keep import NOTHING, AbstractKeep, Change, Ring, Ticket, spread
from reverie.replay.scores import last_events

WAITING = "score/waiting"
"""Column that a replay with a fresh share stores beside those of a row."""

BLOCK = 1024


class AbstractQueue(ABC):
    """Windows in line. Of every row at most one window is ever delivered."""

    skipped: int
    """Windows that were evicted before their turn."""

    @abstractmethod
    def follow(self, change: Change, keep: AbstractKeep) -> None:
        """Take notice of windows that can be drawn from now on."""

    @abstractmethod
    def waiting(self, keep: AbstractKeep) -> int:
        """Windows that are ready and still alive."""

    @abstractmethod
    def take(self, num: int, keep: AbstractKeep) -> Ticket:
        """The next windows in line, at most `num`; they leave the queue."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Everything that `load` needs beside `tables`, as JSON values."""

    @abstractmethod
    def tables(self) -> dict[str, np.ndarray]:
        """Everything that `load` needs beside `state`, as arrays."""

    @abstractmethod
    def load(self, state: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        """Continue from a state."""


class OnlineQueue(AbstractQueue):
    """Windows that tile every stream: rows 0 … L−1, then L … 2L−1, and so on.

    Window number q is tile q // E of stream q mod E, so the whole queue is one counter. A tile
    joins once its L rows exist; tiles that lost rows to eviction are skipped and counted.

    Source: spec/dreamerv3.md §4.2, replay-sampling.md §1.1.
    Deviation: the official tiles start at row 1 of a stream, which leaves its row 0 out; ours
    start at row 0, so that every row is delivered exactly once.
    """

    def __init__(self, *, streams: int, length: int):
        self._streams = streams
        self._length = length
        self._next = 0
        self.skipped = 0

    def follow(self, change: Change, keep: AbstractKeep) -> None:
        """Nothing to learn: the tiles follow from the number of rows."""

    def waiting(self, keep: AbstractKeep) -> int:
        assert isinstance(keep, Ring)
        return max(0, self._end(keep) - max(self._next, self._begin(keep)))

    def take(self, num: int, keep: AbstractKeep) -> Ticket:
        assert isinstance(keep, Ring)
        begin = max(self._next, self._begin(keep))
        end = max(begin, min(begin + num, self._end(keep)))
        self.skipped += begin - self._next
        self._next = end
        queued = np.arange(begin, end)
        return Ticket(queued % self._streams, queued // self._streams * self._length)

    def state(self) -> dict[str, Any]:
        return {"next": self._next, "skipped": self.skipped}

    def tables(self) -> dict[str, np.ndarray]:
        return {}

    def load(self, state: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        self._next, self.skipped = int(state["next"]), int(state["skipped"])

    def _begin(self, keep: Ring) -> int:
        """The first tile whose rows may all live."""
        return -(-keep.oldest // self._length) * self._streams

    def _end(self, keep: Ring) -> int:
        """The first tile that is not complete."""
        return keep.inserted // self._length * self._streams


class UnitQueue(AbstractQueue):
    """Windows that tile every unit: its rows 0 … L−1, then L … 2L−1, and so on.

    A window joins when it can be drawn and shares no row with one that joined before. Rows beyond
    the last whole tile of a unit are left to the draw.
    """

    def __init__(self, *, streams: int, length: int):
        self._length = length
        self._next = np.zeros(streams, np.int64)  # the first row of each stream that is not tiled
        self._line = Ticket(NOTHING, NOTHING)
        self.skipped = 0

    def follow(self, change: Change, keep: AbstractKeep) -> None:
        if len(change.opened):
            stream, row = keep.address(change.opened)
            new = row >= self._next[stream]
            if new.any():
                self._join(stream[new], row[new])

    def waiting(self, keep: AbstractKeep) -> int:
        self._skip(keep)
        return len(self._line.row)

    def take(self, num: int, keep: AbstractKeep) -> Ticket:
        self._skip(keep)
        taken = Ticket(*(part[:num] for part in self._line))
        self._line = Ticket(*(part[num:] for part in self._line))
        return taken

    def state(self) -> dict[str, Any]:
        return {"skipped": self.skipped}

    def tables(self) -> dict[str, np.ndarray]:
        return {"next": self._next, "stream": self._line.stream, "row": self._line.row}

    def load(self, state: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        self.skipped = int(state["skipped"])
        self._next = tables["next"].copy()
        self._line = Ticket(tables["stream"], tables["row"])

    def _join(self, stream: Int[np.ndarray, " N"], row: Int[np.ndarray, " N"]) -> None:
        joined = []
        for one in np.unique(stream).tolist():
            for start in np.sort(row[stream == one]).tolist():
                if start >= self._next[one]:
                    joined.append((one, start))
                    self._next[one] = start + self._length
        new = np.array(joined, np.int64).reshape(-1, 2).T
        self._line = Ticket(*(np.concatenate(pair) for pair in zip(self._line, new, strict=True)))

    def _skip(self, keep: AbstractKeep) -> None:
        """Forget windows that are gone."""
        alive = keep.drawable(*self._line)
        self.skipped += int(alive.size - alive.sum())
        self._line = Ticket(*(part[alive] for part in self._line))


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
