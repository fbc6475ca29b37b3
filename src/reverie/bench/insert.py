"""What inserting rows costs beside their copying: places, pages, tables, scores, and the count of
windows that can be drawn, which a run asks for after every row."""

import itertools
import time
from collections.abc import Callable

import numpy as np

from reverie.bench.timing import median
from reverie.replay.keep import AbstractKeep
from reverie.replay.options import ReplayConfig
from reverie.replay.priorities import Proportional
from reverie.replay.reservoir import Reservoir
from reverie.replay.sampler import Sampler, score_columns
from reverie.replay.store import Store
from reverie.replay.unit import Demand, Episode, Splice
from reverie.signals.kl import Kl

_BY_SCORE = {"draw": Proportional(), "signal": Kl()}

STRATEGIES = {
    "ring, uniform": ReplayConfig(),
    "ring, uncertainty": ReplayConfig(**_BY_SCORE),
    "splices, reservoir": ReplayConfig(unit=Splice(), keep=Reservoir()),
    "episodes, reservoir": ReplayConfig(unit=Episode(), keep=Reservoir()),
    "episodes, reservoir, uncertainty": ReplayConfig(unit=Episode(), keep=Reservoir(), **_BY_SCORE),
    "episodes, reservoir, growing ones too": ReplayConfig(
        unit=Episode(ongoing=True), keep=Reservoir()
    ),
}
"""What is measured: kind of store, rule and draw."""

EPISODE = 200
"""Rows of an episode."""

CAPACITY = 50_000
"""Rows of the store, which is full when the clock starts."""

ROWS = 20_000
"""Rows that are inserted while it runs."""


def rates(streams: int, length: int, repeats: int) -> dict[str, float]:
    """Rows a second of one core by strategy: medians of `repeats`, with a row of each of `streams`
    environments at a time."""
    return {name: _rate(config, streams, length, repeats) for name, config in STRATEGIES.items()}


def _rate(config: ReplayConfig, streams: int, length: int, repeats: int) -> float:
    _, insert = full(config, streams, length)
    samples = []
    for _ in range(repeats):
        begin = time.thread_time()
        insert(ROWS)
        samples.append(ROWS / (time.thread_time() - begin))
    return median(samples)


def full(
    config: ReplayConfig, streams: int, length: int
) -> tuple[AbstractKeep, Callable[[int], None]]:
    """A full store, and what inserts at least so many rows more, one of every stream at a time."""
    demand = Demand(streams, CAPACITY, length)
    memory = config.unit.memory(demand, config.keep, 1024)
    store = Store({}, streams=memory.rings, slots=memory.slots, block=memory.block, mutable=())
    keep = config.unit.build(demand, config.keep, memory, store, 0)
    arrays = {k: np.zeros(keep.places, c.dtype) for k, c in score_columns(config).items()}
    sampler = Sampler(config, keep, length=length, streams=streams, arrays=arrays)
    rows = itertools.cycle(_episode(streams))

    def insert(count: int) -> None:
        for _ in range(-(-count // streams)):
            row = next(rows)
            sampler.follow(keep.admit(row), row)
            keep.num_windows(length)  # the loop asks whether an update may begin
        sampler.settle()

    insert(2 * CAPACITY)
    return keep, insert


def _episode(streams: int) -> list[dict[str, np.ndarray]]:
    """The columns that retention looks at, for every row of an episode."""
    reward = np.zeros(streams, np.float32)
    return [
        {
            "reward": reward,
            "is_first": np.full(streams, step == 0),
            "is_last": np.full(streams, step == EPISODE - 1),
        }
        for step in range(EPISODE)
    ]
