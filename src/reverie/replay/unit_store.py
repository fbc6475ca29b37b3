"""Retention by units: episodes or pieces of a stream, which live and go as a whole."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from reverie.replay.errors import ReplayError
from reverie.replay.keep import AbstractIndex, AbstractKeep, Change, Rows, Spans, Ticket
from reverie.replay.partitions import Partition, Partitions
from reverie.replay.retention import Unit
from reverie.replay.unit_table import OPEN, Growing, Pages, UnitTable
from reverie.replay.unit_windows import Section, UnitWindows


class Cut(NamedTuple):
    """Where units begin and end, and what may be drawn from them."""

    name: str
    """Under which name the unit was chosen."""
    rows: int
    """Rows of a unit at most; 0: no limit."""
    crosses: bool
    """Units may hold rows of several episodes: only `rows` ends them."""
    least: int
    """Units with fewer rows are dropped when they are complete, and counted."""
    ongoing: bool
    """Units that are still growing may be drawn from."""


class UnitStore(AbstractKeep):
    """A store of units on pages [replay-sampling.md §5.2, §5.3]. Windows never leave their unit:
    the last L − 1 rows of a unit begin none. Ordinals of windows count units by the time at which
    they began.

    Units begin with the first row of a stream, after the previous unit, and, unless they may cross
    episodes, with every row that has `is_first`. A complete unit is offered to every partition; its
    rows are stored once and their memory is free when the last partition has let go of it. All
    partitions together never take more pages than there are: what growing units hold, but at least
    `reserve` pages, is not available to complete ones. When memory is full of growing units alone,
    the longest of them is cut in two and counted.
    """

    def __init__(
        self,
        pages: Pages,
        parts: Sequence[Partition],
        cut: Cut,
        *,
        streams: int,
        length: int,
        reserve: int,
        read: Callable[[Int[np.ndarray, " N"]], dict[str, Shaped[np.ndarray, "..."]]],
    ):
        """`length`: rows of a training window; `read`: observations by place."""
        self.pages, self.table = pages, UnitTable()
        self.partitions = Partitions(parts, self.table, pages)
        self._growing = Growing(streams, pages.size)
        self._windows = UnitWindows(
            pages, self.table, self._growing, length=length, ongoing=cut.ongoing
        )
        self._limits, self._reserve, self._read = cut, reserve, read
        self._ever = {"short": 0, "cut": 0, "gone": 0}  # units that were dropped, cut, freed
        self._notes: list[str] = []

    @property
    def opened(self) -> list[tuple[int, int, int]]:
        """Stream and range of the rows at which windows can be drawn since the last `admit`."""
        return self._windows.opened

    @property
    def inserted(self) -> int:
        return self._growing.inserted

    @property
    def num_rows(self) -> int:
        return int(self.pages.used.sum())

    @property
    def places(self) -> int:
        return self.pages.num * self.pages.size

    @property
    def parts(self) -> tuple[AbstractIndex, ...]:
        return tuple(Section(self._windows, part) for part in range(len(self.partitions.parts)))

    def admit(self, rows: Mapping[str, Shaped[np.ndarray, "E ..."]]) -> Int[np.ndarray, " E"]:
        self._windows.opened = []
        size, grows = self.pages.size, self._growing
        if not self._limits.crosses and True in rows["is_first"].tolist():  # the fastest any()
            for stream in np.flatnonzero(rows["is_first"] & (grows.rows > 0)).tolist():
                self._complete(stream)
        while size in (fill := grows.fill.tolist()):
            self._turn_page(fill.index(size))
        place = grows.page * size + grows.fill
        grows.fill += 1
        grows.rows += 1
        grows.inserted += 1
        self.pages.used[grows.page] = grows.fill
        if "reward" in rows:
            grows.ret += rows["reward"]
        return place

    def settle(self, rows: Mapping[str, Shaped[np.ndarray, "E ..."]]) -> None:
        self._windows.grow()
        lasts = not self._limits.crosses and True in rows["is_last"].tolist()
        if lasts or self._limits.rows in self._growing.rows.tolist():
            ended = self._growing.rows == self._limits.rows
            for stream in np.flatnonzero(ended | rows["is_last"] if lasts else ended).tolist():
                self._complete(stream)

    def changes(self) -> Change:
        return self._windows.changes()

    def find(self, stream: Rows, row: Rows) -> Rows:
        return self.pages.find(stream, row)

    def address(self, place: Int[np.ndarray, " B"]) -> Ticket:
        page, offset = np.divmod(place, self.pages.size)
        return Ticket(self.pages.stream[page], self.pages.first[page] + offset)

    def drawable(self, stream: Rows, row: Rows) -> Bool[np.ndarray, "*N"]:
        return self._windows.drawable(self.find(stream, row))

    def num_windows(self, length: int) -> int:
        if length == self._windows.length:  # asked for at every step of a run
            return self._windows.total
        return int(self._windows.counts(length, None)[1][-1:].sum())

    def locate(self, ordinal: Int[np.ndarray, " B"], length: int) -> Ticket:
        return self._windows.locate(ordinal, length, None)

    def newer(self, stream: Rows, row: Rows) -> Float[np.ndarray, "*N"]:
        return self._windows.newer(self.find(stream, row))

    def spans(self) -> Spans:
        return self._windows.spans()

    def rescore(self, stream: Rows, row: Rows, score: Shaped[np.ndarray, "*N"]) -> None:
        place = self.find(stream, row)
        live = place >= 0
        self.partitions.rescore(place[live], score[live])

    def stats(self) -> dict[str, float]:
        """`units` stored or growing; `short` ones ever dropped; `cut` ones ever, for want of
        memory; `lost` live rows that begin no window; `empty` places on pages in use."""
        rows = self.num_rows
        return {
            "units": self.table.live,
            "short": self._ever["short"],
            "cut": self._ever["cut"],
            "lost": rows - self._windows.total,
            "empty": self.pages.taken * self.pages.size - rows,
        }

    def notes(self) -> list[str]:
        notes, self._notes = self._notes, []
        return notes

    def state(self) -> dict[str, Any]:
        return {
            "kind": "units",
            "page": self.pages.size,
            "pages": self.pages.num,
            "unit": self._limits.name,
            "rows": self._limits.rows,
            "inserted": self.inserted,
            "serial": self.table.next,
            "counters": {"growing": self._growing.pages, **self._ever},
            **self.partitions.state(),
        }

    def tables(self) -> dict[str, np.ndarray]:
        roster, counts = self.table.tables(), self._windows.counts(self._windows.length, None)[0]
        roster["windows"] = counts[self.table["kept"] != 0]
        roster["rows"] = np.where(roster["kept"] == OPEN, 0, roster["rows"])
        groups = {
            "growing": self._growing.tables(),
            "pages": self.pages.tables(),
            "roster": roster,
        }
        groups |= self.partitions.tables()
        tables = {f"{group}/{k}": v for group, held in groups.items() for k, v in held.items()}
        return (
            tables
            if self.partitions.scores is None
            else tables | {"scores": self.partitions.scores}
        )

    def check(self, state: Mapping[str, Any]) -> None:
        found = [state["kind"], state.get("page"), state.get("unit"), state.get("rows")]
        found += [rule["name"] for rule in state.get("rules", ())]
        expected = ["units", self.pages.size, self._limits.name, self._limits.rows]
        expected += [part.name for part in self.partitions.parts]
        if found != expected:
            raise ReplayError(
                f"the saved replay keeps {found}, this run {expected} (store, rows a page, unit, "
                "its rows, rules): resume with the configuration of the run."
            )
        if state["pages"] > self.pages.num:
            raise ReplayError(
                f"the saved replay has {state['pages']} pages of {self.pages.size} rows, this run "
                f"{self.pages.num}: resume with --replay.capacity "
                f"{state['pages'] * self.pages.size}."
            )

    def load(self, state: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        """Memory may have grown since: the new pages are free."""
        groups: dict[str, dict[str, np.ndarray]] = {}
        for name, table in tables.items():
            group, _, column = name.partition("/")
            groups.setdefault(group, {})[column] = table
        self._growing.load(int(state["inserted"]), groups["growing"])
        self._ever = {name: int(state["counters"][name]) for name in self._ever}
        self.pages.load(groups["pages"])
        self.table.load(int(state["serial"]), groups["roster"])
        self.partitions.load(state, groups, tables.get("scores"))
        self._windows.load()

    def _turn_page(self, stream: int) -> None:
        """A new page for a stream, and a new unit if none is growing there."""
        while self.pages.taken == self.pages.num:
            gone = self.partitions.shrink()
            if gone is None:
                self._cut_longest()
            else:
                self._free(gone)
        grows, row = self._growing, self.inserted
        if grows.serial[stream] < 0:
            grows.serial[stream] = self.table.append(stream, row)
            self._windows.changed()
        page = self.pages.take(stream, row, int(grows.serial[stream]))
        self._windows.remember(np.array([page]))
        grows.page[stream], grows.fill[stream] = page, 0
        self.partitions.take(page)

    def _cut_longest(self) -> None:
        """Memory is full of growing units: the longest is complete as it is."""
        if not self._ever["cut"]:
            self._notes.append(
                f"the replay's {self.places} rows are full of units that still grow: the longest, "
                f"of {self._growing.rows.max()} rows, was cut in two (counted in replay/cut). "
                "A larger --replay.capacity, or --replay.unit splice, avoids it."
            )
        self._ever["cut"] += 1
        self._complete(int(self._growing.rows.argmax()))

    def _complete(self, stream: int) -> None:
        """The growing unit of a stream is complete: it is offered, or dropped where it has too few
        rows. The next row begins another one."""
        self._windows.settle()
        grows, size = self._growing, self.pages.size
        serial, rows, ret = (part[stream].item() for part in (grows.serial, grows.rows, grows.ret))
        if grows.fill[stream] == 0:  # its newest page was taken a moment ago, and holds no row yet
            self.pages.release(stream, self.inserted, 1)
        grows.serial[stream], grows.rows[stream], grows.ret[stream] = -1, 0, 0
        grows.fill[stream] = size
        if rows < self._limits.least:
            self.table.keep(serial, rows, 0)
            self._note_short(rows)
            self._free([serial])
            return
        pages = self.pages.of_unit(stream, self.inserted - rows, rows)
        unit = Unit(serial, rows, ret, lambda most: self._observations(pages, rows, most))
        room = self.pages.num - max(self._reserve, grows.pages)
        gone = self.partitions.offer(unit, room)
        self._free(gone)
        if serial not in gone:
            self._windows.show(stream, pages, rows)
            self.partitions.judge(serial)

    def _note_short(self, rows: int) -> None:
        if not self._ever["short"]:
            self._notes.append(
                f"a unit of {rows} rows was not kept: at least {self._limits.least} are needed, "
                "for one training sequence and --replay.unit.minlen (see replay/short). "
                "--replay.unit splice keeps rows of every episode."
            )
        self._ever["short"] += 1

    def _free(self, serials: list[int]) -> None:
        """Units are gone, and their memory is free."""
        self._windows.changed()
        for serial in serials:
            stream, first, rows, _ = self.table.get(serial)
            self._windows.hide(stream, self.pages.of_unit(stream, first, rows))
            self.pages.release(stream, first, rows)
            self._ever["gone"] += 1

    def _observations(self, pages: np.ndarray, rows: int, most: int) -> dict[str, np.ndarray]:
        offset = np.linspace(0, rows - 1, min(most, rows)).astype(np.int64)
        return self._read(self.pages.places(pages, rows)[offset])
