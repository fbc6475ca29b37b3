"""A disk that fails, or a process that dies, at a chosen call: the preloaded `faulty_disk.c`.

    fault = Fault(calls="rename", path="checkpoints/*", nth=2, action="kill")
    subprocess.run(command, env={**os.environ, **variables(fault, logdir, library)})

Calls are counted on files below one folder. What can be counted and done stands in the C file.
"""

import ctypes
import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("faulty_disk.c")
COMPILERS = ("cc", "gcc", "clang")


@dataclass(frozen=True)
class Fault:
    """What happens at which call."""

    calls: str = "*"
    """Names of calls, comma separated; "*": all that change the disk."""
    path: str = "*"
    """Pattern of the path below the folder; `*` stands for slashes too."""
    nth: int = 1
    """Which of the fitting calls, from 1; 0: none, only the trace is written."""
    action: str = "kill"
    """kill, kill-after, kill-short, error, error-short or leave."""
    error: int = errno.EIO
    """Error number of the failing call."""
    times: int = 0
    """How many calls fail in a row; 0: all from the Nth on."""
    children: bool = False
    """Whether processes that the first one starts have faults too, each with its own count."""


def build(folder: Path) -> Path | None:
    """Compile the library into `folder`; None where there is no C compiler."""
    compiler = next(filter(None, map(shutil.which, COMPILERS)), None)
    if compiler is None:
        return None
    path = folder / "faulty_disk.so"
    arguments = ["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", path, SOURCE, "-ldl"]
    subprocess.run([compiler, *arguments], check=True)
    return path


def variables(
    fault: Fault, folder: Path, library: Path, trace: Path | None = None
) -> dict[str, str]:
    """Environment variables under which a command meets `fault` in `folder`.

    `trace`: a file that gets a line "CALL PATH" for every fitting call.
    """
    return {
        "LD_PRELOAD": str(library),
        "FAULT_FOLDER": os.path.realpath(folder),
        "FAULT_CALLS": fault.calls,
        "FAULT_PATH": fault.path,
        "FAULT_NTH": str(fault.nth),
        "FAULT_ACTION": fault.action,
        "FAULT_ERRNO": str(fault.error),
        "FAULT_TIMES": str(fault.times),
        "FAULT_ALL": str(int(fault.children)),
        "FAULT_TRACE": str(trace or ""),
    }


@contextmanager
def failing(fault: Fault, folder: Path, trace: Path | None = None) -> Iterator[None]:
    """`fault` in this process, which was started with the library, until the block ends."""
    arm = ctypes.CDLL(None).fault_arm
    library = Path(os.environ["LD_PRELOAD"])
    os.environ.update(variables(fault, folder, library, trace))
    arm()
    try:
        yield
    finally:
        os.environ.update(variables(Fault(nth=0), folder, library))
        arm()


def traced(trace: Path) -> list[tuple[str, str]]:
    """The calls of a trace, in order: (name, path below the folder)."""
    lines = trace.read_text().splitlines() if trace.is_file() else []
    return [(call, path) for call, _, path in (line.partition(" ") for line in lines)]
