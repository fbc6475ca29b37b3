"""Memory in pages: who lives on which page, and where a row lies.

A page is `size` consecutive places. A unit of rows takes whole pages, full ones but for its last,
so that memory is freed exactly when the unit goes and at most `size` − 1 places a unit stay empty.
"""

import heapq
from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

_SHIFT = 44
"""Bits of a row's address within its stream, in a key that sorts by stream, then by row."""


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
