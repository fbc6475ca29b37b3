"""Which windows of units can be drawn, counted from the oldest unit on, and what changed there."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from reverie.replay.keep import NOTHING, AbstractIndex, Change, Spans, Ticket
from reverie.replay.unit_table import OPEN, Growing, Pages, UnitTable


class UnitWindows:
    """Windows of `length` rows that lie in one unit of the table, by the pages they begin on.

    `ongoing`: units that are still growing count too; they belong to the first partition. Their new
    windows are put down when somebody asks.
    """

    def __init__(
        self, pages: Pages, table: UnitTable, growing: Growing, *, length: int, ongoing: bool
    ):
        self.pages, self.table, self.growing = pages, table, growing
        self.length, self.ongoing = length, ongoing
        self._grown = 0  # rows of each stream whose windows are put down
        self.total = 0
        """Windows that can be drawn."""
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

    def grow(self) -> None:
        """A row more of every growing unit."""
        if self.ongoing:
            begin = self.growing.inserted - self.length
            for stream, rows in enumerate(self.growing.rows.tolist()):
                if rows >= self.length:
                    self.opened.append((stream, begin, begin + 1))
                    self.total += 1
            self._known = {}

    def settle(self) -> None:
        """Put down the windows of growing units, which waited until now."""
        grown, end, growing = self._grown, self.growing.inserted, self.growing
        if not self.ongoing or grown == end:
            return
        self._grown, there = end, growing.serial >= 0
        self.table["rows"][self.table.index(growing.serial[there])] = growing.rows[there]
        begin = np.where(there, end - growing.rows, end)
        first = max(grown - self.length + 1, int(begin.min()))
        row = np.arange(first, end - self.length + 1)
        stream, at = np.nonzero(row >= begin[:, None])
        page, offset = np.divmod(self.pages.find(stream, row[at]), self.pages.size)
        self.remember(page)
        np.maximum.at(self.pages.starts, page, offset + 1)

    def remember(self, page: Int[np.ndarray, " P"]) -> None:
        """Unit, rows and windows of pages that are about to change, for `changes`."""
        told, pages = self._told, self.pages
        if told is not None:
            for one in set(page.tolist()) - told.keys():
                told[one] = int(pages.unit[one]), int(pages.used[one]), int(pages.starts[one])

    def changes(self) -> Change:
        """What happened since the previous call."""
        self.settle()
        pages, told = self.pages, self._told
        if told is None:
            told = dict.fromkeys(np.flatnonzero(pages.stream >= 0).tolist(), (-1, 0, 0))
        page = np.fromiter(told, np.int64, len(told))
        unit, used, starts = np.array(list(told.values()), np.int64).reshape(-1, 3).T
        same = (pages.unit[page] == unit) & (pages.stream[page] >= 0)
        shown = np.where(same, starts, 0)
        self._told = {}
        self.remember(self.growing.page[self.growing.serial >= 0])
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
        self.settle()
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
        self.settle()
        page, offset = np.divmod(np.maximum(place, 0), self.pages.size)
        return (place >= 0) & (offset < self.pages.starts[page])

    def spans(self) -> Spans:
        """The units that can be drawn from, oldest first."""
        self.settle()
        if "spans" not in self._known:
            rows = self._sizes(None)
            drawn = rows > 0
            stream, first = self.table["stream"][drawn], self.table["first"][drawn]
            self._known["spans"] = Spans(stream, first, rows[drawn])
        return self._known["spans"]

    def load(self) -> None:
        """Pages, table and growing units were loaded."""
        self.opened, self._told, self._known, self._grown = [], None, {}, 0
        growing = self.table["serial"][self.table["kept"] == OPEN]
        self.pages.starts[np.isin(self.pages.unit, growing)] = 0
        self.settle()
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
        if not count.any():
            return NOTHING
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
