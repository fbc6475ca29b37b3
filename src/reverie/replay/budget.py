"""Bytes planned against bytes allowed, checked before anything is allocated."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

from reverie.replay.errors import ReplayError
from reverie.replay.rows import Columns, row_bytes

SHARE = 0.75
"""Share of the available memory that the replay may plan with when no budget is set."""


def planned_bytes(columns: Columns, *, streams: int, slots: int) -> int:
    """Bytes of the full store. They are committed page by page as rows arrive."""
    return streams * slots * row_bytes(columns)


def check_sizes(*, streams: int, capacity: int, length: int, chunk: int) -> None:
    """Raises ReplayError unless every stream can hold one sequence of `length` rows."""
    for name, value in (("streams", streams), ("length", length), ("chunk", chunk)):
        if value < 1:
            raise ReplayError(f"{name} must be at least 1, got {value}.")
    if capacity // streams < length:
        raise ReplayError(
            f"a replay of {capacity} rows gives each of {streams} streams {capacity // streams}; "
            f"a sequence takes {length}: set --replay.capacity {streams * length} or more."
        )


def check_budget(
    columns: Columns, *, streams: int, slots: int, gigabytes: float, free: int | None
) -> None:
    """Raises ReplayError if the full store would not fit.

    Args:
        columns: what a row holds.
        streams: environments whose rows are stored side by side.
        slots: rows per stream.
        gigabytes: budget, 10⁹ bytes; 0: three quarters of `free`.
        free: bytes that the machine can still give (`available_bytes`); None where it
            cannot be told, which is an error unless `gigabytes` is set.
    """
    if gigabytes < 0:
        raise ReplayError(f"--replay.gigabytes must be 0 (automatic) or more, got {gigabytes}.")
    if gigabytes == 0 and free is None:
        raise ReplayError("free memory cannot be read on this system: set --replay.gigabytes.")
    needed = planned_bytes(columns, streams=streams, slots=slots)
    allowed, why = _allowed(gigabytes, free)
    if needed <= allowed:
        return
    row = row_bytes(columns)
    fitting = int(allowed) // (row * streams) * streams
    remedy = f"set --replay.capacity {fitting}" if fitting else "use smaller observations"
    if free is None or needed <= free:
        remedy += f" or --replay.gigabytes {math.ceil(needed / 1e8) / 10}"
    raise ReplayError(
        f"the replay would take {needed / 1e9:.2f} GB ({streams * slots} rows of {row} bytes); "
        f"allowed are {allowed / 1e9:.2f} GB, {why}: {remedy}."
    )


def _allowed(gigabytes: float, free: int | None) -> tuple[float, str]:
    """Bytes that may be planned with, and where this number comes from."""
    where = "of the memory that is free on this machine"
    if gigabytes == 0:
        assert free is not None
        return SHARE * free, f"{SHARE:.0%} {where} ({free / 1e9:.2f} GB)"
    if free is not None and free < gigabytes * 1e9:
        return free, f"all {where} (--replay.gigabytes {gigabytes} is more)"
    return gigabytes * 1e9, "as set by --replay.gigabytes"


def available_bytes() -> int | None:
    """Bytes that this process can still take: free and reclaimable memory of the machine, or what
    is left under the limit of its control group if that is less. None off Linux."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if ":" in line}
    free = sizes.get("MemAvailable", os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min([free, *_cgroup_bytes()])


def _cgroup_bytes() -> Iterator[int]:
    """Bytes left under every memory limit (cgroup v2) above this process."""
    root = Path("/sys/fs/cgroup")
    try:
        entries = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    inside = next((line[3:].strip("/") for line in entries if line.startswith("0::")), "")
    folder = root / inside
    for group in (folder, *folder.parents):
        if not group.is_relative_to(root):
            return
        left = _group_bytes(group)
        if left is not None:
            yield left


def _group_bytes(group: Path) -> int | None:
    """Limit less use of one control group, its file cache counted as free; None: no limit."""
    try:
        limit = (group / "memory.max").read_text().strip()
        used = int((group / "memory.current").read_text())
        stats = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return None
    if limit == "max":
        return None
    return max(0, int(limit) - used + int(stats.get("inactive_file", 0)))
