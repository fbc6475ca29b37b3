"""Full, failing and read-only disks, tried in a process of its own: the library must be there when
a process starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fault_library import Fault, variables

CASES = Path(__file__).with_name("disk_cases.py")


def run_cases(library: Path, folder: Path, cache: Path, *, marks: str) -> str:
    """The last line of pytest on `disk_cases.py`; fails with its output if a case fails."""
    command = [sys.executable, "-m", "pytest", CASES, "-m", marks, "-p", "no:cacheprovider"]
    idle = variables(Fault(nth=0), folder, library)
    compiled = {
        "JAX_COMPILATION_CACHE_DIR": str(cache),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    surroundings = {**os.environ, **idle, **compiled}
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST"):
        surroundings.pop(name, None)
    done = subprocess.run(
        [*command, f"--basetemp={folder / 'cases'}"],
        capture_output=True,
        text=True,
        env=surroundings,
        cwd=CASES.parent.parent.parent,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    return done.stdout.splitlines()[-1]


def test_failing_disks(tmp_path, library, cache):
    assert "passed" in run_cases(library, tmp_path, cache, marks="not slow")


@pytest.mark.slow
def test_every_failing_disk(tmp_path, library, cache):
    assert "passed" in run_cases(library, tmp_path, cache, marks="slow")
