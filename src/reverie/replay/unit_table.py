"""Which units there are, and on which pages of memory their rows lie."""

import heapq
from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

from reverie.replay.keep import Rows

OPEN = -1
"""In `UnitTable["kept"]`: the unit is not complete yet."""

_COLUMNS = ("serial", "stream", "first", "rows", "kept")

_GROWING = ("serial", "rows", "page", "fill", "ret")

_PAGES = ("stream", "first", "unit", "used", "starts")

_SHIFT = 44
"""Bits of a row's address within its stream, in a key that sorts by stream, then by row."""


class UnitTable:
    """Units by serial number, which rises along the table: new ones are appended, and those that
    went leave a gap behind until the table is full. `kept` is a set of partitions as bits, 0 for a
    gap and `OPEN` for a unit that is still growing, whose `rows` are not counted here.
    """

    def __init__(self):
        self._columns = np.zeros((len(_COLUMNS), 256), np.int64)
        self._size = 0  # entries, gaps included
        self.next = 0
        """The serial number of the next unit."""

    def __getitem__(self, name: str) -> Int[np.ndarray, " U"]:
        """A column; may be written into."""
        return self._columns[_COLUMNS.index(name), : self._size]

    @property
    def live(self) -> int:
        """Units that are not gone."""
        return int(np.count_nonzero(self["kept"]))

    def append(self, stream: int, first: int) -> int:
        """A unit begins at this row; its serial number."""
        if self._size == self._columns.shape[1]:
            self.load(self.next, self.tables())
        self._columns[:, self._size] = self.next, stream, first, 0, OPEN
        self._size, self.next = self._size + 1, self.next + 1
        return self.next - 1

    def index(self, serial: Int[np.ndarray, "*N"] | int) -> Int[np.ndarray, "*N"]:
        """Where these units stand now; the next `append` may move them."""
        return np.searchsorted(self["serial"], serial)

    def get(self, serial: int) -> tuple[int, int, int, int]:
        """Stream, first row, rows and partitions of a unit."""
        _, stream, first, rows, kept = self._columns[:, self.index(serial)].tolist()
        return stream, first, rows, kept

    def keep(self, serial: int, rows: int, kept: int) -> None:
        """From now on a unit has so many rows, and is in these partitions."""
        self._columns[-2:, self.index(serial)] = rows, kept

    def tables(self) -> dict[str, np.ndarray]:
        """Everything that `load` needs: the table without gaps."""
        return {name: self[name][self["kept"] != 0] for name in _COLUMNS}

    def load(self, next_serial: int, tables: Mapping[str, np.ndarray]) -> None:
        """Continue from tables."""
        self.next, self._size = next_serial, len(tables["serial"])
        self._columns = np.zeros((len(_COLUMNS), max(256, 2 * self._size)), np.int64)
        for name in _COLUMNS:
            self[name][:] = tables[name]


