"""The online queue: windows that no update has seen, each delivered once, oldest first."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Int

from reverie.replay.keep import NOTHING, AbstractKeep, Change, Fifo, Ticket


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
        assert isinstance(keep, Fifo)
        return max(0, self._end(keep) - max(self._next, self._begin(keep)))

    def take(self, num: int, keep: AbstractKeep) -> Ticket:
        assert isinstance(keep, Fifo)
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

    def _begin(self, keep: Fifo) -> int:
        """The first tile whose rows may all live."""
        return -(-keep.oldest // self._length) * self._streams

    def _end(self, keep: Fifo) -> int:
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
