"""The units there are, in the order in which they began."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Int

from reverie.replay.tally import Tally

OPEN = -1
"""In `Roster.kept`: the unit is not complete yet."""

_COLUMNS = ("serial", "stream", "first", "rows", "kept")


class Roster:
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
        self.tallies = [Tally(256) for _ in range(parts + (parts > 1))]
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
        *parts, everyone = self.tallies if len(self.tallies) > 1 else (*self.tallies, None)
        for part, tally in enumerate(parts):
            tally.set(at, windows if kept >> part & 1 else 0)
        if everyone is not None:
            everyone.set(at, windows if kept else 0)

    def grow(self, serial: Int[np.ndarray, " N"], windows: int) -> None:
        """So many windows more for each of these open units."""
        at = self.index(serial)
        self.tallies[0].increase(at, windows)
        if len(self.tallies) > 1:
            self.tallies[-1].increase(at, windows)

    def living(self) -> Bool[np.ndarray, " U"]:
        """Which entries of the table are units."""
        return self.columns["kept"][: self.size] != 0

    def tables(self) -> dict[str, np.ndarray]:
        """Everything that `load` needs: the table without gaps, and the windows of its units."""
        living = self.living()
        tables = {name: array[: self.size][living] for name, array in self.columns.items()}
        return {**tables, "windows": self.tallies[-1].counts[: self.size][living]}

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
        for part, tally in enumerate(self.tallies):
            everyone = part > 0 and part == len(self.tallies) - 1
            inside = np.where(kept == OPEN, part == 0, kept >> part & 1)
            counts = np.zeros(room, np.int64)
            counts[: self.size] = windows if everyone else np.where(inside, windows, 0)
            tally.fill(counts)
