"""Retention: which rows live, in which place, and which windows of them may be drawn.

A row is addressed by its stream and by the number of rows that came before it in this stream. An
address is never reused, so it needs no generation: a ticket to a dead row finds nothing. A *place*
is where a row lies in memory, a whole number in [0, `places`); places are reused. A window of L
rows is addressed by its first row.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from reverie.replay.errors import ReplayError

Rows = Int[np.ndarray, "*N"]
"""One of the two numbers of an address, or the place, of each of many rows."""

NOTHING = np.zeros(0, np.int64)
"""No place at all."""


class Ticket(NamedTuple):
    """Where B sequences come from. It outlives eviction: writing to dead rows is dropped.

    With one axis the sequences are windows and the ticket names their first rows; with two axes
    it names the row at every position, so that a sequence may be laid out of several pieces.
    """

    stream: Int[np.ndarray, "B *L"]
    row: Int[np.ndarray, "B *L"]


def spread(ticket: Ticket, length: int) -> Ticket:
    """The row at each of `length` positions of every sequence, two axes [B, length]."""
    if ticket.row.ndim == 2:
        return ticket
    row = ticket.row[:, None] + np.arange(length)
    return Ticket(np.broadcast_to(ticket.stream[:, None], row.shape), row)


class Change(NamedTuple):
    """What happened to the places since it was last asked for, to be followed in this order. No
    place comes twice in one of the arrays."""

    freed: Int[np.ndarray, " F"]
    """Rows that died and left their place empty."""
    closed: Int[np.ndarray, " C"]
    """First rows of windows (of the training length) that can no longer be drawn."""
    admitted: Int[np.ndarray, " N"]
    """Rows that moved in; whatever was known about the place belongs to a dead row."""
    opened: Int[np.ndarray, " O"]
    """First rows of windows that can be drawn from now on."""


class Spans(NamedTuple):
    """Runs of rows of one stream, oldest first: rows `first` … `first + rows − 1`."""

    stream: Int[np.ndarray, " N"]
    first: Int[np.ndarray, " N"]
    rows: Int[np.ndarray, " N"]


class AbstractIndex(ABC):
    """Windows that can be drawn, numbered from the oldest to the newest."""

    @abstractmethod
    def num_windows(self, length: int) -> int:
        """Number N of windows of `length` rows."""

    @abstractmethod
    def locate(self, ordinal: Int[np.ndarray, " B"], length: int) -> Ticket:
        """The windows of these ordinals, 0 … N − 1. `Ring` counts by last row (0 is the oldest),
        a store of units by the time at which their unit began, then by row."""


class AbstractKeep(AbstractIndex):
    """What stays when memory is full."""

    @property
    @abstractmethod
    def inserted(self) -> int:
        """Rows ever admitted per stream; the address of the next row."""

    @property
    @abstractmethod
    def num_rows(self) -> int:
        """Live rows of all streams."""

    @property
    @abstractmethod
    def places(self) -> int:
        """Number of places, live or not: the length of an array with an entry a place."""

    @property
    def parts(self) -> tuple[AbstractIndex, ...]:
        """The partitions of a split store, which a mixture draws from one by one; else itself."""
        return (self,)

    @abstractmethod
    def admit(self, rows: Mapping[str, Shaped[np.ndarray, "E ..."]]) -> Int[np.ndarray, " E"]:
        """The places of the next row of every stream; previous tenants are dead from now on."""

    def settle(self, rows: Mapping[str, Shaped[np.ndarray, "E ..."]]) -> None:
        """Call when the admitted rows lie in their places: decides what else goes."""

    @abstractmethod
    def changes(self) -> Change:
        """What happened since the previous call, or all that lives where there was none since the
        start or `load`. The only bookkeeping that waits waits here."""

    @abstractmethod
    def find(self, stream: Rows, row: Rows) -> Rows:
        """The places of these rows; −1 for rows that are dead or not there yet."""

    @abstractmethod
    def address(self, place: Int[np.ndarray, " B"]) -> Ticket:
        """The rows that live in these places (which must be occupied)."""

    @abstractmethod
    def drawable(self, stream: Rows, row: Rows) -> Bool[np.ndarray, "*N"]:
        """Whether a window of the training length begins at these rows."""

    @abstractmethod
    def newer(self, stream: Rows, row: Rows) -> Float[np.ndarray, "*N"]:
        """How many windows of the training length are newer than those that begin at these live
        rows, as a share of all: 0 the newest, towards 1 the oldest."""

    @abstractmethod
    def spans(self) -> Spans:
        """The units that can be drawn from, oldest first. Raises ReplayError without units."""

    def rescore(self, stream: Rows, row: Rows, score: Shaped[np.ndarray, "*N"]) -> None:
        """New step scores of these rows, for a rule that keeps by them; dead rows are ignored."""

    def stats(self) -> dict[str, float]:
        """Further metrics, by name without `replay/`."""
        return {}

    def notes(self) -> list[str]:
        """Sentences for the user about what happened since the last call; each is said once."""
        return []

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Everything that `load` needs beside `tables`, as JSON values."""

    def tables(self) -> dict[str, np.ndarray]:
        """Everything that `load` needs beside `state`, as arrays."""
        return {}

    @abstractmethod
    def check(self, state: Mapping[str, Any]) -> None:
        """Raises ReplayError where a state does not fit this object."""

    @abstractmethod
    def load(self, state: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        """Continue from a state that fits."""


class Ring(AbstractKeep):
    """The newest rows of every stream: row r of stream s lies in place s·slots + r mod slots.

    Windows start at every row (stride 1) and may straddle episodes [dreamerv3.md §4.2]. All
    streams advance together.
    """

    def __init__(self, *, streams: int, slots: int, length: int):
        """`slots` rows a stream, at least `length`, the rows of a training window."""
        self._slots = slots
        self._length = length
        self._base = np.arange(streams) * slots
        self._streams = streams
        self._inserted = self._told = 0

    @property
    def inserted(self) -> int:
        return self._inserted

    @property
    def oldest(self) -> int:
        """Every row before this address is dead, in every stream."""
        return max(0, self._inserted - self._slots)

    @property
    def num_rows(self) -> int:
        return self._streams * (self._inserted - self.oldest)

    @property
    def places(self) -> int:
        return self._streams * self._slots

    def admit(self, rows: Mapping[str, Any]) -> Int[np.ndarray, " E"]:
        place = self._base + self._inserted % self._slots
        self._inserted += 1
        return place

    def changes(self) -> Change:
        told, self._told = self._told, self._inserted
        drawn = told - self._length + 1  # the windows before this row could be drawn
        closed = self._places(max(0, told - self._slots), min(self.oldest, drawn))
        admitted = self._places(max(told, self.oldest), self._inserted)
        opened = self._places(max(drawn, self.oldest), self._inserted - self._length + 1)
        return Change(NOTHING, closed, admitted, opened)

    def _places(self, begin: int, end: int) -> Int[np.ndarray, " N"]:
        """The places of rows `begin` … `end` − 1 of every stream."""
        return (self._base[:, None] + np.arange(begin, end) % self._slots).reshape(-1)

    def find(self, stream: Rows, row: Rows) -> Rows:
        live = (row >= self.oldest) & (row < self._inserted)
        return np.where(live, stream * self._slots + row % self._slots, -1)

    def address(self, place: Int[np.ndarray, " B"]) -> Ticket:
        stream, slot = np.divmod(place, self._slots)
        newest = self._inserted - 1
        return Ticket(stream, newest - (newest - slot) % self._slots)

    def drawable(self, stream: Rows, row: Rows) -> Bool[np.ndarray, "*N"]:
        return (row >= self.oldest) & (row <= self._inserted - self._length)

    def num_windows(self, length: int) -> int:
        return self._streams * max(0, self._inserted - self.oldest - length + 1)

    def locate(self, ordinal: Int[np.ndarray, " B"], length: int) -> Ticket:
        return Ticket(ordinal % self._streams, self.oldest + ordinal // self._streams)

    def newer(self, stream: Rows, row: Rows) -> Float[np.ndarray, "*N"]:
        last = self._inserted - self._length
        return (last - row) / max(1, last - self.oldest + 1)

    def spans(self) -> Spans:
        raise ReplayError(
            "the ring of --replay.unit row knows no episodes: set --replay.unit episode."
        )

    def state(self) -> dict[str, Any]:
        return {"kind": "fifo", "slots": self._slots, "inserted": self._inserted}

    def check(self, state: Mapping[str, Any]) -> None:
        """A ring that has not wrapped yet may also be loaded into one of another size."""
        if state["kind"] != "fifo":
            raise ReplayError(f"the saved replay keeps by {state['kind']!r}; expected 'fifo'.")
        slots, inserted = int(state["slots"]), int(state["inserted"])
        if slots != self._slots and inserted > min(slots, self._slots):
            raise ReplayError(
                f"the saved replay holds {inserted} rows a stream in rings of {slots}; they "
                f"cannot be laid out in rings of {self._slots}: resume with --replay.capacity "
                f"{slots * self._streams}."
            )

    def load(self, state: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        self._inserted, self._told = int(state["inserted"]), 0
