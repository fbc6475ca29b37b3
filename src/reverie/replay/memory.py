"""From the configuration to the shape of memory and the rule of retention: told apart here only."""

import functools as ft
from typing import NamedTuple, assert_never

from reverie.replay.coverage import Coverage
from reverie.replay.embed import Embedder
from reverie.replay.errors import ReplayError
from reverie.replay.holdings import Holdings, Part
from reverie.replay.keep import AbstractKeep, Fifo
from reverie.replay.oldest import Oldest
from reverie.replay.online import AbstractQueue, OnlineQueue, UnitQueue
from reverie.replay.options import KeepRule, ReplayConfig
from reverie.replay.pages import Pages
from reverie.replay.random_replace import RandomReplace
from reverie.replay.reservoir import Reservoir
from reverie.replay.retention import AbstractRule
from reverie.replay.store import Store
from reverie.replay.top import TopReturn, TopSurprise
from reverie.replay.units import Cut, Units


class Memory(NamedTuple):
    """The shape of the store: what `Store` and `make_keep` need."""

    rings: int
    """First axis of a column: streams of a ring; 1 for pages, which streams share."""
    slots: int
    """Rows a ring, or of all pages."""
    block: int
    """Slots of every ring that a file on disk covers."""
    page: int
    """Rows a page; 0 for rings."""
    reserve: int
    """Pages that growing units may always have."""


def make_memory(
    options: ReplayConfig, *, streams: int, capacity: int, length: int, chunk: int
) -> Memory:
    """The memory for `capacity` rows in all.

    Raises ReplayError if a window of `length` rows would never fit.
    """
    if options.unit == "row":
        return Memory(streams, capacity // streams, max(1, chunk // streams), 0, 0)
    page = options.unit_rows if options.unit == "splice" else options.page
    a_unit = -(-options.unit_rows // page) if options.unit != "episode" else 1
    memory = Memory(
        1, capacity // page * page, max(1, chunk // page) * page, page, streams * a_unit
    )
    if options.unit != "episode" and options.unit_rows < length:
        raise ReplayError(
            f"a sequence takes {length} rows and never leaves its unit: set --replay.unit-rows "
            f"{length} or more, found {options.unit_rows}."
        )
    shares = (options.split_share, 1 - options.split_share) if options.keep == "split" else (1.0,)
    window, free = -(-length // page), memory.slots // page - memory.reserve
    if any(int(share * free) < window for share in shares):
        need = (memory.reserve + max(-(-window // share) for share in shares) + 1) * page
        raise ReplayError(
            f"a replay of {capacity} rows has {capacity // page} pages of {page}; the {streams} "
            f"growing units take {memory.reserve} and a unit with a sequence of {length} rows "
            f"{window} in every partition: set --replay.capacity {int(need)} or more."
        )
    return memory


def make_keep(
    options: ReplayConfig, memory: Memory, store: Store, *, streams: int, length: int, seed: int
) -> AbstractKeep:
    """The retention that `options` describes, empty."""
    if options.unit == "row":
        return Fifo(streams=streams, slots=memory.slots, length=length)
    seen = [name for name in store.columns if name.startswith("obs/")]
    pages = Pages(memory.slots // memory.page, memory.page)
    read = ft.partial(store.gather, names=seen)
    held = Holdings(
        pages, make_rules(options, seed), length=length, reserve=memory.reserve, read=read
    )
    rows = 0 if options.unit == "episode" else options.unit_rows
    least = max(options.minlen + 1, 1 if options.pieces else length)
    cut = Cut(options.unit, rows, least, options.ongoing)
    return Units(held, cut, streams=streams)


def make_queue(options: ReplayConfig, *, streams: int, length: int) -> AbstractQueue:
    """The online queue that goes with the retention, empty."""
    if options.unit == "row":
        return OnlineQueue(streams=streams, length=length)
    return UnitQueue(streams=streams, length=length)


def make_rules(options: ReplayConfig, seed: int) -> list[Part]:
    """The partitions of the store with their rules."""
    if options.keep != "split":
        return [_part(options.keep, options, seed, 1.0)]
    share = options.split_share
    return [
        _part("fifo", options, seed, share),
        _part(options.split_keep, options, seed, 1.0 - share),
    ]


def _part(kind: KeepRule, options: ReplayConfig, seed: int, share: float) -> Part:
    return Part(kind, _rule(kind, options, seed), share, kind == "top_surprise")


def _rule(kind: KeepRule, options: ReplayConfig, seed: int) -> AbstractRule:
    match kind:
        case "fifo":
            return Oldest()
        case "reservoir":
            return Reservoir(seed)
        case "random_replace":
            return RandomReplace(seed)
        case "coverage":
            return Coverage(seed, embed=Embedder(seed), distance=options.coverage_distance)
        case "top_return":
            return TopReturn()
        case "top_surprise":
            return TopSurprise()
        case _:
            assert_never(kind)
