"""How many trials fit this machine: its cores, its memory, its devices."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reverie.config.schema import Config
from reverie.replay.store import available_bytes
from reverie.report.head import ReportError, read_head
from reverie.sweeps.grid import run_folders

UNITS = {"B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9}
SHARE = 0.9
"""Of the free memory that trials may take."""


@dataclass(frozen=True)
class Room:
    """What trials may take together."""

    limit: int = 0  # trials at once that the user allows; 0: what fits
    cores: int = 1
    cores_each: int = 1
    memory: int | None = None  # bytes; None: unknown
    devices: tuple[str, ...] = ()  # as CUDA_VISIBLE_DEVICES names them

    def jobs(self, folder: Path, under_way: Sequence[str]) -> int:
        """How many trials may run at once, at least one.

        Until the first one has planned its memory no second one is started beside it.
        """
        if self.limit:
            return self.limit
        most = max(1, self.cores // self.cores_each)
        if self.devices:
            most = min(most, len(self.devices))
        if most == 1 or self.memory is None:
            return most
        planned = [sum(map(planned_bytes, run_folders(folder / name))) for name in under_way]
        largest = max(planned, default=0)
        if under_way and not largest:
            return 1
        return max(1, min(most, int(SHARE * self.memory // largest))) if largest else 1


def room_here(config: Config | None, limit: int) -> Room:
    """The room of this machine for trials such as `config` (None: that only start a program)."""
    return Room(
        limit=limit,
        cores=len(os.sched_getaffinity(0)),
        cores_each=cores_of(config) if config else 1,
        memory=available_bytes(),
        devices=devices() if config and config.device.kind in ("auto", "gpu") else (),
    )


def cores_of(config: Config) -> int:
    """Cores that a trial keeps busy: those of its environments, and it waits for them while it
    does not learn."""
    if not config.env.parallel or config.env.backend != "local":
        return 1
    return config.env.workers or config.env.num


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
    if os.environ.get("JAX_PLATFORMS", "").startswith("cpu"):
        return ()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return tuple(name for name in visible.split(",") if name and name != "-1")
    cards = Path("/proc/driver/nvidia/gpus")
    count = len(list(cards.iterdir())) if cards.is_dir() else 0
    return tuple(str(number) for number in range(count))
