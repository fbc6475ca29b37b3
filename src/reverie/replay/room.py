"""The memory of a replay, planned and checked against what is free, and what begins empty in it."""

from collections.abc import Iterable
from typing import NamedTuple

from reverie.replay.keep import AbstractKeep
from reverie.replay.options import ReplayConfig
from reverie.replay.rows import Columns
from reverie.replay.sampler import Sampler, score_columns
from reverie.replay.store import Store, available_bytes, check_budget
from reverie.replay.unit import Demand, Memory


class Inside(NamedTuple):
    """What a replay is made of; `remote.py` keeps its books where rows lie elsewhere."""

    keep: AbstractKeep
    sampler: Sampler
    store: Store


def make_store(
    columns: Columns,
    options: ReplayConfig,
    memory: Memory,
    *,
    mutable: Iterable[str],
    gigabytes: float,
    inserts: int | None,
) -> Store:
    """The store for rows of these columns and for the scores that the strategy keeps of each.

    The other arguments are those of `Replay`. Raises ReplayError where the budget is exceeded.
    """
    rings, slots, scores = memory.rings, memory.slots, score_columns(options)
    touched = slots if inserts is None else min(slots, -(-inserts // rings))
    check_budget(
        columns | scores, streams=rings, slots=touched, gigabytes=gigabytes, free=available_bytes()
    )
    names = (*mutable, *scores)
    store = Store(columns | scores, streams=rings, slots=slots, block=memory.block, mutable=names)
    store.touched = touched
    return store


def empty_sampler(
    options: ReplayConfig, demand: Demand, memory: Memory, store: Store, *, seed: int, online: bool
) -> Sampler:
    """What a replay holds beside its rows, before the first of them."""
    keep = options.unit.build(demand, options.keep, memory, store, seed)
    return Sampler(
        options,
        keep,
        length=demand.length,
        streams=demand.streams,
        arrays={name: store.flat(name) for name in score_columns(options)},
        touch=store.touch,
        queue=options.unit.queue(keep, demand) if online else None,
    )