class Growing:
    """The growing unit of every stream: its serial number (−1 where none grows), its rows and the
    sum of their rewards, the page it grows on and the rows there (full where none grows)."""

    def __init__(self, streams: int, page: int):
        self._size = page
        self.serial, self.fill = np.full(streams, -1), np.full(streams, page)
        self.rows, self.page = np.zeros((2, streams), np.int64)
        self.ret = np.zeros(streams)
        self.inserted = 0
        """Rows that ever came to each stream."""

    @property
    def pages(self) -> int:
        """Pages that growing units take; one that was taken a moment ago holds no row yet."""
        return int((-(-self.rows // self._size) + (self.fill == 0)).sum())

    def tables(self) -> dict[str, np.ndarray]:
        """Everything that `load` needs, beside `inserted`."""
        return {name: getattr(self, name).copy() for name in _GROWING}

    def load(self, inserted: int, tables: Mapping[str, np.ndarray]) -> None:
        """Continue from tables."""
        self.inserted = inserted
        for name in _GROWING:
            getattr(self, name)[:] = tables[name]


class Pages:
    """Pages in use, sorted by (stream, row), and the free ones.

    Every page in use holds consecutive rows of one stream; the pages of a unit are neighbours in
    the order. The lowest free page is taken first, so that the free ones need not be saved.

    `unit[p]`: serial number of the unit on page p. `used[p]`: its rows there. `starts[p]`: how
    many of them, from the first on, begin a window that can be drawn.
    """

    def __init__(self, num: int, size: int):
        self.num, self.size = num, size
        self.stream, self.first, self.unit, self.used, self.starts = np.zeros((5, num), np.int64)
        self.stream[:] = -1
        self.taken = 0
        """Pages in use."""
        self._sorted = np.zeros((2, num), np.int64)  # keys of the pages in use, and the pages
        self._free = list(range(num))

    def take(self, stream: int, row: int, unit: int) -> int:
        """The lowest free page, for rows of `unit` from `row` of `stream` on; there is one."""
        page, at, end = heapq.heappop(self._free), self._at(stream, row), self.taken
        self._sorted[:, at + 1 : end + 1] = self._sorted[:, at:end]
        self._sorted[:, at] = stream << _SHIFT | row, page
        self.taken += 1
        self.stream[page], self.first[page], self.unit[page] = stream, row, unit
        return page

    def of_unit(self, stream: int, first: int, rows: int) -> Int[np.ndarray, " P"]:
        """The pages of a unit, in the order of its rows."""
        at = self._at(stream, first)
        return self._sorted[1, at : at + -(-rows // self.size)].copy()

    def release(self, stream: int, first: int, rows: int) -> None:
        """Free the pages of a unit."""
        at, pages, end = self._at(stream, first), self.of_unit(stream, first, rows), self.taken
        self.stream[pages], self.used[pages], self.starts[pages] = -1, 0, 0
        for page in pages.tolist():
            heapq.heappush(self._free, page)
        self.taken -= len(pages)
        self._sorted[:, at : self.taken] = self._sorted[:, at + len(pages) : end]

    def find(self, stream: Rows, row: Rows) -> Rows:
        """The places of these rows, −1 where they do not live."""
        if not self.taken:
            return np.full(np.shape(row), -1)
        key = (np.asarray(stream, np.int64) << _SHIFT) + row
        at = np.searchsorted(self._sorted[0, : self.taken], key, side="right") - 1
        page = self._sorted[1, np.maximum(at, 0)]
        offset = row - self.first[page]
        live = (at >= 0) & (self.stream[page] == stream) & (row >= 0) & (offset < self.used[page])
        return np.where(live, page * self.size + offset, -1)

    def places(self, pages: Int[np.ndarray, " P"], rows: int) -> Int[np.ndarray, " N"]:
        """The places of the first `rows` rows of the unit that lives on these pages."""
        offset = np.arange(rows)
        return pages[offset // self.size] * self.size + offset % self.size

    def tables(self) -> dict[str, np.ndarray]:
        """Everything that `load` needs."""
        return {name: getattr(self, name).copy() for name in _PAGES}

    def load(self, tables: Mapping[str, np.ndarray]) -> None:
        """Continue from tables of this many pages or fewer."""
        self.__init__(self.num, self.size)
        for name in _PAGES:
            getattr(self, name)[: len(tables[name])] = tables[name]
        pages = np.flatnonzero(self.stream >= 0)
        keys = (self.stream[pages] << _SHIFT) + self.first[pages]
        order, self.taken = np.argsort(keys, kind="stable"), len(pages)
        self._sorted[:, : len(pages)] = keys[order], pages[order]
        self._free = np.flatnonzero(self.stream < 0).tolist()

    def _at(self, stream: int, row: int) -> int:
        """Where the page that begins with this row stands, or belongs, in the order."""
        return int(np.searchsorted(self._sorted[0, : self.taken], stream << _SHIFT | row))
