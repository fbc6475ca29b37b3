"""The online queue: windows that no update has seen, each delivered once, oldest first."""

from typing import Any

import numpy as np

from reverie.replay.keep import Fifo, Ticket


class OnlineQueue:
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
        """Tiles that were evicted before their turn."""

    def waiting(self, keep: Fifo) -> int:
        """Tiles that are ready and still alive."""
        return max(0, self._end(keep) - max(self._next, self._begin(keep)))

    def take(self, num: int, keep: Fifo) -> Ticket:
        """The next windows in line, at most `num`; they leave the queue."""
        begin = max(self._next, self._begin(keep))
        end = max(begin, min(begin + num, self._end(keep)))
        self.skipped += begin - self._next
        self._next = end
        queued = np.arange(begin, end)
        return Ticket(queued % self._streams, queued // self._streams * self._length)

    def state(self) -> dict[str, Any]:
        """Everything that `load` needs, as JSON values."""
        return {"next": self._next, "skipped": self.skipped}

    def load(self, state: dict[str, Any]) -> None:
        """Continue from a state."""
        self._next, self.skipped = int(state["next"]), int(state["skipped"])

    def _begin(self, keep: Fifo) -> int:
        """The first tile whose rows may all live."""
        return -(-keep.oldest // self._length) * self._streams

    def _end(self, keep: Fifo) -> int:
        """The first tile that is not complete."""
        return keep.inserted // self._length * self._streams
