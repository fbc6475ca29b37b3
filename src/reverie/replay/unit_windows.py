"""Which windows of units can be drawn, counted from the oldest unit on, and what changed there."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from reverie.replay.keep import AbstractIndex, Change, Spans, Ticket
from reverie.replay.unit_table import OPEN, Pages, UnitTable


class UnitWindows:
    """Windows of `length` rows that lie in one unit of the table, by the pages they begin on.

    `ongoing`: units that are still growing count too, with the rows that `grow` was told of; they
    belong to the first partition.
    """

    def __init__(self, pages: Pages, table: UnitTable, *, length: int, ongoing: bool):
        self.pages, self.table, self.length, self.ongoing = pages, table, length, ongoing
        self.total = 0
        """Windows that can be drawn, those included of which `grow` is still to hear."""
        self.opened: list[tuple[int, int, int]] = []
        """Stream and range of the rows at which windows can be drawn since this was emptied."""
        self._told: dict[int, tuple[int, int, int]] | None = None  # None: nothing yet
        self._known: dict[Any, Any] = {}  # what follows from the table, until it changes

    def changed(self) -> None:
        """The table is another one now."""
        self._known = {}

    def show(self, stream: int, pages: Int[np.ndarray, " P"], rows: int) -> None:
        """The windows of a unit that is stored can be drawn, as far as they could not before."""
        before, after = int(self.pages.starts[pages].sum()), max(0, rows - self.length + 1)
        if after > before:
            self.remember(pages)
            size, first = self.pages.size, int(self.pages.first[pages[0]])
            self.pages.starts[pages] = np.clip(after - np.arange(len(pages)) * size, 0, size)
            self.total += after - before
            self.opened.append((stream, first + before, first + after))

    def hide(self, stream: int, pages: Int[np.ndarray, " P"]) -> None:
        """A unit is gone."""
        self.remember(pages)
        self.total -= int(self.pages.starts[pages].sum())
        first, rows = int(self.pages.first[pages[0]]), int(self.pages.used[pages].sum())
        self.opened = [
            run for run in self.opened if run[0] != stream or not 0 <= run[1] - first < rows
        ]

    def grow(
        self, serial: Int[np.ndarray, " E"], rows: Int[np.ndarray, " E"], first: int, end: int
    ) -> None:
        """Growing units (−1: none) of all streams have so many rows, the last one is row `end` − 1;
        windows that began before row `first` are counted already."""
        there = serial >= 0
        self.table["rows"][self.table.index(serial[there])] = rows[there]
        begin = np.where(there, end - rows, end)
        row = np.arange(max(first, int(begin.min())), end - self.length + 1)
        stream, at = np.nonzero(row >= begin[:, None])
        page, offset = np.divmod(self.pages.find(stream, row[at]), self.pages.size)
        self.remember(np.unique(page))
        np.maximum.at(self.pages.starts, page, offset + 1)

    def remember(self, page: Int[np.ndarray, " P"]) -> None:
        """Unit, rows and windows of pages that are about to change, for `changes`."""
        if self._told is not None:
            held = np.stack([self.pages.unit[page], self.pages.used[page], self.pages.starts[page]])
            for one, was in zip(page.tolist(), held.T.tolist(), strict=True):
                self._told.setdefault(one, was)

    def changes(self, growing: Int[np.ndarray, " P"]) -> Change:
        """What happened since the previous call; rows may come to these pages without a word."""
        pages, told = self.pages, self._told
        if told is None:
            told = dict.fromkeys(np.flatnonzero(pages.stream >= 0).tolist(), (-1, 0, 0))
        page = np.fromiter(told, np.int64, len(told))
        unit, used, starts = np.array(list(told.values()), np.int64).reshape(-1, 3).T
        same = (pages.unit[page] == unit) & (pages.stream[page] >= 0)
        shown = np.where(same, starts, 0)
        self._told = {}
        self.remember(growing)
        return Change(
            freed=self._ranges(page, pages.used[page], used),
            closed=self._ranges(page, shown, starts),
            admitted=self._ranges(page, np.where(same, used, 0), pages.used[page]),
            opened=self._ranges(page, shown, pages.starts[page]),
        )

    def counts(
        self, length: int, part: int | None
    ) -> tuple[Int[np.ndarray, " U"], Int[np.ndarray, " U"]]:
        """Windows of every entry of the table that a partition (None: any) holds, and their running
        sum."""
        if (length, part) not in self._known:
            counts = np.maximum(0, self._sizes(part) - length + 1)
            self._known[length, part] = counts, np.cumsum(counts)
        return self._known[length, part]

    def locate(self, ordinal: Int[np.ndarray, " B"], length: int, part: int | None) -> Ticket:
        """The windows of these ordinals among those of a partition (None: of all)."""
        counts, ends = self.counts(length, part)
        at = np.searchsorted(ends, ordinal, side="right")
        inside = ordinal - (ends - counts)[at]
        return Ticket(self.table["stream"][at], self.table["first"][at] + inside)

    def newer(self, place: Int[np.ndarray, " B"]) -> Float[np.ndarray, " B"]:
        """The share of all windows that begin after these rows, or in younger units."""
        counts, ends = self.counts(self.length, None)
        page, offset = np.divmod(place, self.pages.size)
        at = self.table.index(self.pages.unit[page])
        inside = np.minimum(self.pages.first[page] + offset - self.table["first"][at], counts[at])
        return 1.0 - (ends[at] - counts[at] + inside + 1) / max(1, self.total)

    def drawable(self, place: Int[np.ndarray, "*N"]) -> Bool[np.ndarray, "*N"]:
        """Whether a window begins in these places; −1 is no place."""
        page, offset = np.divmod(np.maximum(place, 0), self.pages.size)
        return (place >= 0) & (offset < self.pages.starts[page])

    def spans(self) -> Spans:
        """The units that can be drawn from, oldest first."""
        if "spans" not in self._known:
            rows = self._sizes(None)
            drawn = rows > 0
            stream, first = self.table["stream"][drawn], self.table["first"][drawn]
            self._known["spans"] = Spans(stream, first, rows[drawn])
        return self._known["spans"]

    def load(self) -> None:
        """Pages and table were loaded; the windows of growing units are to be counted again."""
        self.opened, self._told, self._known = [], None, {}
        growing = self.table["serial"][self.table["kept"] == OPEN]
        self.pages.starts[np.isin(self.pages.unit, growing)] = 0
        self.total = int(self.pages.starts.sum())

    def _sizes(self, part: int | None) -> Int[np.ndarray, " U"]:
        """Rows that may be drawn from, of every entry of the table; 0 outside the partition."""
        kept = self.table["kept"]
        inside = kept != 0 if part is None else (kept >> part & 1) == 1
        inside &= (kept != OPEN) | (self.ongoing and part in (None, 0))
        return np.where(inside, self.table["rows"], 0)

    def _ranges(
        self, page: Int[np.ndarray, " P"], begin: Int[np.ndarray, " P"], end: Int[np.ndarray, " P"]
    ) -> Int[np.ndarray, " N"]:
        """The places `begin` … `end` − 1 of every page, one after the other."""
        count = np.maximum(0, end - begin)
        first = page * self.pages.size + begin - (np.cumsum(count) - count)
        return np.repeat(first, count) + np.arange(count.sum())


class Section(AbstractIndex):
    """The windows of one partition."""

    def __init__(self, windows: UnitWindows, part: int):
        self._windows, self._part = windows, part

    def num_windows(self, length: int) -> int:
        return int(self._windows.counts(length, self._part)[1][-1:].sum())

    def locate(self, ordinal: Int[np.ndarray, " B"], length: int) -> Ticket:
        return self._windows.locate(ordinal, length, self._part)
