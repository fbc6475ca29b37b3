"""Retention: which rows live, in which slot, and which windows of them may be drawn.

A row is addressed by its stream and by the number of rows that came before it in this stream, an
address that is never reused. A window of L rows is addressed by its first row.
"""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from reverie.replay.errors import ReplayError


class Ticket(NamedTuple):
    """Where B windows begin. It outlives eviction: writing to dead rows is noticed and dropped."""

    stream: Int[np.ndarray, " B"]
    row: Int[np.ndarray, " B"]


class AbstractKeep(ABC):
    """What stays when memory is full. Another rule is another final class in its own file."""

    @property
    @abstractmethod
    def inserted(self) -> int:
        """Rows ever admitted per stream; the address of the next row."""

    @property
    @abstractmethod
    def oldest(self) -> int:
        """Every row before this address is dead, in every stream."""

    @property
    @abstractmethod
    def num_rows(self) -> int:
        """Live rows of all streams."""

    @abstractmethod
    def admit(self) -> Int[np.ndarray, " E"]:
        """The slot of the next row of every stream; its previous tenant is dead from now on."""

    @abstractmethod
    def live(
        self, stream: Int[np.ndarray, "*N"], row: Int[np.ndarray, "*N"]
    ) -> Bool[np.ndarray, "*N"]:
        """Which of these rows are stored."""

    @abstractmethod
    def slot(
        self, stream: Int[np.ndarray, "*N"], row: Int[np.ndarray, "*N"]
    ) -> Int[np.ndarray, "*N"]:
        """The slots of these live rows."""

    @abstractmethod
    def num_windows(self, length: int) -> int:
        """Number N of windows of `length` live consecutive rows of one stream."""

    @abstractmethod
    def locate(self, ordinal: Int[np.ndarray, " B"], length: int) -> Ticket:
        """The windows of these ordinals: 0 is the oldest, N − 1 the newest, by last row."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Everything that `load` needs, as JSON values."""

    @abstractmethod
    def load(self, state: dict[str, Any]) -> None:
        """Continue from a state. Raises ReplayError where it does not fit this object."""


class Fifo(AbstractKeep):
    """The newest rows of every stream: row r lies in slot r mod slots.

    Windows start at every row (stride 1) and may straddle episodes [dreamerv3.md §4.2]. All
    streams advance together.
    """

    def __init__(self, *, streams: int, slots: int):
        self._streams = streams
        self._slots = slots
        self._inserted = 0

    @property
    def inserted(self) -> int:
        return self._inserted

    @property
    def oldest(self) -> int:
        return max(0, self._inserted - self._slots)

    @property
    def num_rows(self) -> int:
        return self._streams * (self._inserted - self.oldest)

    def admit(self) -> Int[np.ndarray, " E"]:
        slot = np.full(self._streams, self._inserted % self._slots)
        self._inserted += 1
        return slot

    def live(
        self, stream: Int[np.ndarray, "*N"], row: Int[np.ndarray, "*N"]
    ) -> Bool[np.ndarray, "*N"]:
        return (row >= self.oldest) & (row < self._inserted)

    def slot(
        self, stream: Int[np.ndarray, "*N"], row: Int[np.ndarray, "*N"]
    ) -> Int[np.ndarray, "*N"]:
        return row % self._slots

    def num_windows(self, length: int) -> int:
        return self._streams * max(0, self._inserted - self.oldest - length + 1)

    def locate(self, ordinal: Int[np.ndarray, " B"], length: int) -> Ticket:
        return Ticket(ordinal % self._streams, self.oldest + ordinal // self._streams)

    def state(self) -> dict[str, Any]:
        return {"kind": "fifo", "slots": self._slots, "inserted": self._inserted}

    def load(self, state: dict[str, Any]) -> None:
        """A ring that has not wrapped yet may also be loaded into one of another size."""
        slots, inserted = int(state["slots"]), int(state["inserted"])
        if state["kind"] != "fifo":
            raise ReplayError(f"the saved replay keeps by {state['kind']!r}; expected 'fifo'.")
        if slots != self._slots and inserted > min(slots, self._slots):
            raise ReplayError(
                f"the saved replay holds {inserted} rows a stream in rings of {slots}; they "
                f"cannot be laid out in rings of {self._slots}: resume with --replay.capacity "
                f"{slots * self._streams}."
            )
        self._inserted = inserted
