"""Where the time of a call goes: the operations that the device reports, longest first."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax

from reverie.bench.output import show
from reverie.bench.timing import Contender, burst
from reverie.folder.address import local_path

CALLS = 3
"""Calls that are traced."""

SHOWN = 25
"""Operations in the table."""

RUNTIME = re.compile(r"::|Executor|Execute|Pjit|\$|thread|Thread|^end: ")
"""Names of events that are the runtime's own, where the host is the device."""


class Operation(NamedTuple):
    """All runs of one operation in one call."""

    name: str
    ms: float
    runs: float


def profile(name: str, contender: Contender, folder: str) -> list[Operation]:
    """Trace calls of `contender` into `folder`, which other tools can open, and show the longest.

    Times of a GPU are those of its kernels; on the CPU, operations run on several threads at once
    and loops contain their bodies, so that times add up to more than the call took.
    """
    target = local_path(folder, "--profile") / name.replace(" ", "-")
    burst(contender, 1)
    with jax.profiler.trace(str(target)):
        wall = burst(contender, CALLS).wall * 1e3
    found = operations(newest_trace(target), CALLS)
    rows = [
        (_short(o.name), f"{o.ms:,.3f}", f"{o.ms / wall:.1%}", f"{o.runs:,.0f}")
        for o in found[:SHOWN]
    ]
    total, runs = sum(o.ms for o in found), sum(o.runs for o in found)
    note = (
        f"one call: {wall:,.3f} ms traced, {total:,.3f} ms in {runs:,.0f} operations\n"
        f"trace: {target}"
    )
    show(f"profile of {name}", ("operation", "ms", "of call", "runs"), rows, note)
    return found


def newest_trace(folder: Path) -> Any:
    """The profile that was last written below `folder`."""
    files = sorted(folder.rglob("*.xplane.pb"), key=lambda path: path.stat().st_mtime)
    return jax.profiler.ProfileData.from_file(str(files[-1]))


def operations(data: Any, calls: int) -> list[Operation]:
    """Operations of the device in one of `calls` calls, longest first."""
    nanoseconds: Counter[str] = Counter()
    runs: Counter[str] = Counter()
    for event in _events(data):
        nanoseconds[event.name] += event.duration_ns
        runs[event.name] += 1
    return [Operation(n, ns / 1e6 / calls, runs[n] / calls) for n, ns in nanoseconds.most_common()]


def _events(data: Any) -> Iterator[Any]:
    """Events of the accelerators where there are any, else those of the host."""
    planes = list(data.planes)
    devices = [plane for plane in planes if plane.name.startswith("/device:")]
    devices = [plane for plane in devices if any(_streams(plane))]
    for plane in devices or planes:
        for line in _streams(plane) if devices else plane.lines:
            yield from (event for event in line.events if devices or not RUNTIME.search(event.name))


def _streams(plane: Any) -> list[Any]:
    """The lines of an accelerator that hold its work once: a GPU's streams, a TPU's operations."""
    lines = list(plane.lines)
    streams = [line for line in lines if line.name.startswith("Stream")]
    return streams or [line for line in lines if line.name == "XLA Ops"]


def _short(name: str, width: int = 60) -> str:
    return name if len(name) <= width else name[: width - 1] + "…"
