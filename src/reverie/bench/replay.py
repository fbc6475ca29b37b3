"""What drawing and writing back cost: uniform, by scores, and with a tree of pointers."""

import dataclasses
import random
import time
from typing import NamedTuple

import numpy as np

from reverie.bench import insert, output
from reverie.bench.options import ReplayOptions
from reverie.bench.pointers import PointerTree
from reverie.bench.timing import median, spread
from reverie.replay.draw import TRAIN, generator
from reverie.replay.keep import Ring, Ticket
from reverie.replay.keep import spread as rows_of
from reverie.replay.options import ReplayConfig
from reverie.replay.priorities import Proportional
from reverie.replay.sampler import Sampler, score_columns
from reverie.replay.tree import compilable
from reverie.signals.kl import Kl

CALLS = 100
"""Draws and write-backs in a timed repeat."""

CONTEXT = 1
"""Rows of a window that are not scored."""


UNCERTAINTY = ReplayConfig(draw=Proportional(), signal=Kl(), kernels="numpy")
"""The priority that is measured."""


class Place(NamedTuple):
    """A full ring without rows: only what draws and scores keep."""

    sampler: Sampler
    nbytes: float  # of bookkeeping a window


class Cost(NamedTuple):
    """Milliseconds of one core a batch, and bytes a window."""

    draw: float
    commit: float
    noise: float  # half the range of the repeats' totals, as a share
    nbytes: float


def run(options: ReplayOptions) -> None:
    """Measure, draw the table, write the JSON file."""
    output.check_target(options.json)
    costs = {"uniform": measure(options, ReplayConfig())}
    costs["uncertainty, numpy"] = measure(options, UNCERTAINTY)
    if compilable():
        compiled = dataclasses.replace(UNCERTAINTY, kernels="numba")
        costs["uncertainty, numba"] = measure(options, compiled)
    if not options.quick:
        costs["pointer tree"] = pointer_cost(options)
    best = costs["uncertainty, numpy"]
    rows = [_row(name, cost, best) for name, cost in costs.items()]
    columns = ("strategy", "draw ms", "commit ms", "together", "± %", "ratio", "bytes/window")
    title = f"replay: {options.windows:,} windows, batch {options.batch}, length {options.length}"
    output.show(title, columns, rows, _note(options))
    crews = sorted({1, options.streams})
    rates = {
        f"{count} stream{'s' * (count > 1)}": insert.rates(count, options.length, options.repeats)
        for count in crews
    }
    lines = [(name, *(f"{by[name]:,.0f}" for by in rates.values())) for name in insert.STRATEGIES]
    title = "insertion: rows a second of one core, without the copying of rows"
    output.show(title, ("strategy", *rates), lines)
    found = {name: cost._asdict() for name, cost in costs.items()}
    output.write_json(options.json, found | {"insertion": rates})


def measure(options: ReplayOptions, config: ReplayConfig) -> Cost:
    """Median cost of a draw and of its write-back."""
    place = full(options, config)
    scores = np.random.default_rng(1).lognormal(size=(options.batch, options.length - CONTEXT))
    ticket = place.sampler.draw(options.batch, generator(0, 0, TRAIN)).ticket
    place.sampler.commit(_trained(ticket, options), scores.astype(np.float32))
    samples = [
        _repeat(place, options, scores.astype(np.float32), index * CALLS)
        for index in range(options.repeats)
    ]
    draws, commits = ([sample[i] for sample in samples] for i in (0, 1))
    totals = [sum(sample) for sample in samples]
    return Cost(median(draws), median(commits), spread(totals), place.nbytes)


def full(options: ReplayOptions, config: ReplayConfig) -> Place:
    """A ring of so many windows whose steps all have a score."""
    streams = options.streams
    slots = options.windows // streams + options.length - 1
    keep = Ring(streams=streams, slots=slots, length=options.length)
    keep.load({"kind": "fifo", "slots": slots, "inserted": slots}, {})
    arrays = {
        name: np.zeros(streams * slots, column.dtype)
        for name, column in score_columns(config).items()
    }
    sampler = Sampler(config, keep, length=options.length, streams=streams, arrays=arrays)
    if sampler.scores is not None:
        sampler.scores.value[:] = np.random.default_rng(0).lognormal(0, 0.7, streams * slots)
        sampler.scores.visits[:] = 1
        sampler.scores.rebuild()
    return Place(sampler, sampler.nbytes / options.windows)


def pointer_cost(options: ReplayOptions) -> Cost:
    """The same work on linked nodes: draws one by one, every touched window one by one."""
    tree, rng = PointerTree(options.windows), random.Random(0)
    touched = 2 * options.length - 2
    numbers = np.random.default_rng(0)
    draws, commits = [], []
    for _ in range(options.repeats):
        begin = time.thread_time()
        found = [tree.draw(rng) for _ in range(options.batch)]
        middle = time.thread_time()
        for first in found:
            steps = numbers.random(touched + options.length - 1)
            for offset in range(touched):
                window = steps[offset : offset + options.length]
                weight = 0.5 * float(window.max()) + 0.5 * float(window.mean())
                tree.set(min(first + offset, options.windows - 1), weight)
        commits.append(1e3 * (time.thread_time() - middle))
        draws.append(1e3 * (middle - begin))
    totals = [a + b for a, b in zip(draws, commits, strict=True)]
    return Cost(median(draws), median(commits), spread(totals), float("nan"))


def _repeat(
    place: Place, options: ReplayOptions, scores: np.ndarray, first: int
) -> tuple[float, float]:
    """Milliseconds of one draw and of one write-back, over CALLS of both in turns."""
    drawing = writing = 0.0
    for counter in range(first, first + CALLS):
        begin = time.thread_time()
        drawn = place.sampler.draw(options.batch, generator(0, counter, TRAIN))
        middle = time.thread_time()
        rows = _trained(drawn.ticket, options)
        place.sampler.commit(rows, scores)
        drawing += middle - begin
        writing += time.thread_time() - middle
    return 1e3 * drawing / CALLS, 1e3 * writing / CALLS


def _trained(ticket: Ticket, options: ReplayOptions) -> Ticket:
    stream, row = rows_of(ticket, options.length)
    return Ticket(stream[:, CONTEXT:], row[:, CONTEXT:])


def _row(name: str, cost: Cost, best: Cost) -> list[str]:
    total = cost.draw + cost.commit
    size = "" if cost.nbytes != cost.nbytes else f"{cost.nbytes:.1f}"
    ratio = total / (best.draw + best.commit)
    numbers = [f"{cost.draw:.3f}", f"{cost.commit:.3f}", f"{total:.3f}", f"{100 * cost.noise:.0f}"]
    return [name, *numbers, f"{ratio:.2f}", size]


def _note(options: ReplayOptions) -> str:
    numba = "" if compilable() else "; numba is not installed (extra fast)"
    return (
        f"{options.streams} streams, median of {options.repeats} repeats of {CALLS} batches; the "
        f"ratio is to uncertainty with numpy{numba}. Times are processor time of one thread, "
        "without the copying of rows."
    )
