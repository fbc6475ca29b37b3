"""What a run reads off the clock and the machine: names under `time/` and `system/`."""

import os
import re
import time
from pathlib import Path

import jax


class Stopwatch:
    """Wall time of a run, and its pace from lap to lap."""

    def __init__(self):
        self._before = 0.0  # seconds of the run before this process
        self._start = self._lap = time.perf_counter()
        self._steps = self._updates = 0

    def resume(self, seconds: float, steps: int, updates: int) -> None:
        """Continue a run that has taken `seconds` for `steps` and `updates`."""
        self._before, self._steps, self._updates = seconds, steps, updates
        self._start = self._lap = time.perf_counter()

    def elapsed(self) -> float:
        """Seconds since the run began, pauses between its parts left out."""
        return self._before + time.perf_counter() - self._start

    def lap(self, steps: int, updates: int) -> dict[str, float]:
        """Metrics of the time since the lap before, at these counts."""
        now = time.perf_counter()
        seconds, self._lap = max(now - self._lap, 1e-9), now
        pace = {
            "time/seconds": self.elapsed(),
            "time/steps_per_s": (steps - self._steps) / seconds,
            "time/updates_per_s": (updates - self._updates) / seconds,
        }
        self._steps, self._updates = steps, updates
        return pace


def resident_bytes() -> int:
    """Host memory that this process holds now; 0 where the system does not tell."""
    pages = Path("/proc/self/statm")
    if not pages.is_file():
        return 0
    return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def peak_bytes() -> int:
    """The most host memory that this process ever held; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return 0
    found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text())
    return int(found[1]) * 1024 if found else 0


def machine_readings() -> dict[str, float]:
    """Memory in use, under `system/`; what the machine does not tell is left out."""
    readings: dict[str, float] = {}
    for name, count in (("ram", resident_bytes()), ("ram_peak", peak_bytes())):
        if count:
            readings[f"system/{name}_gb"] = count / 1e9
    stats = jax.local_devices()[0].memory_stats() or {}
    if "bytes_in_use" in stats:
        readings["system/device_gb"] = stats["bytes_in_use"] / 1e9
        readings["system/device_peak_gb"] = stats.get("peak_bytes_in_use", 0) / 1e9
    return readings
