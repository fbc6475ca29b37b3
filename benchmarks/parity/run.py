"""One case in a process of its own, under pinned conditions."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from cases import Case, words
from outcome import Outcome, outcome

PINNED = {
    "JAX_PLATFORMS": "cpu",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "XLA_FLAGS": "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true "
    "--xla_cpu_multi_thread_eigen=false --xla_cpu_max_isa=AVX2",
    "OMP_NUM_THREADS": "1",
    "MUJOCO_GL": "egl",
    "SDL_VIDEODRIVER": "dummy",
}
"""Environment variables of every run: programs that compile quickly, on one thread, for
instructions that most machines have. No other variable of JAX or XLA reaches it."""

CACHE = Path(tempfile.gettempdir()) / "reverie-parity-programs"
"""Compiled programs, so that a second comparison takes a third of the time."""

LIMIT = 1800
"""Seconds after which a run counts as failed."""


class Ran(NamedTuple):
    """What came of a case: its outcome, or the sentence it failed with."""

    case: Case
    found: Outcome | None
    error: str
    seconds: float


def run_all(cases: Sequence[Case], jobs: int) -> Iterator[Ran]:
    """Run the cases, so many at a time; results in the order of the cases."""
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(run, cases)


def run(case: Case) -> Ran:
    """Run a case in a folder that is deleted afterwards."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="parity-") as folder:
        logdir = Path(folder) / "run"
        error = _kill(case, logdir) if case.kill_at else ""
        if not error:
            error = _finish(_start(case, logdir))
        found = None if error else outcome(logdir)
    return Ran(case, found, error.splitlines()[-1] if error else "", time.monotonic() - begun)


def _start(case: Case, logdir: Path) -> subprocess.Popen:
    here = str(Path(__file__).parent)
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("JAX_", "XLA_"))}
    path = os.pathsep.join(filter(None, [plain.get("PYTHONPATH"), here]))
    return subprocess.Popen(
        [sys.executable, "-m", "reverie", *words(case, logdir, CACHE)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=plain | PINNED | {"PYTHONPATH": path},
    )


def _finish(process: subprocess.Popen) -> str:
    """Wait for a run; what went wrong, or ""."""
    try:
        said = process.communicate(timeout=LIMIT)[1].strip()
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return f"it had not ended after {LIMIT} seconds."
    return (said or f"exit code {process.returncode}") if process.returncode else ""


def _kill(case: Case, logdir: Path) -> str:
    """Start the run and kill it once it has logged the step and saved; what went wrong, or ""."""
    process = _start(case, logdir)
    while _last_step(logdir) < case.kill_at or not _saved(logdir):
        if process.poll() is not None:
            said = process.communicate()[1].strip()
            return said or f"it ended before it could be killed at step {case.kill_at}."
        time.sleep(0.005)
    process.kill()
    process.communicate()
    return ""


def _saved(logdir: Path) -> bool:
    folder = logdir / "checkpoints"
    return folder.is_dir() and any(not p.name.startswith(".") for p in folder.iterdir())


def _last_step(logdir: Path) -> int:
    path = logdir / "metrics.jsonl"
    lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
    whole = [line for line in lines if line.endswith(b"\n")]
    return json.loads(whole[-1])["step"] if whole else 0


def cpu_seconds() -> float:
    """CPU time of all runs that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
