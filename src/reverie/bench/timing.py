"""Timing by turns: what disturbs a shared machine then disturbs all contenders alike."""

import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

SPAN = 0.25
"""Seconds that one burst of calls should last at least."""

MOST = 100
"""Calls in a burst, at most."""


class Contender(NamedTuple):
    """Something to time: `start` begins one call, `finish` waits for all that were begun."""

    start: Callable[[], Any]
    finish: Callable[[], Any]


class Sample(NamedTuple):
    """Seconds of one call: on the clock, and of all threads of this process on the CPU."""

    wall: float
    cpu: float


def burst(contender: Contender, calls: int) -> Sample:
    """The mean of `calls` calls, begun one after the other and awaited together."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        contender.start()
    contender.finish()
    return Sample(
        (time.perf_counter() - wall) / calls,
        (time.process_time() - cpu) / calls,
    )


def by_turns(contenders: Mapping[str, Contender], repeats: int) -> dict[str, list[Sample]]:
    """`repeats` samples of each, in turns A B C, C B A, A B C …

    Each is called twice beforehand: once to be ready, once to find how many calls fill SPAN.
    """
    calls = {}
    for name, contender in contenders.items():
        burst(contender, 1)
        calls[name] = min(MOST, math.ceil(SPAN / burst(contender, 1).wall))
    samples: dict[str, list[Sample]] = {name: [] for name in contenders}
    for turn in range(repeats):
        for name in list(contenders)[:: -1 if turn % 2 else 1]:
            samples[name].append(burst(contenders[name], calls[name]))
    return samples


def median(values: Iterable[float]) -> float:
    """The median."""
    return float(statistics.median(values))


def spread(values: Iterable[float]) -> float:
    """Half the range between the extremes, as a share of the median: how calm the machine was."""
    found = sorted(values)
    return 0.5 * (found[-1] - found[0]) / median(found)
