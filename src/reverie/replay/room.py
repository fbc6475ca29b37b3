"""The memory of a replay: planned, and checked against what is free, before the first row."""

from collections.abc import Iterable
from dataclasses import dataclass

from reverie.replay.options import ReplayConfig
from reverie.replay.rows import Columns
from reverie.replay.sampler import Sampler, score_columns
from reverie.replay.store import Store, available_bytes, check_budget, planned_bytes
from reverie.replay.unit import Demand, Memory


@dataclass(frozen=True)
class Room:
    """What a run asks for, the shape that its units of retention need, and the store itself."""

    demand: Demand
    memory: Memory
    store: Store
    touched: int
    """Slots of a ring, or of all pages, that rows can ever reach."""

    @property
    def planned_bytes(self) -> int:
        """Host memory of the full replay: of the rows that can ever be touched."""
        return planned_bytes(self.store.columns, streams=self.store.streams, slots=self.touched)

    @property
    def disk_bytes(self) -> int:
        """Disk of the full replay: with the empty ends of units' pages."""
        slots = self.store.slots
        return planned_bytes(self.store.columns, streams=self.store.streams, slots=slots)

    @property
    def wraps(self) -> bool:
        """Whether rows of units may have to go: more may come than there is room for."""
        return self.memory.page > 0 and self.touched == self.store.slots


def make_room(
    columns: Columns,
    options: ReplayConfig,
    demand: Demand,
    *,
    mutable: Iterable[str],
    chunk: int,
    gigabytes: float,
    inserts: int | None,
) -> Room:
    """The room for rows of these columns and for the scores that the strategy keeps of each.

    The other arguments are those of `Replay`. Raises ReplayError where the budget is exceeded.
    """
    memory = options.unit.memory(demand, options.keep, chunk)
    rings, slots, block = memory[:3]
    free = available_bytes()
    scores = score_columns(options)
    stored = columns | scores
    touched = slots if inserts is None else min(slots, -(-inserts // rings))
    check_budget(stored, streams=rings, slots=touched, gigabytes=gigabytes, free=free)
    names = (*mutable, *scores)
    store = Store(stored, streams=rings, slots=slots, block=block, mutable=names)
    return Room(demand, memory, store, touched)


def empty_sampler(options: ReplayConfig, room: Room, *, seed: int, online: bool) -> Sampler:
    """What a replay holds beside its rows, before the first of them."""
    keep = options.unit.build(room.demand, options.keep, room.memory, room.store, seed)
    return Sampler(
        options,
        keep,
        length=room.demand.length,
        streams=room.demand.streams,
        arrays={name: room.store.flat(name) for name in score_columns(options)},
        touch=room.store.touch,
        queue=options.unit.queue(keep, room.demand) if online else None,
    )
