"""What goes as a whole when memory is full: a row, or units of rows; and the memory they take."""

import functools as ft
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from reverie.part.checks import Checker
from reverie.part.errors import ConfigError
from reverie.part.needs import SCORES, UNITS, Need
from reverie.part.part import Part, name_of
from reverie.replay.errors import ReplayError
from reverie.replay.keep import AbstractKeep, Ring
from reverie.replay.partitions import Partition
from reverie.replay.retention import AbstractRetention
from reverie.replay.store import Store
from reverie.replay.unit_store import Cut, UnitStore
from reverie.replay.unit_table import Pages
from reverie.replay.unseen import AbstractQueue, OnlineQueue, UnitQueue

LONG = 512
"""Rows that are set aside for a growing unit without a limit."""

LEAST = 32
"""Rows that are set aside for a growing splice at least."""


class Demand(NamedTuple):
    """What a run asks of its memory."""

    streams: int
    """Environments."""
    capacity: int
    """Rows in all."""
    length: int
    """Rows of a training window."""
    pieces: bool = False
    """Whether sequences are laid out of pieces, so that units may be shorter than they."""


class Memory(NamedTuple):
    """The shape of the store."""

    rings: int
    """First axis of a column: streams of a ring; 1 for pages, which streams share."""
    slots: int
    """Rows a ring, or of all pages."""
    block: int
    """Slots of every ring that a file on disk covers."""
    page: int = 0
    """Rows a page; 0 for rings."""
    reserve: int = 0
    """Pages that growing units may always have."""


class AbstractUnit(Part, ABC):
    """What goes as a whole when memory is full."""

    SLOT = "replay.unit"
    MEMBERS: ClassVar[Mapping[str, str]] = {
        "row": "reverie.replay.unit:Row",
        "episode": "reverie.replay.unit:Episode",
        "chunk": "reverie.replay.unit:Chunk",
        "splice": "reverie.replay.unit:Splice",
    }

    minlen: int = 0
    """Units with fewer agent steps are not kept."""
    rows: int = 0
    """Rows of a unit at most; 0: no limit."""

    @abstractmethod
    def room(self, inserted: int, demand: Demand) -> int:
        """Rows of memory, at most `demand.capacity`, that a run needs which inserts so many."""

    @abstractmethod
    def memory(self, demand: Demand, keep: AbstractRetention, chunk: int) -> Memory:
        """The memory for `demand.capacity` rows in files of `chunk` rows.

        Raises ReplayError if a window would never fit.
        """

    @abstractmethod
    def build(
        self, demand: Demand, keep: AbstractRetention, memory: Memory, store: Store, seed: int
    ) -> AbstractKeep:
        """What decides which rows live, and where; empty."""

    @abstractmethod
    def queue(self, keep: Any, demand: Demand) -> AbstractQueue:
        """The online queue that goes with what `build` made, empty."""


