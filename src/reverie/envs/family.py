"""The processes that an environment's process started: they end with it.

A worker leads a session of its own, so its children share its process group; those that left the
group (a simulator started in a session of its own) are known by a variable that they inherited.
"""

import contextlib
import os
import signal
from pathlib import Path

MARK = "REVERIE_WORKER"
"""Variable that a worker and all that it starts have in their surroundings."""


def end_family(leader: int, mark: str) -> None:
    """Kill every process that carries `mark`, then the process group of `leader`.

    Processes in other groups are found where the system shows their surroundings (Linux). A leader
    that calls this for itself does not return.
    """
    for pid in _marked(f"{MARK}={mark}".encode()):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(OSError):
        os.killpg(leader, signal.SIGKILL)


def _marked(entry: bytes) -> list[int]:
    """Processes with `entry` among their variables, without this one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # gone, or another user's
            variables = (process / "environ").read_bytes().split(b"\0")
            if entry in variables and int(process.name) != os.getpid():
                found.append(int(process.name))
    return found
