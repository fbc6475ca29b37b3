"""The complete units of a store: their partitions and memory, and who goes to make room."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Shaped

from reverie.replay.keep import NOTHING, Change
from reverie.replay.retention import AbstractRule, Unit
from reverie.replay.unit_table import OPEN, Pages, UnitTable

Read = Callable[[Int[np.ndarray, " N"]], dict[str, Shaped[np.ndarray, "..."]]]
"""The observations of the rows in these places."""

_COUNTERS = ("growing", "short", "cut", "gone")


class Partition(NamedTuple):
    """A partition of the store."""

    name: str
    rule: AbstractRule
    share: float
    """Its part of the memory for complete units, in (0, 1]."""
    scored: bool
    """Whether its rule wants to hear of scores."""


class Partitions:
    """Units on pages. Every complete unit is offered to every partition; its rows are stored once
    and their memory is free when the last partition has let go of it.

    All partitions together never take more pages than there are, growing units included: what
    those hold, but at least `reserve` pages, is not available to complete units.
    """

    def __init__(
        self, pages: Pages, parts: Sequence[Partition], *, length: int, reserve: int, read: Read
    ):
        """`length`: rows of a training window."""
        self.pages, self.parts, self.length = pages, tuple(parts), length
        self.table = UnitTable(len(parts))
        self._reserve, self._read = reserve, read
        self._load = [0] * len(parts)
        self.growing = 0  # pages of units that are not complete
        self.short, self.cut, self.gone = 0, 0, 0
        self.scores: np.ndarray | None = None
        """Newest score of the row in every place, NaN before the first, once there are any."""
        self._closed: list[np.ndarray] = []
        self._freed: list[np.ndarray] = []
        self._opened: list[tuple[np.ndarray, np.ndarray]] = []  # serial and place of each window

    @property
    def room(self) -> bool:
        """Whether a page is free."""
        return self.pages.taken < self.pages.num

    def capacity(self, part: int) -> int:
        """Pages that complete units of a partition may take now."""
        pages = self.pages.num - max(self._reserve, self.growing)
        before = sum(int(other.share * pages) for other in self.parts[:-1])
        return (
            pages - before if part == len(self.parts) - 1 else int(self.parts[part].share * pages)
        )

    def take(self, stream: int, row: int, serial: int) -> int:
        """A page for the rows of a growing unit from `row` on; there is room."""
        page = self.pages.take(stream, row, serial)
        self.growing += 1
        if self.scores is not None:
            self.scores[page * self.pages.size : (page + 1) * self.pages.size] = np.nan
        return page

    def give_back(self, stream: int, row: int) -> None:
        """Free a page that was taken for rows from `row` on and holds none."""
        self.pages.release(stream, row, 1)
        self.growing -= 1

    def shrink(self) -> bool:
        """Let a unit of the fullest partition go. False if none is stored."""
        fullness = [load / part.share for load, part in zip(self._load, self.parts, strict=True)]
        part = int(np.argmax(fullness))
        if not self._load[part]:
            return False
        self._drop(part, self.parts[part].rule.victim())
        return True

    def complete(self, serial: int, rows: int, ret: float, least: int) -> None:
        """A unit has all its rows: store it, or drop it if it has fewer than `least`."""
        stream, first, _, _ = self.table.get(serial)
        num = -(-rows // self.pages.size)
        self.growing -= num
        if rows < least:
            self.short += 1
            self._free(serial, rows)
            return
        self.table.keep(serial, rows, (1 << len(self.parts)) - 1, self._windows(rows))
        self._load = [load + num for load in self._load]
        pages = self.pages.of_unit(stream, first, rows)
        self._offer(Unit(serial, rows, ret, lambda most: self._observations(pages, rows, most)))
        if self.table.get(serial)[3]:
            self._show(serial, pages, rows)
            self._judge(serial)

    def grow(self, serial: Int[np.ndarray, " N"], place: Int[np.ndarray, " N"]) -> None:
        """A window more for each of these growing units, beginning in these places."""
        self.pages.starts[place // self.pages.size] += 1  # each unit has pages of its own
        self.table.grow(serial)
        self._opened.append((serial, place))

    def change(self, admitted: Int[np.ndarray, " E"]) -> Change:
        """What happened since the last call."""
        if not self._freed and not self._opened:
            return Change(NOTHING, admitted, NOTHING)
        if not self._freed and len(self._opened) == 1:  # a row more of units that still grow
            return Change(NOTHING, admitted, self._opened.pop()[1])
        opened = [place for _, place in self._opened]
        closed, opened, freed = (
            np.concatenate(places) if places else NOTHING
            for places in (self._closed, opened, self._freed)
        )
        self._closed, self._freed, self._opened = [], [], []
        return Change(closed, admitted, opened, freed)

    def rescore(self, place: Int[np.ndarray, " N"], score: Float[np.ndarray, " N"]) -> None:
        """New scores of the rows in these places; rules hear the mean of every unit touched."""
        if not any(part.scored for part in self.parts):
            return
        if self.scores is None:
            self.scores = np.full(self.pages.num * self.pages.size, np.nan, np.float32)
        self.scores[place] = score
        for serial in np.unique(self.pages.unit[place // self.pages.size]).tolist():
            self._judge(serial)

    def state(self) -> dict[str, Any]:
        """Everything that `load` needs beside `tables`, as JSON values."""
        return {
            "serial": self.table.next,
            "load": list(self._load),
            "counters": {name: getattr(self, name) for name in _COUNTERS},
            "rules": [{"name": part.name, **part.rule.state()} for part in self.parts],
        }

    def tables(self) -> dict[str, np.ndarray]:
        """Everything that `load` needs beside `state`, as arrays."""
        groups = {"pages": self.pages.tables(), "roster": self.table.tables()}
        groups |= {f"rule{n}": part.rule.tables() for n, part in enumerate(self.parts)}
        tables = {f"{group}/{k}": v for group, held in groups.items() for k, v in held.items()}
        return tables | ({} if self.scores is None else {"scores": self.scores})

    def load(self, state: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        """Continue from a state with the same rules and no more pages."""

        def group(name: str) -> dict[str, np.ndarray]:
            begin = name + "/"
            return {k.removeprefix(begin): v for k, v in tables.items() if k.startswith(begin)}

        self.pages.load(group("pages"))
        self.table.load(int(state["serial"]), group("roster"))
        for number, part in enumerate(self.parts):
            part.rule.load(state["rules"][number], group(f"rule{number}"))
        self._load = [int(load) for load in state["load"]]
        for name in _COUNTERS:
            setattr(self, name, int(state["counters"][name]))
        self.scores = None
        if "scores" in tables:
            self.scores = np.full(self.pages.num * self.pages.size, np.nan, np.float32)
            self.scores[: len(tables["scores"])] = tables["scores"]

    def _windows(self, rows: int) -> int:
        return max(0, rows - self.length + 1)

    def _offer(self, unit: Unit) -> None:
        for number, part in enumerate(self.parts):
            capacity = self.capacity(number)
            for serial in part.rule.offer(unit, load=self._load[number], capacity=capacity):
                self._drop(number, serial)
            while self._load[number] > capacity:
                self._drop(number, part.rule.victim())

    def _observations(self, pages: np.ndarray, rows: int, most: int) -> dict[str, np.ndarray]:
        offset = np.linspace(0, rows - 1, min(most, rows)).astype(np.int64)
        return self._read(
            pages[offset // self.pages.size] * self.pages.size + offset % self.pages.size
        )

    def _drop(self, part: int, serial: int) -> None:
        """One partition lets go of a unit."""
        _, _, rows, kept = self.table.get(serial)
        left = kept & ~(1 << part)
        self._load[part] -= -(-rows // self.pages.size)
        if left:
            self.table.keep(serial, rows, left, self._windows(rows))
        else:
            self._free(serial, rows)

    def _free(self, serial: int, rows: int) -> None:
        """A unit is gone, and its memory is free."""
        stream, first, _, _ = self.table.get(serial)
        pages = self.pages.of_unit(stream, first, rows)
        seen = self.pages.places(pages, 0, int(self.pages.starts[pages].sum()))
        for number, (serials, place) in enumerate(self._opened):
            if (mine := serials == serial).any():
                self._opened[number] = (serials[~mine], place[~mine])
                seen = np.setdiff1d(seen, place[mine])
        self._closed.append(seen)
        self._freed.append(self.pages.places(pages, 0, rows))
        self.pages.release(stream, first, rows)
        self.table.keep(serial, rows, 0, 0)
        self.gone += 1

    def _show(self, serial: int, pages: Int[np.ndarray, " P"], rows: int) -> None:
        """Open the windows of a unit that is stored, as far as they are not open yet."""
        before, after = int(self.pages.starts[pages].sum()), self._windows(rows)
        size = self.pages.size
        self.pages.starts[pages] = np.clip(after - np.arange(len(pages)) * size, 0, size)
        place = self.pages.places(pages, before, after)
        self._opened.append((np.full(len(place), serial), place))

    def _judge(self, serial: int) -> None:
        """Tell the rules the mean score of a complete unit, if any of its rows has one."""
        stream, first, rows, kept = self.table.get(serial)
        if kept == OPEN or self.scores is None:
            return
        pages = self.pages.of_unit(stream, first, rows)
        scores = self.scores[self.pages.places(pages, 0, rows)]
        if not np.isnan(scores).all():
            mean = float(np.nanmean(scores, dtype=np.float64))
            for number, part in enumerate(self.parts):
                if part.scored and kept >> number & 1:
                    part.rule.rescore(serial, mean)
