"""What a run will need, computed before its first step."""

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import jax

from reverie.config.schema import Config
from reverie.module import count_params
from reverie.replay.rows import Columns, row_bytes
from reverie.train.errors import RunError
from reverie.train.flops import MatrixProduct
from reverie.train.learner import Compiled
from reverie.train.state import TrainState
from reverie.train.step import compute_dtype

ATTAINED = 0.5
"""Share of the machine's matrix speed that an update reaches."""


class Plan(NamedTuple):
    """Predicted needs of a whole run."""

    params: int  # trainable scalars
    host_bytes: int  # replay
    device_bytes: int  # learner, batch and temporaries of the update
    disk_bytes: int  # replay files and two checkpoints
    updates: float
    update_flops: float
    seconds: float  # learning alone, if the update runs at the measured matrix speed
    compile_seconds: float

    def rows(self) -> list[tuple[str, str]]:
        """Lines for the banner: what, how much."""
        return [
            ("parameters", f"{self.params:,}"),
            ("host memory", f"{size(self.host_bytes)} for the full replay"),
            ("device memory", f"{size(self.device_bytes)} for the learner"),
            ("disk", f"{size(self.disk_bytes)} when the run is full"),
            ("updates", f"{self.updates:,.0f} of {self.update_flops / 1e9:,.1f} GFLOP each"),
            ("learning", f"about {duration(self.seconds)}, predicted from the matrix speed"),
            ("compiled", f"in {self.compile_seconds:.1f} s (cached for the next run)"),
        ]


def size(count: float) -> str:
    """Bytes for people."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.3g} {unit}" if unit != "GB" else f"{count:,.2f} GB"
        count /= 1000
    raise AssertionError


def duration(seconds: float) -> str:
    """Seconds for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def make_plan(
    config: Config,
    state: TrainState,
    columns: Columns,
    compile_update: Callable[[], Compiled],
    steps_left: int,
) -> Plan:
    """Compile the update and work out what the run needs."""
    start = time.perf_counter()
    update = compile_update()
    compiled = time.perf_counter() - start
    rows = min(config.replay.capacity, config.steps)
    updates = steps_left * config.train.ratio / (config.train.batch * config.train.length)
    arrays = sum(leaf.nbytes for leaf in jax.tree.leaves(state))
    return Plan(
        params=count_params(state.agent),
        host_bytes=rows * row_bytes(columns),
        device_bytes=update.nbytes or arrays,
        disk_bytes=rows * row_bytes(columns) + (config.train.keep + 1) * 2 * arrays,
        updates=updates,
        update_flops=update.flops,
        seconds=updates * update.flops / attained_speed(config),
        compile_seconds=compiled,
    )


def attained_speed(config: Config) -> float:
    """FLOP/s that an update of this precision can be expected to reach on this machine."""
    return ATTAINED * MatrixProduct(compute_dtype(config.device.precision)).best_speed()


def check_disk(logdir: Path, plan: Plan) -> None:
    """Raises RunError if the disk of the run folder cannot take what is planned."""
    free = shutil.disk_usage(logdir).free
    if plan.disk_bytes > free:
        raise RunError(
            f"the run would need {size(plan.disk_bytes)} of disk in {logdir}, {size(free)} are "
            "free: lower --replay.capacity or --steps, or choose a --logdir on another disk."
        )


def machine_readings() -> Mapping[str, float]:
    """Memory in use, under `system/`."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    readings = {"system/ram_gb": int(pages) * 4096 / 1e9}
    stats = jax.local_devices()[0].memory_stats() or {}
    if "bytes_in_use" in stats:
        readings["system/device_gb"] = stats["bytes_in_use"] / 1e9
        readings["system/device_peak_gb"] = stats.get("peak_bytes_in_use", 0) / 1e9
    return readings
