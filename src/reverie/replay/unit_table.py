"""Which units there are, how many windows each has, and on which pages of memory their rows lie."""

import heapq
from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Int

BLOCK = 256
"""Entries whose sum is kept; near the root of the usual number of entries."""

OPEN = -1
"""In `UnitTable.kept`: the unit is not complete yet."""

_COLUMNS = ("serial", "stream", "first", "rows", "kept")

_SHIFT = 44
"""Bits of a row's address within its stream, in a key that sorts by stream, then by row."""


class WindowCounts:
    """Counts by index, with exact sums of blocks: setting costs O(1), locating O(√n)."""

    def __init__(self, size: int):
        self.counts = np.zeros(-(-size // BLOCK) * BLOCK, np.int64)
        self._sums = np.zeros(len(self.counts) // BLOCK, np.int64)
        self.total = 0
        """The sum of all counts."""

    def set(self, index: int, count: int) -> None:
        """Replace the count of one index."""
        change = count - int(self.counts[index])
        self.total += change
        self._sums[index // BLOCK] += change
        self.counts[index] = count

    def increase(self, index: Int[np.ndarray, " N"]) -> None:
        """Add 1 at each of these indices, all different."""
        self.total += len(index)
        self.counts[index] += 1
        self._sums += np.bincount(index // BLOCK, minlength=len(self._sums))

    def fill(self, counts: Int[np.ndarray, " N"]) -> None:
        """Replace all counts; indices behind the last one count 0. Grows where it must."""
        if len(counts) > len(self.counts):
            self.__init__(len(counts))
        self.counts[: len(counts)] = counts
        self.counts[len(counts) :] = 0
        self._sums[:] = self.counts.reshape(-1, BLOCK).sum(1)
        self.total = int(self._sums.sum())

    def before(self, index: Int[np.ndarray, " B"]) -> Int[np.ndarray, " B"]:
        """The sum of all counts before each of these indices."""
        block, inside = np.divmod(index, BLOCK)
        running = np.cumsum(self.counts.reshape(-1, BLOCK)[block], axis=1)
        earlier = np.cumsum(self._sums) - self._sums
        own = np.take_along_axis(running, inside[:, None], 1)[:, 0]
        return earlier[block] + own - self.counts[index]

    def locate(
        self, ordinal: Int[np.ndarray, " B"]
    ) -> tuple[Int[np.ndarray, " B"], Int[np.ndarray, " B"]]:
        """Where the running sum passes each of these numbers (0 … total − 1): index and rest.

        The rest counts from 0 within the index; indices with count 0 are never found.
        """
        ends = np.cumsum(self._sums)
        block = np.searchsorted(ends, ordinal, side="right")
        rest = ordinal - (ends[block] - self._sums[block])
        inside = self.counts.reshape(-1, BLOCK)[block]
        running = np.cumsum(inside, axis=1)
        position = (running <= rest[:, None]).sum(1)
        each = np.arange(len(position))
        return block * BLOCK + position, rest - (running - inside)[each, position]


class UnitTable:
    """A table of units with one count of windows for all of them and one a partition.

    Serial numbers rise along the table, which is appended to; units that went leave a gap behind,
    closed when half of the table is gaps. `kept` is a set of partitions as bits, 0 for a gap and
    `OPEN` for a unit that is still growing, which belongs to the first partition.
    """

    def __init__(self, parts: int):
        self.columns = {name: np.zeros(256, np.int64) for name in _COLUMNS}
        self.size = 0
        """Entries of the table, gaps included."""
        self.live = 0
        """Units among them."""
        self.next = 0
        """The serial number of the next unit."""
        self.version = 0
        """Counts up with every change of the table."""
        self.windows = [WindowCounts(256) for _ in range(parts + (parts > 1))]
        """Windows of the partitions; where there are several, then those of all units."""

    def append(self, stream: int, first: int) -> int:
        """A unit begins at this row; its serial number."""
        if self.size == len(self.columns["serial"]):
            self._compact()
        entry = (self.next, stream, first, 0, OPEN)
        for name, value in zip(_COLUMNS, entry, strict=True):
            self.columns[name][self.size] = value
        self.size, self.live, self.next = self.size + 1, self.live + 1, self.next + 1
        return self.next - 1

    def index(self, serial: Int[np.ndarray, "*N"] | int) -> Int[np.ndarray, "*N"]:
        """Where these units stand now; the next `append` may move them."""
        return np.searchsorted(self.columns["serial"][: self.size], serial)

    def get(self, serial: int) -> tuple[int, int, int, int]:
        """Stream, first row, rows and partitions of a unit."""
        at = self.index(serial)
        stream, first, rows, kept = (int(self.columns[name][at]) for name in _COLUMNS[1:])
        return stream, first, rows, kept

    def keep(self, serial: int, rows: int, kept: int, windows: int) -> None:
        """From now on a unit has so many rows and windows, in these partitions."""
        at = int(self.index(serial))
        self.columns["rows"][at], self.columns["kept"][at] = rows, kept
        self.live -= kept == 0
        self.version += 1
        *parts, everyone = self.windows if len(self.windows) > 1 else (*self.windows, None)
        for part, running in enumerate(parts):
            running.set(at, windows if kept >> part & 1 else 0)
        if everyone is not None:
            everyone.set(at, windows if kept else 0)

    def grow(self, serial: Int[np.ndarray, " N"]) -> None:
        """A window more for each of these open units."""
        at = self.index(serial)
        self.windows[0].increase(at)
        if len(self.windows) > 1:
            self.windows[-1].increase(at)

    def living(self) -> Bool[np.ndarray, " U"]:
        """Which entries of the table are units."""
        return self.columns["kept"][: self.size] != 0

    def tables(self) -> dict[str, np.ndarray]:
        """Everything that `load` needs: the table without gaps, and the windows of its units."""
        living = self.living()
        tables = {name: array[: self.size][living] for name, array in self.columns.items()}
        return {**tables, "windows": self.windows[-1].counts[: self.size][living]}

    def load(self, next_serial: int, tables: Mapping[str, np.ndarray]) -> None:
        """Continue from tables."""
        self.size = self.live = len(tables["serial"])
        self.next = next_serial
        self.version += 1
        room = max(256, 2 * self.size)
        for name in _COLUMNS:
            self.columns[name] = np.zeros(room, np.int64)
            self.columns[name][: self.size] = tables[name]
        self._count(tables["windows"], room)

    def _compact(self) -> None:
        tables = self.tables()
        self.load(self.next, tables)

    def _count(self, windows: Int[np.ndarray, " U"], room: int) -> None:
        kept = self.columns["kept"][: self.size]
        for part, running in enumerate(self.windows):
            everyone = part > 0 and part == len(self.windows) - 1
            inside = np.where(kept == OPEN, part == 0, kept >> part & 1)
            counts = np.zeros(room, np.int64)
            counts[: self.size] = windows if everyone else np.where(inside, windows, 0)
            running.fill(counts)


class Pages:
    """Pages in use, sorted by (stream, row), and the free ones.

    Every page in use holds consecutive rows of one stream; the pages of a unit are neighbours in
    the order. The lowest free page is taken first, so that the free ones need not be saved.

    `unit[p]`: serial number of the unit on page p. `used[p]`: its rows there. `starts[p]`: how
    many of them, from the first on, begin a window that can be drawn.
    """

    def __init__(self, num: int, size: int):
        self.num, self.size = num, size
        self.stream = np.full(num, -1, np.int64)
        self.first = np.zeros(num, np.int64)
        self.unit = np.zeros(num, np.int64)
        self.used = np.zeros(num, np.int64)
        self.starts = np.zeros(num, np.int64)
        self._keys = np.zeros(num, np.int64)
        self._order = np.zeros(num, np.int64)
        self._taken = 0
        self._free = list(range(num))

    @property
    def taken(self) -> int:
        """Pages in use."""
        return self._taken

    def take(self, stream: int, row: int, unit: int) -> int:
        """The lowest free page, for rows of `unit` from `row` of `stream` on; there is one."""
        page, end = heapq.heappop(self._free), self._taken
        key = stream << _SHIFT | row
        at = int(np.searchsorted(self._keys[:end], key))
        for array, value in ((self._keys, key), (self._order, page)):
            array[at + 1 : end + 1] = array[at:end]
            array[at] = value
        self._taken += 1
        self.stream[page], self.first[page], self.unit[page] = stream, row, unit
        self.used[page] = self.starts[page] = 0
        return page

    def of_unit(self, stream: int, first: int, rows: int) -> Int[np.ndarray, " P"]:
        """The pages of a unit, in the order of its rows."""
        at = int(np.searchsorted(self._keys[: self._taken], stream << _SHIFT | first))
        return self._order[at : at + -(-rows // self.size)].copy()

    def release(self, stream: int, first: int, rows: int) -> None:
        """Free the pages of a unit."""
        end, num = self._taken, -(-rows // self.size)
        at = int(np.searchsorted(self._keys[:end], stream << _SHIFT | first))
        for page in self._order[at : at + num].tolist():
            self.stream[page] = -1
            self.used[page] = self.starts[page] = 0
            heapq.heappush(self._free, page)
        for array in (self._keys, self._order):
            array[at : end - num] = array[at + num : end]
        self._taken -= num

    def find(
        self, stream: Int[np.ndarray, "*N"], row: Int[np.ndarray, "*N"]
    ) -> Int[np.ndarray, "*N"]:
        """The places of these rows, −1 where they do not live."""
        if not self._taken:
            return np.full(np.shape(row), -1)
        key = (np.asarray(stream, np.int64) << _SHIFT) + row
        at = np.searchsorted(self._keys[: self._taken], key, side="right") - 1
        page = self._order[np.maximum(at, 0)]
        offset = row - self.first[page]
        live = (at >= 0) & (self.stream[page] == stream) & (row >= 0) & (offset < self.used[page])
        return np.where(live, page * self.size + offset, -1)

    def places(self, pages: Int[np.ndarray, " P"], begin: int, end: int) -> Int[np.ndarray, " N"]:
        """The places of rows `begin` … `end` − 1 of the unit that lives on these pages."""
        offset = np.arange(begin, end)
        return pages[offset // self.size] * self.size + offset % self.size

    def tables(self) -> dict[str, np.ndarray]:
        """Everything that `load` needs."""
        names = ("stream", "first", "unit", "used", "starts")
        return {name: getattr(self, name).copy() for name in names}

    def load(self, tables: Mapping[str, np.ndarray]) -> None:
        """Continue from tables of this many pages or fewer."""
        self.__init__(self.num, self.size)
        saved = len(tables["stream"])
        for name, array in tables.items():
            getattr(self, name)[:saved] = array
        taken = np.flatnonzero(self.stream >= 0)
        keys = (self.stream[taken] << _SHIFT) + self.first[taken]
        order = np.argsort(keys, kind="stable")
        self._taken = len(taken)
        self._keys[: len(taken)], self._order[: len(taken)] = keys[order], taken[order]
        self._free = np.flatnonzero(self.stream < 0).tolist()
