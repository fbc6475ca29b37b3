"""How many trials fit this machine: its cores, its memory, its devices."""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reverie.config.schema import Config
from reverie.replay.store import available_bytes
from reverie.report.head import ReportError, read_head
from reverie.sweeps.errors import SweepError
from reverie.sweeps.grid import run_folders

UNITS = {"B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9}
SHARE = 0.9
"""Of the free memory that trials may take."""


@dataclass(frozen=True)
class Needs:
    """What one trial takes."""

    cores: int = 1
    devices: int = 0  # accelerators; 0: it computes on a CPU, whatever there is


def needs_of(configs: Iterable[Config]) -> Needs:
    """What the largest of these trials takes; without any, what a program that computes nothing."""
    found = [(cores_of(config), devices_of(config)) for config in configs] or [(1, 0)]
    cores, each = zip(*found, strict=True)
    return Needs(max(cores), max(each))


def cores_of(config: Config) -> int:
    """Cores that a trial keeps busy: those of its environments, and it waits for them while it
    does not learn."""
    if not config.env.parallel or config.env.backend != "local":
        return 1
    return config.env.workers or config.env.num


def devices_of(config: Config) -> int:
    """Accelerators that a trial computes on where there are any: those of its mesh, or one."""
    if config.device.kind not in ("auto", "gpu") or _on_cpu():
        return 0
    shape = config.device.mesh_shape
    return shape.devices if shape else 1


@dataclass(frozen=True)
class Room:
    """What trials may take together."""

    limit: int = 0  # trials at once that the user allows; 0: what fits
    cores: int = 1
    each: Needs = Needs()
    memory: int | None = None  # bytes; None: unknown
    devices: tuple[str, ...] = ()  # as CUDA_VISIBLE_DEVICES names them

    def jobs(self, folder: Path, under_way: Sequence[str]) -> int:
        """How many trials may run at once, at least one.

        Until the first one has planned its memory no second one is started beside it.
        """
        if self.limit:
            return self.limit
        most = max(1, self.cores // self.each.cores)
        if self.devices:
            most = min(most, max(1, len(self.devices) // self.each.devices))
        if most == 1 or self.memory is None:
            return most
        largest = largest_bytes(folder, under_way)
        if under_way and not largest:
            return 1
        return max(1, min(most, int(SHARE * self.memory // largest))) if largest else 1


def room_here(each: Needs, limit: int) -> Room:
    """The room of this machine for trials of which each takes so much.

    Raises SweepError where one takes more devices than there are.
    """
    found = devices() if each.devices else ()
    if found and each.devices > len(found):
        raise SweepError(too_few(each.devices, f"this machine has {len(found)}"))
    return Room(
        limit=limit,
        cores=len(os.sched_getaffinity(0)),
        each=each,
        memory=available_bytes(),
        devices=found,
    )


def too_few(needed: int, there: str) -> str:
    """That no trial could run; `there` says what was found."""
    return (
        f"a trial's device.mesh takes {needed} GPUs, and {there}: give a smaller --device.mesh, or "
        "--device.kind cpu."
    )


def largest_bytes(folder: Path, names: Sequence[str]) -> int:
    """The most host memory that one of these trials has planned; 0 where none has yet."""
    planned = [sum(map(planned_bytes, run_folders(folder / name))) for name in names]
    return max(planned, default=0)


def planned_bytes(run: Path) -> int:
    """Host memory that a run has planned for itself; 0 where it has not yet."""
    try:
        facts = dict(read_head(run / "config.json").facts)
    except (OSError, ReportError):
        return 0
    found = re.match(r"([\d.,]+) (B|kB|MB|GB)\b", facts.get("host memory", ""))
    return int(float(found[1].replace(",", "")) * UNITS[found[2]]) if found else 0


def devices() -> tuple[str, ...]:
    """The NVIDIA devices that a trial could compute on."""
    if _on_cpu():
        return ()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return tuple(name for name in visible.split(",") if name and name != "-1")
    cards = Path("/proc/driver/nvidia/gpus")
    count = len(list(cards.iterdir())) if cards.is_dir() else 0
    return tuple(str(number) for number in range(count))


def _on_cpu() -> bool:
    """Whether JAX was told to leave accelerators alone."""
    return os.environ.get("JAX_PLATFORMS", "").startswith("cpu")
