"""`reverie bench act`: from an observation to an action, host copies included.

The real `Actor` is called as the loop calls it: one call takes the observations of E environments
and gives their actions, and the latents that replay stores, as host arrays.
"""

import functools as ft
import math
import time
from typing import NamedTuple

import jax

from reverie.bench.case import Case, cases, random_step
from reverie.bench.options import ActOptions
from reverie.bench.output import check_target, machine, show, write_json
from reverie.bench.timing import median
from reverie.train.collect import Actor
from reverie.train.learner import acting_of
from reverie.train.state import init

CALLS = 20
"""Timed calls of one round."""


class Latency(NamedTuple):
    """One call for `envs` environments."""

    envs: int
    median_ms: float
    p95_ms: float
    cpu_ms: float  # CPU time of all threads of the process, median of the rounds
    steps_per_s: float  # environment steps that acting alone would allow


def run(options: ActOptions) -> list[Latency]:
    """Measure what `options` ask for, show it and write it.

    Raises ConfigError before any work where the JSON file is impossible.
    """
    check_target(options.json)
    case = cases([options.size], [options.obs], [options.precision])[0]
    found = measure(case, options.envs, options.repeats)
    rows = [(str(x.envs), *(f"{ms:,.3f}" for ms in x[1:4]), f"{x.steps_per_s:,.0f}") for x in found]
    columns = ("environments", "median\nms", "95 %\nms", "CPU\nms", "steps\na second")
    show(f"acting, {case.name}, on {machine()}", columns, rows)
    write_json(
        options.json,
        {
            "size": case.size,
            "obs": case.obs,
            "precision": case.precision,
            "latency": [x._asdict() for x in found],
        },
    )
    return found


def measure(case: Case, envs: tuple[int, ...], repeats: int) -> list[Latency]:
    """Latencies by number of environments; the numbers take turns in every round."""
    make = ft.partial(init, case.obs_specs, case.action_specs, case.config)
    acting = jax.jit(lambda key: acting_of(make(key), case.config))(jax.random.key(0))
    calls = {num: _caller(case, num, acting) for num in envs}
    wall: dict[int, list[float]] = {num: [] for num in envs}
    cpu: dict[int, list[float]] = {num: [] for num in envs}
    for call in calls.values():
        call()
        call()
    for turn in range(repeats):
        for num in envs[:: -1 if turn % 2 else 1]:
            begin = time.process_time()
            wall[num] += [_clock(calls[num]) for _ in range(CALLS)]
            cpu[num].append((time.process_time() - begin) / CALLS)
    return [_latency(num, wall[num], median(cpu[num])) for num in envs]


def _caller(case: Case, envs: int, acting):
    """A call of the policy for `envs` environments; what it needs is bound."""
    actor = Actor(case.action_specs, envs, jax.random.key(1))
    return ft.partial(actor, acting, random_step(case, envs))


def _clock(call) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def _latency(envs: int, seconds: list[float], cpu: float) -> Latency:
    middle = median(seconds)
    late = sorted(seconds)[math.ceil(0.95 * len(seconds)) - 1]
    return Latency(
        envs,
        median_ms=round(middle * 1e3, 4),
        p95_ms=round(late * 1e3, 4),
        cpu_ms=round(cpu * 1e3, 4),
        steps_per_s=round(envs / middle, 1),
    )
