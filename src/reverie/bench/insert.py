"""What inserting rows costs beside their copying: places, pages, rosters, scores, and the count of
windows that can be drawn, which a run asks for after every row."""

import itertools
import time
from collections.abc import Callable

import numpy as np

from reverie.bench.timing import median
from reverie.replay.keep import AbstractKeep
from reverie.replay.memory import make_keep, make_memory
from reverie.replay.options import ReplayConfig, ScoreConfig
from reverie.replay.sampler import Sampler, score_columns
from reverie.replay.store import Store

STRATEGIES = {
    "ring, uniform": {},
    "ring, uncertainty": {"draw": "proportional"},
    "splices, reservoir": {"unit": "splice", "keep": "reservoir"},
    "episodes, reservoir": {"unit": "episode", "keep": "reservoir"},
    "episodes, reservoir, uncertainty": {
        "unit": "episode",
        "keep": "reservoir",
        "draw": "proportional",
    },
    "episodes, reservoir, growing ones too": {
        "unit": "episode",
        "keep": "reservoir",
        "ongoing": True,
    },
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
    return {name: _rate(edits, streams, length, repeats) for name, edits in STRATEGIES.items()}


def _rate(edits: dict, streams: int, length: int, repeats: int) -> float:
    _, insert = full(edits, streams, length)
    samples = []
    for _ in range(repeats):
        begin = time.thread_time()
        insert(ROWS)
        samples.append(ROWS / (time.thread_time() - begin))
    return median(samples)


def full(edits: dict, streams: int, length: int) -> tuple[AbstractKeep, Callable[[int], None]]:
    """A full store, and what inserts at least so many rows more, one of every stream at a time."""
    signal = "kl" if edits.get("draw") == "proportional" else "none"
    config = ReplayConfig(**edits, score=ScoreConfig(signal=signal))
    memory = make_memory(config, streams=streams, capacity=CAPACITY, length=length, chunk=1024)
    store = Store({}, streams=memory.rings, slots=memory.slots, block=memory.block, mutable=())
    keep = make_keep(config, memory, store, streams=streams, length=length, seed=0)
    arrays = {k: np.zeros(keep.places, c.dtype) for k, c in score_columns(config).items()}
    sampler = Sampler(config, length=length, streams=streams, arrays=arrays)
    rows = itertools.cycle(_episode(streams))

    def insert(count: int) -> None:
        for _ in range(-(-count // streams)):
            row = next(rows)
            keep.admit(row)
            sampler.follow(keep.settle(row), keep, row)
            keep.num_windows(length)  # the loop asks whether an update may begin

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
