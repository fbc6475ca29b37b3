"""The columns in host memory: bytes that they may take; put, gather and overwrite rows by place.

The store knows places, not time: which row lies in which place is the business of `keep.py`. It
notes per block of slots what changed since the last save (`files.py`).
"""

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Int, Shaped

from reverie.part.errors import suggest
from reverie.replay.errors import ReplayError
from reverie.replay.rows import Columns, row_bytes

FIXED = "fixed"
MUTABLE = "mutable"

SHARE = 0.75
"""Share of the available memory that the replay may plan with when no budget is set."""


class Store:
    """One array `[streams, slots, *shape]` a column, committed page by page as rows arrive; slot i
    of stream s is place s·slots + i.

    Columns form two groups: `fixed` ones are written when the row is put, `mutable` ones may be
    overwritten later. `dirty[group][b]` says that block b (slots b·block … (b+1)·block − 1 of
    every stream) changed since it was last cleared; `fill[b]` is the number of its slots per
    stream that were ever used.
    """

    def __init__(
        self, columns: Columns, *, streams: int, slots: int, block: int, mutable: Iterable[str]
    ):
        """Raises ReplayError if a mutable name is not a column."""
        self.columns = columns
        self.streams = streams
        self.slots = self.touched = slots
        """Slots of every stream, and those of them that rows can ever reach."""
        self.block = block
        self.groups = _split(columns, frozenset(mutable))
        self.arrays = {
            name: np.zeros((streams, slots, *column.shape), column.dtype)
            for name, column in columns.items()
        }
        blocks = -(-slots // block)
        self.dirty = {group: np.zeros(blocks, bool) for group in self.groups}
        self.fill = np.zeros(blocks, np.int64)
        self._flat = {
            name: array.reshape(streams * slots, *array.shape[2:])
            for name, array in self.arrays.items()
        }

    def put(self, place: Int[np.ndarray, " E"], rows: Mapping[str, Shaped[np.ndarray, "E ..."]]):
        """Write whole rows into these places; arrays have the stored shapes and dtypes."""
        for name, value in rows.items():
            self._flat[name][place] = value
        slot = place % self.slots
        blocks, used = slot // self.block, slot % self.block + 1
        np.maximum.at(self.fill, blocks, used)
        for dirty in self.dirty.values():
            dirty[blocks] = True

    def gather(
        self, place: Int[np.ndarray, "*N"], names: Iterable[str] | None = None
    ) -> dict[str, Shaped[np.ndarray, "..."]]:
        """Copies of the rows in these places: the named columns, or all of them."""
        names = self.columns if names is None else names
        return {name: np.take(self._flat[name], place, axis=0) for name in names}

    def flat(self, name: str) -> Shaped[np.ndarray, "P ..."]:
        """The column `name` by place; whoever writes into it says so (`touch`)."""
        return self._flat[name]

    def touch(self, place: Int[np.ndarray, " N"]) -> None:
        """Mutable columns of these places were changed through `flat`."""
        self.dirty[MUTABLE][place % self.slots // self.block] = True

    def overwrite(
        self, place: Int[np.ndarray, " N"], values: Mapping[str, Shaped[np.ndarray, "N ..."]]
    ):
        """Replace mutable columns in these places. Where a place comes twice, the last wins."""
        for name, value in values.items():
            self._flat[name][place] = value
        self.touch(place)


def _split(columns: Columns, mutable: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """Names of the columns by group; an empty group is left out."""
    for name in sorted(mutable - columns.keys()):
        raise ReplayError(f"no column {name!r} that could be mutable; {suggest(name, columns)}")
    groups = {
        FIXED: tuple(name for name in columns if name not in mutable),
        MUTABLE: tuple(name for name in columns if name in mutable),
    }
    return {group: names for group, names in groups.items() if names}


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