@dataclass(frozen=True)
class Row(AbstractUnit):
    """The oldest row goes; windows may cross episodes."""

    def room(self, inserted: int, demand: Demand) -> int:
        return min(demand.capacity, inserted)

    def memory(self, demand: Demand, keep: AbstractRetention, chunk: int) -> Memory:
        streams = demand.streams
        return Memory(streams, demand.capacity // streams, max(1, chunk // streams))

    def build(
        self, demand: Demand, keep: AbstractRetention, memory: Memory, store: Store, seed: int
    ) -> AbstractKeep:
        return Ring(streams=demand.streams, slots=memory.slots, length=demand.length)

    def queue(self, keep: Ring, demand: Demand) -> AbstractQueue:
        return OnlineQueue(keep, streams=demand.streams, length=demand.length)


class AbstractPagedUnit(AbstractUnit):
    """Units of rows on pages of memory. Windows never leave their unit."""

    ongoing: bool = False
    """Draw from units that are still growing."""
    crosses: ClassVar[bool] = False
    """Whether a unit may hold rows of several episodes."""

    @property
    @abstractmethod
    def page_rows(self) -> int:
        """Rows of memory that a unit takes at a time."""

    def room(self, inserted: int, demand: Demand) -> int:
        """The last page of a unit is not full, and every environment grows a unit of its own; room
        for three times the rows is the most that is laid out: a run whose episodes fill less than a
        third of their pages loses some."""
        growing = 2 * demand.streams + 1
        if self.crosses:
            return min(demand.capacity, inserted + growing * max(LEAST, self.rows))
        growing *= max(self.page_rows, self.rows or LONG)
        least = max(self.minlen, 0 if demand.pieces else demand.length - 1) + 1
        empty = min(2 * inserted, inserted // least * (self.page_rows - 1))
        return min(demand.capacity, inserted + empty + growing)

    def memory(self, demand: Demand, keep: AbstractRetention, chunk: int) -> Memory:
        page, (streams, capacity, length, _) = self.page_rows, demand
        if 0 < self.rows < length:
            raise ReplayError(
                f"a sequence takes {length} rows and never leaves its unit: set --replay.unit.rows "
                f"{length} or more, found {self.rows}."
            )
        reserve = streams * max(1, -(-self.rows // page))
        slots, block = capacity // page * page, max(1, chunk // page) * page
        window, free = -(-length // page), slots // page - reserve
        shares = [share for _, share in keep.stores()]
        if any(int(share * free) < window for share in shares):
            need = (reserve + max(-(-window // share) for share in shares) + 1) * page
            raise ReplayError(
                f"a replay of {capacity} rows has {capacity // page} pages of {page}; the "
                f"{streams} growing units take {reserve} and a unit with a sequence of {length} "
                f"rows {window} in every store: set --replay.capacity {int(need)} or more."
            )
        return Memory(1, slots, block, page, reserve)

    def build(
        self, demand: Demand, keep: AbstractRetention, memory: Memory, store: Store, seed: int
    ) -> AbstractKeep:
        seen = [name for name in store.columns if name.startswith("obs/")]
        least = max(self.minlen + 1, 1 if demand.pieces else demand.length)
        name = name_of(AbstractUnit, self)
        return UnitStore(
            Pages(memory.slots // memory.page, memory.page),
            partitions(keep, seed),
            Cut(name, self.rows, self.crosses, least, self.ongoing),
            streams=demand.streams,
            length=demand.length,
            reserve=memory.reserve,
            read=ft.partial(store.gather, names=seen),
        )

    def queue(self, keep: UnitStore, demand: Demand) -> AbstractQueue:
        return UnitQueue(keep, streams=demand.streams, length=demand.length)

    def offers(self) -> frozenset[Need]:
        return frozenset({UNITS})


def partitions(keep: AbstractRetention, seed: int) -> list[Partition]:
    """The stores that memory is split into, each with its rule."""
    return [
        Partition(name_of(AbstractRetention, one), one.rule(seed), share, SCORES in one.needs())
        for one, share in keep.stores()
    ]


@dataclass(frozen=True)
class Episode(AbstractPagedUnit):
    """An episode goes as a whole."""

    page: int = 32
    """Rows of memory that an episode takes at a time; on average half a page a unit stays empty."""
    ongoing: bool = False
    """Draw from episodes that are still growing."""
    minlen: int = 0
    """Episodes with fewer agent steps than this are not kept."""

    def __post_init__(self):
        check = Checker(self, "replay.unit.")
        check.at_least(1, "page")
        check.at_least(0, "minlen")

    @property
    def page_rows(self) -> int:
        return self.page


@dataclass(frozen=True)
class Chunk(AbstractPagedUnit):
    """At most `rows` rows of one episode go as a whole."""

    rows: int = 512
    """Rows of a chunk."""
    page: int = 32
    """Rows of memory that a chunk takes at a time; on average half a page a unit stays empty."""
    ongoing: bool = False
    """Draw from chunks that are still growing."""
    minlen: int = 0
    """Chunks (the rest of an episode) with fewer agent steps than this are not kept."""

    def __post_init__(self):
        check = Checker(self, "replay.unit.")
        check.at_least(1, "rows", "page")
        check.at_least(0, "minlen")
        if self.minlen >= self.rows:
            raise ConfigError(
                f"replay.unit.minlen ({self.minlen}) would drop every chunk of replay.unit.rows "
                f"({self.rows}) rows: set it below."
            )

    @property
    def page_rows(self) -> int:
        return self.page


@dataclass(frozen=True)
class Splice(AbstractPagedUnit):
    """`rows` rows of one environment go as a whole, whatever episodes they belong to [WMAR]."""

    rows: int = 512
    """Rows of a splice, which takes as many rows of memory at once."""
    ongoing: bool = False
    """Draw from splices that are still growing."""
    crosses: ClassVar[bool] = True

    def __post_init__(self):
        Checker(self, "replay.unit.").at_least(1, "rows")

    @property
    def page_rows(self) -> int:
        return self.rows
