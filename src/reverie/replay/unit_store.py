"""Retention by units: episodes or pieces of a stream, which live and go as a whole."""

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from reverie.replay.errors import ReplayError
from reverie.replay.keep import NOTHING, AbstractIndex, AbstractKeep, Change, Spans, Ticket
from reverie.replay.partitions import Partitions
from reverie.replay.unit_table import OPEN

_GROWING = ("serial", "rows", "page", "fill", "ret")
"""What is known of the growing unit of every stream."""


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
    """A store of units [replay-sampling.md §5.2, §5.3]. Windows never leave their unit: the last
    L − 1 rows of a unit begin none.

    Units begin with the first row of a stream, after the previous unit, and, unless they may cross
    episodes, with every row that has `is_first`. When memory is full of growing units alone, the
    longest of them is cut in two and counted. Ordinals of windows count units by the time at which
    they began.
    """

    def __init__(self, held: Partitions, cut: Cut, *, streams: int):
        self.held, self._cut = held, cut
        """Pages and complete units."""
        self.length = held.length
        """Rows of a training window."""
        self._inserted = 0
        self._stream = np.arange(streams)
        self._serial = np.full(streams, -1)  # of the growing units; −1 where none grows
        self._rows = np.zeros(streams, np.int64)  # of the growing units
        self._ret = np.zeros(streams)
        self._page = np.zeros(streams, np.int64)  # on which they grow
        self._fill = np.full(streams, held.pages.size)  # rows there; full where nothing grows
        self._newest: deque[np.ndarray] = deque(maxlen=held.length)  # places of the last L rows
        self._notes: list[str] = []
        self._spans = (-1, Spans(NOTHING, NOTHING, NOTHING))  # of this version of the table
        num = len(held.parts)
        self._all = Section(self, None if num > 1 else 0)
        self._parts = tuple(Section(self, part) for part in range(num))

    @property
    def inserted(self) -> int:
        return self._inserted

    @property
    def num_rows(self) -> int:
        return int(self.held.pages.used.sum())

    @property
    def places(self) -> int:
        return self.held.pages.num * self.held.pages.size

    @property
    def parts(self) -> tuple[AbstractIndex, ...]:
        return self._parts

    def admit(self, rows: Mapping[str, Shaped[np.ndarray, "E ..."]]) -> Int[np.ndarray, " E"]:
        if not self._cut.crosses and True in rows["is_first"].tolist():  # the fastest any()
            for stream in np.flatnonzero(rows["is_first"] & (self._rows > 0)).tolist():
                self._complete(stream)
        size = self.held.pages.size
        while size in (fill := self._fill.tolist()):
            self._turn_page(fill.index(size))
        place = self._page * size + self._fill
        self._fill += 1
        self._rows += 1
        self.held.pages.used[self._page] = self._fill
        if "reward" in rows:
            self._ret += rows["reward"]
        self._newest.append(place)
        self._inserted += 1
        return place

    def settle(self, rows: Mapping[str, Shaped[np.ndarray, "E ..."]]) -> Change:
        if self._cut.ongoing:
            grown = np.flatnonzero(self._rows >= self.length)
            if len(grown):
                self.held.grow(self._serial[grown], self._newest[0][grown])
        lasts = not self._cut.crosses and True in rows["is_last"].tolist()
        if lasts or self._cut.rows in self._rows.tolist():
            ended = self._rows == self._cut.rows
            for stream in np.flatnonzero(ended | rows["is_last"] if lasts else ended).tolist():
                self._complete(stream)
        return self.held.change(self._newest[-1])

    def find(
        self, stream: Int[np.ndarray, "*N"], row: Int[np.ndarray, "*N"]
    ) -> Int[np.ndarray, "*N"]:
        return self.held.pages.find(stream, row)

    def address(self, place: Int[np.ndarray, " B"]) -> Ticket:
        page, offset = np.divmod(place, self.held.pages.size)
        return Ticket(self.held.pages.stream[page], self.held.pages.first[page] + offset)

    def drawable(
        self, stream: Int[np.ndarray, "*N"], row: Int[np.ndarray, "*N"]
    ) -> Bool[np.ndarray, "*N"]:
        place = self.find(stream, row)
        page, offset = np.divmod(np.maximum(place, 0), self.held.pages.size)
        return (place >= 0) & (offset < self.held.pages.starts[page])

    def num_windows(self, length: int) -> int:
        return self._all.num_windows(length)

    def locate(self, ordinal: Int[np.ndarray, " B"], length: int) -> Ticket:
        return self._all.locate(ordinal, length)

    def newer(
        self, stream: Int[np.ndarray, " B"], row: Int[np.ndarray, " B"]
    ) -> Float[np.ndarray, " B"]:
        table, counted = self.held.table, self.held.table.windows[-1]
        at = table.index(self.held.pages.unit[self.find(stream, row) // self.held.pages.size])
        inside = np.minimum(row - table.columns["first"][at], counted.counts[at])
        return 1.0 - (counted.before(at) + inside + 1) / max(1, counted.total)

    def spans(self) -> Spans:
        table = self.held.table
        version, spans = self._spans
        if version != table.version or self._cut.ongoing:
            rows = self.sizes(None)
            drawn = rows > 0
            stream, first = (table.columns[k][: table.size][drawn] for k in ("stream", "first"))
            spans = Spans(stream, first, rows[drawn])
            self._spans = table.version, spans
        return spans

    def sizes(self, part: int | None) -> Int[np.ndarray, " U"]:
        """Rows that may be drawn from, of every entry of the table; 0 outside the partition."""
        table = self.held.table
        kept, rows = (table.columns[name][: table.size].copy() for name in ("kept", "rows"))
        growing = kept == OPEN
        if self._cut.ongoing:
            there = self._serial >= 0
            rows[table.index(self._serial[there])] = self._rows[there]
        inside = kept != 0 if part is None else (kept >> part & 1) == 1
        inside &= ~growing | (self._cut.ongoing and part in (None, 0))
        return np.where(inside, rows, 0)

    def rescore(
        self,
        stream: Int[np.ndarray, "*N"],
        row: Int[np.ndarray, "*N"],
        score: Shaped[np.ndarray, "*N"],
    ) -> None:
        place = self.find(stream, row)
        live = place >= 0
        self.held.rescore(place[live], np.asarray(score)[live])

    def stats(self) -> dict[str, float]:
        """`units` stored or growing; `short` ones ever dropped; `cut` ones ever, for want of
        memory; `lost` live rows that begin no window; `empty` places on pages in use."""
        held, rows = self.held, self.num_rows
        return {
            "units": held.table.live,
            "short": held.short,
            "cut": held.cut,
            "lost": rows - self.num_windows(self.length),
            "empty": held.pages.taken * held.pages.size - rows,
        }

    def notes(self) -> list[str]:
        notes, self._notes = self._notes, []
        return notes

    def state(self) -> dict[str, Any]:
        pages = self.held.pages
        layout = {"kind": "units", "page": pages.size, "pages": pages.num}
        layout |= {"unit": self._cut.name, "rows": self._cut.rows}
        return {**layout, "inserted": self._inserted, **self.held.state()}

    def tables(self) -> dict[str, np.ndarray]:
        growing = {f"growing/{name}": getattr(self, f"_{name}").copy() for name in _GROWING}
        return growing | self.held.tables()

    def check(self, state: Mapping[str, Any]) -> None:
        found = [state["kind"], state.get("page"), state.get("unit"), state.get("rows")]
        found += [rule["name"] for rule in state.get("rules", ())]
        mine = self.state()
        expected = [mine["kind"], mine["page"], mine["unit"], mine["rows"]]
        expected += [part.name for part in self.held.parts]
        if found != expected:
            raise ReplayError(
                f"the saved replay keeps {found}, this run {expected} (store, rows a page, unit, "
                "its rows, rules): resume with the configuration of the run."
            )
        if state["pages"] > mine["pages"]:
            raise ReplayError(
                f"the saved replay has {state['pages']} pages of {mine['page']} rows, this run "
                f"{mine['pages']}: resume with --replay.capacity {state['pages'] * mine['page']}."
            )

    def load(self, state: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        """Memory may have grown since: the new pages are free."""
        self._inserted = int(state["inserted"])
        for name in _GROWING:
            getattr(self, f"_{name}")[:] = tables[f"growing/{name}"]
        self.held.load(state, tables)
        self._newest.clear()
        for row in range(max(0, self._inserted - self.length), self._inserted):
            rows = np.full(len(self._stream), row)
            self._newest.append(self.held.pages.find(self._stream, rows))

    def _turn_page(self, stream: int) -> None:
        """A new page for a stream, and a new unit if none is growing there."""
        while not self.held.room:
            if not self.held.shrink():
                self._cut_longest()
        if self._serial[stream] < 0:
            self._serial[stream] = self.held.table.append(stream, self._inserted)
        serial = int(self._serial[stream])
        self._page[stream] = self.held.take(stream, self._inserted, serial)
        self._fill[stream] = 0

    def _cut_longest(self) -> None:
        """Memory is full of growing units: the longest is complete as it is."""
        if not self.held.cut:
            self._notes.append(
                f"the replay's {self.places} rows are full of units that still grow: the longest, "
                f"of {self._rows.max()} rows, was cut in two (counted in replay/cut). A larger "
                "--replay.capacity, or --replay.unit splice, avoids it."
            )
        self.held.cut += 1
        self._complete(int(self._rows.argmax()))

    def _complete(self, stream: int) -> None:
        """The growing unit of a stream is complete; the next row begins another one."""
        serial, rows = int(self._serial[stream]), int(self._rows[stream])
        ret = float(self._ret[stream])
        if self._fill[stream] == 0:  # its newest page was taken a moment ago, and holds no row yet
            self.held.give_back(stream, self._inserted)
        self._serial[stream], self._rows[stream], self._ret[stream] = -1, 0, 0
        self._fill[stream] = self.held.pages.size
        if rows < self._cut.least and not self.held.short:
            self._notes.append(
                f"a unit of {rows} rows was not kept: at least {self._cut.least} are needed, for "
                "one training sequence and --replay.unit.minlen (see replay/short). --replay.unit "
                "splice keeps rows of every episode."
            )
        self.held.complete(serial, rows, ret, self._cut.least)


class Section(AbstractIndex):
    """The windows of one partition, or of all of them (None)."""

    def __init__(self, units: UnitStore, part: int | None):
        self._units, self._part = units, part
        self._counted = units.held.table.windows[-1 if part is None else part]

    def num_windows(self, length: int) -> int:
        if length == self._units.length:  # asked for at every step of a run
            return self._counted.total
        return int(self._counts(length).sum())

    def locate(self, ordinal: Int[np.ndarray, " B"], length: int) -> Ticket:
        if length == self._units.length:
            at, rest = self._counted.locate(ordinal)
        else:
            counts = self._counts(length)
            ends = np.cumsum(counts)
            at = np.searchsorted(ends, ordinal, side="right")
            rest = ordinal - (ends - counts)[at]
        columns = self._units.held.table.columns
        return Ticket(columns["stream"][at], columns["first"][at] + rest)

    def _counts(self, length: int) -> Int[np.ndarray, " U"]:
        return np.maximum(0, self._units.sizes(self._part) - length + 1)
