"""Retention by units: episodes or pieces of a stream, which live and go as a whole."""

from collections import deque
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from reverie.replay.errors import ReplayError
from reverie.replay.holdings import Holdings
from reverie.replay.keep import NOTHING, AbstractIndex, AbstractKeep, Change, Spans, Ticket
from reverie.replay.roster import OPEN, Roster


class Cut(NamedTuple):
    """Where units begin and end, and what may be drawn from them."""

    kind: Literal["episode", "chunk", "splice"]
    """episode: from is_first to is_last. chunk: at most `rows` rows of one episode. splice:
    `rows` rows of a stream, whatever episodes they belong to."""
    rows: int
    """Rows of a chunk or splice; 0 for episodes."""
    least: int
    """Units with fewer rows are dropped when they are complete, and counted."""
    ongoing: bool
    """Units that are still growing may be drawn from."""


class Units(AbstractKeep):
    """A store of units [replay-sampling.md §5.2, §5.3]. Windows never leave their unit: the last
    L − 1 rows of a unit begin none.

    Units begin with the first row of a stream, after the previous unit, and, but for splices, with
    every row that has `is_first`. When memory is full of growing units alone, the longest of them
    is cut in two and counted. Ordinals of windows count units by the time at which they began.

    A row that neither begins nor ends anything costs a few additions: what it changes in pages and
    in the counts of windows is written down when somebody asks, or something ends (`catch_up`).
    """

    def __init__(self, holdings: Holdings, cut: Cut, *, streams: int):
        self._held, self._cut = holdings, cut
        self.length = holdings.length
        """Rows of a training window."""
        self._inserted = 0
        self._stream = np.arange(streams)
        self._serial = np.full(streams, -1)
        self._begun = np.zeros(streams, np.int64)  # the first row of the growing unit
        self._page = np.zeros(streams, np.int64)
        self._ret = np.zeros(streams)
        self._place = np.zeros(streams, np.int64)  # of the newest row
        self._newest: deque[np.ndarray] = deque(maxlen=holdings.length)  # places of the last L rows
        self._calm = 0  # rows until a stream needs a page, or its unit has L rows or all of them
        self._behind = False  # rows came of which the pages do not know
        self._drawn = self._stream[:0]  # streams whose growing units may be drawn from
        self._grown: list[np.ndarray] = []  # where their windows begin that are not counted yet
        self._notes: list[str] = []
        self._spans = (-1, Spans(NOTHING, NOTHING, NOTHING))  # of this version of the roster
        num = len(holdings.parts)
        self._all = Section(self, None if num > 1 else 0)
        self._parts = tuple(Section(self, part) for part in range(num))

    @property
    def inserted(self) -> int:
        return self._inserted

    @property
    def num_rows(self) -> int:
        self.catch_up()
        return int(self._held.pages.used.sum())

    @property
    def places(self) -> int:
        return self._held.pages.num * self._held.pages.size

    @property
    def parts(self) -> tuple[AbstractIndex, ...]:
        return self._parts

    def admit(self, rows: Mapping[str, Shaped[np.ndarray, "E ..."]]) -> Int[np.ndarray, " E"]:
        if self._cut.kind != "splice" and True in rows["is_first"].tolist():  # the fastest any()
            for stream in np.flatnonzero(rows["is_first"] & (self._rows > 0)).tolist():
                self._complete(stream)
        if not self._calm:
            self._turn_pages()
        self._calm -= 1
        self._place = self._place + 1
        self._behind = True
        if "reward" in rows:
            self._ret += rows["reward"]
        self._newest.append(self._place)
        self._inserted += 1
        return self._place

    def settle(self, rows: Mapping[str, Shaped[np.ndarray, "E ..."]]) -> Change:
        lasts = self._cut.kind != "splice" and True in rows["is_last"].tolist()
        if self._calm and not lasts and not self._held.changed:
            opened = self._opened()
            if len(opened):
                self._grown.append(opened)
            return Change(NOTHING, self._place, opened)
        self.catch_up()
        self._find_drawn()
        self._held.grow(self._serial[self._drawn], self._opened())
        if lasts or not self._calm:
            ended = self._rows == self._cut.rows
            for stream in np.flatnonzero(ended | rows["is_last"] if lasts else ended).tolist():
                self._complete(stream)
        return self._held.change(self._place)

    def find(
        self, stream: Int[np.ndarray, "*N"], row: Int[np.ndarray, "*N"]
    ) -> Int[np.ndarray, "*N"]:
        self.catch_up()
        return self._held.pages.find(stream, row)

    def address(self, place: Int[np.ndarray, " B"]) -> Ticket:
        page, offset = np.divmod(place, self._held.pages.size)
        return Ticket(self._held.pages.stream[page], self._held.pages.first[page] + offset)

    def drawable(
        self, stream: Int[np.ndarray, "*N"], row: Int[np.ndarray, "*N"]
    ) -> Bool[np.ndarray, "*N"]:
        place = self.find(stream, row)
        page, offset = np.divmod(np.maximum(place, 0), self._held.pages.size)
        return (place >= 0) & (offset < self._held.pages.starts[page])

    def num_windows(self, length: int) -> int:
        return self._all.num_windows(length)

    def locate(self, ordinal: Int[np.ndarray, " B"], length: int) -> Ticket:
        return self._all.locate(ordinal, length)

    def newer(
        self, stream: Int[np.ndarray, " B"], row: Int[np.ndarray, " B"]
    ) -> Float[np.ndarray, " B"]:
        roster, tally = self.held.roster, self._held.roster.tallies[-1]
        at = roster.index(self._held.pages.unit[self.find(stream, row) // self._held.pages.size])
        inside = np.minimum(row - roster.columns["first"][at], tally.counts[at])
        return 1.0 - (tally.before(at) + inside + 1) / max(1, tally.total)

    def spans(self) -> Spans:
        roster = self._held.roster
        version, spans = self._spans
        if version != roster.version or self._cut.ongoing:
            rows = self.sizes(None)
            drawn = rows > 0
            stream, first = (roster.columns[k][: roster.size][drawn] for k in ("stream", "first"))
            spans = Spans(stream, first, rows[drawn])
            self._spans = roster.version, spans
        return spans

    def sizes(self, part: int | None) -> Int[np.ndarray, " U"]:
        """Rows that may be drawn from, of every entry of the roster; 0 outside the partition."""
        roster = self._held.roster
        kept, rows = (roster.columns[name][: roster.size].copy() for name in ("kept", "rows"))
        growing = kept == OPEN
        if self._cut.ongoing:
            there = self._serial >= 0
            rows[roster.index(self._serial[there])] = self._rows[there]
        inside = kept != 0 if part is None else (kept >> part & 1) == 1
        inside &= ~growing | (self._cut.ongoing and part in (None, 0))
        return np.where(inside, rows, 0)

    @property
    def held(self) -> Holdings:
        """The pages, the roster and the partitions, up to date."""
        self.catch_up()
        return self._held

    @property
    def roster(self) -> Roster:
        """The units there are; counts of windows of growing ones may lag by `waiting`."""
        return self._held.roster

    @property
    def waiting(self) -> int:
        """Windows of growing units that are not counted yet."""
        return len(self._grown) * len(self._drawn)

    def rescore(
        self,
        stream: Int[np.ndarray, "*N"],
        row: Int[np.ndarray, "*N"],
        score: Shaped[np.ndarray, "*N"],
    ) -> None:
        place = self.find(stream, row)
        live = place >= 0
        self._held.rescore(place[live], np.asarray(score)[live])

    def stats(self) -> dict[str, float]:
        """`units` stored or growing; `short` ones ever dropped; `cut` ones ever, for want of
        memory; `lost` live rows that begin no window; `empty` places on pages in use."""
        held, rows = self._held, self.num_rows
        return {
            "units": held.roster.live,
            "short": held.short,
            "cut": held.cut,
            "lost": rows - self.num_windows(self.length),
            "empty": held.pages.taken * held.pages.size - rows,
        }

    def notes(self) -> list[str]:
        notes, self._notes = self._notes, []
        return notes

    def state(self) -> dict[str, Any]:
        pages = self._held.pages
        layout = {"kind": "units", "page": pages.size, "pages": pages.num}
        layout |= {"unit": self._cut.kind, "rows": self._cut.rows}
        return {**layout, "inserted": self._inserted, **self._held.state()}

    def tables(self) -> dict[str, np.ndarray]:
        names = ("serial", "rows", "page", "fill", "ret")
        growing = {f"growing/{name}": getattr(self, f"_{name}").copy() for name in names}
        return growing | self.held.tables()

    def check(self, state: Mapping[str, Any]) -> None:
        found = [state["kind"], state.get("page"), state.get("unit"), state.get("rows")]
        found += [rule["name"] for rule in state.get("rules", ())]
        mine = self.state()
        expected = [mine["kind"], mine["page"], mine["unit"], mine["rows"]]
        expected += [part.name for part in self._held.parts]
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
        for name in ("serial", "page", "ret"):
            getattr(self, f"_{name}")[:] = tables[f"growing/{name}"]
        self._begun = self._inserted - tables["growing/rows"]
        self._place = self._page * self._held.pages.size + tables["growing/fill"] - 1
        self._calm, self._behind, self._grown = 0, False, []
        self._held.load(state, tables)
        self._newest.clear()
        for row in range(max(0, self._inserted - self.length), self._inserted):
            rows = np.full(len(self._stream), row)
            self._newest.append(self._held.pages.find(self._stream, rows))

    @property
    def _rows(self) -> Int[np.ndarray, " E"]:
        """Rows of the growing units."""
        return np.where(self._serial >= 0, self._inserted - self._begun, 0)

    @property
    def _fill(self) -> Int[np.ndarray, " E"]:
        """Rows on the pages where they grow; a page is full where nothing grows."""
        size = self._held.pages.size
        return np.where(self._serial >= 0, self._place + 1 - self._page * size, size)

    def catch_up(self) -> None:
        """Write down what the rows since the last time have changed."""
        if self._behind:
            growing = self._serial >= 0
            self._held.pages.used[self._page[growing]] = self._fill[growing]
            self._behind = False
        if self._grown:
            self._held.count(self._serial[self._drawn], np.stack(self._grown))
            self._grown = []

    def _find_drawn(self) -> None:
        """Whose growing units may be drawn from, now that nothing waits to be counted."""
        if self._cut.ongoing:
            self._drawn = np.flatnonzero(self._rows >= self.length)

    def _opened(self) -> Int[np.ndarray, " N"]:
        """Where the windows begin that the newest rows complete in growing units."""
        num = len(self._drawn)
        if not num:
            return NOTHING
        place = self._newest[0]
        return place if num == len(place) else place[self._drawn]

    def _turn_pages(self) -> None:
        """A page for every stream that has none left, and how long all stays as it is then."""
        self.catch_up()
        self._place = self._place.copy()  # others hold the one of the row before
        size, fill = self._held.pages.size, self._fill
        while (full := fill == size).any():
            self._turn_page(int(full.argmax()))
            fill = self._fill
        self._calm = int(size - fill.max())
        if self._cut.rows:
            self._calm = min(self._calm, int(self._cut.rows - self._rows.max()))
        if self._cut.ongoing:
            self._find_drawn()
            rows = self._rows
            short = self.length - rows[rows < self.length]
            self._calm = min(self._calm, int(short.min(initial=size)))

    def _turn_page(self, stream: int) -> None:
        """A new page for a stream, and a new unit if none is growing there."""
        while not self._held.room:
            if not self._held.shrink():
                self._cut_longest()
        if self._serial[stream] < 0:
            self._serial[stream] = self._held.roster.append(stream, self._inserted)
            self._begun[stream] = self._inserted
        serial = int(self._serial[stream])
        self._page[stream] = self._held.take(stream, self._inserted, serial)
        self._place[stream] = self._page[stream] * self._held.pages.size - 1

    def _cut_longest(self) -> None:
        """Memory is full of growing units: the longest is complete as it is."""
        if not self._held.cut:
            self._notes.append(
                f"the replay's {self.places} rows are full of units that still grow: the longest, "
                f"of {self._rows.max()} rows, was cut in two (counted in replay/cut). A larger "
                "--replay.capacity, or --replay.unit splice, avoids it."
            )
        self._held.cut += 1
        self._complete(int(self._rows.argmax()))

    def _complete(self, stream: int) -> None:
        """The growing unit of a stream is complete; the next row begins another one."""
        self.catch_up()
        serial, rows = int(self._serial[stream]), int(self._rows[stream])
        ret = float(self._ret[stream])
        if self._fill[stream] == 0:  # its newest page was taken a moment ago, and holds no row yet
            self._held.give_back(stream, self._inserted)
        self._serial[stream], self._ret[stream] = -1, 0
        self._calm = 0
        if rows < self._cut.least and not self._held.short:
            self._notes.append(
                f"a unit of {rows} rows was not kept: at least {self._cut.least} are needed, for "
                "one training sequence and --replay.minlen (see replay/short). --replay.unit "
                "splice keeps rows of every episode."
            )
        self._held.complete(serial, rows, ret, self._cut.least)


class Section(AbstractIndex):
    """The windows of one partition, or of all of them (None)."""

    def __init__(self, units: Units, part: int | None):
        self._units, self._part = units, part
        self._tally = units.roster.tallies[-1 if part is None else part]
        self._grows = part in (None, 0)  # growing units belong to the first partition

    def num_windows(self, length: int) -> int:
        if length == self._units.length:  # asked for at every step of a run
            return self._tally.total + (self._units.waiting if self._grows else 0)
        return int(self._counts(length).sum())

    def locate(self, ordinal: Int[np.ndarray, " B"], length: int) -> Ticket:
        if length == self._units.length:
            self._units.catch_up()
            at, rest = self._tally.locate(ordinal)
        else:
            counts = self._counts(length)
            ends = np.cumsum(counts)
            at = np.searchsorted(ends, ordinal, side="right")
            rest = ordinal - (ends - counts)[at]
        columns = self._units.roster.columns
        return Ticket(columns["stream"][at], columns["first"][at] + rest)

    def _counts(self, length: int) -> Int[np.ndarray, " U"]:
        return np.maximum(0, self._units.sizes(self._part) - length + 1)
