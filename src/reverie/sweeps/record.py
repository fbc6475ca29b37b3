"""What a trial's own process says of it, the lock that it holds, and the request to stop.

Below the sweep folder, `logs/NAME.json` is written by the process of the trial NAME and by nobody
else while it runs; the process, and the command that it runs, hold `logs/NAME.lock`. So a trial is
found again after a restart of the sweep, whatever number its process has.
"""

import fcntl
import json
import os
import socket
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from reverie import files
from reverie.folder.lock import TAKEN
from reverie.sweeps.errors import SweepError

LOGS = "logs"
ALL = "all"
"""The name that asks every trial of a sweep, and the sweep itself, to end."""
LARGEST = 1 << 16
"""Most bytes of a record that are read."""

ENDS = ("finished", "failed", "cancelled", "pruned")
"""States in which nothing is left to do."""
REQUESTS = ("stopped", "cancelled", "pruned")
"""States that a trial can be asked to end in."""


@dataclass(frozen=True)
class Record:
    """A trial as its process tells it."""

    state: str = "waiting"  # waiting, running, stopped (it can go on), or one of `ENDS`
    tries: int = 0  # how often its command was started
    failures: int = 0  # how often it ended badly
    sentence: str = ""  # why it ended so
    host: str = ""
    pid: int = 0  # of the trial's process
    begun: float = 0.0  # seconds since 1970, of the first try
    ended: float = 0.0

    def now(self, state: str, sentence: str = "") -> "Record":
        """The same trial in another state."""
        ended = time.time() if state in ENDS else 0.0
        return replace(self, state=state, sentence=sentence, ended=ended)

    def failed(self, sentence: str) -> "Record":
        """The same trial after a try that ended badly."""
        return replace(self, failures=self.failures + 1, sentence=sentence)

    def next_try(self) -> "Record":
        """The same trial, whose command this process is about to start."""
        begun = self.begun or time.time()
        own = {"host": socket.gethostname(), "pid": os.getpid(), "begun": begun}
        return replace(self.now("running"), tries=self.tries + 1, **own)


def path(folder: Path, name: str, kind: str) -> Path:
    """The file of a trial: its record (json), log, lock or stop."""
    return folder / LOGS / f"{name}.{kind}"


def read(folder: Path, name: str) -> Record:
    """The record of a trial; a fresh one where its process has not written any."""
    try:
        tree: Any = files.read_json(path(folder, name, "json"), LARGEST)
        return Record(**tree)
    except FileNotFoundError:
        return Record()
    except (ValueError, TypeError):
        return Record(state="failed", sentence=f"logs/{name}.json is no record of a trial")


def write(folder: Path, name: str, record: Record) -> None:
    """Replace the record of a trial."""
    file = path(folder, name, "json")
    data = json.dumps(asdict(record), indent=1).encode()
    files.replace(file, data, partial=file.with_suffix(f".{os.getpid()}.partial"))


def take(folder: Path, name: str) -> int | None:
    """A descriptor that holds the trial's lock as long as it, or a copy of it in another process,
    is open; None where a process holds it. Raises SweepError where files cannot be locked."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(path(folder, name, "lock"), flags, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        if error.errno in TAKEN:
            return None
        raise SweepError(
            f"the file system of {folder} cannot lock files ({error.strerror}), and by their locks "
            "trials are known to run: choose a --logdir on another disk."
        ) from error
    return handle


def held(folder: Path, name: str) -> bool:
    """Whether a process of the trial is alive."""
    handle = take(folder, name)
    if handle is None:
        return True
    os.close(handle)
    return False


def release(handle: int | None) -> None:
    """Let go of a lock that was taken."""
    if handle is not None:
        os.close(handle)


def ask(folder: Path, name: str, state: str) -> None:
    """Ask the trial to end in `state`, one of `REQUESTS`: it saves first."""
    file = path(folder, name, "stop")
    files.replace(file, state.encode(), partial=file.with_suffix(f".{os.getpid()}.partial"))


def asked(folder: Path, name: str) -> str:
    """The state that the trial, or the whole sweep, is asked to end in; '' where nobody asks."""
    for asked_of in (ALL, name):
        try:
            found = files.read(path(folder, asked_of, "stop"), 64).decode(errors="replace")
        except FileNotFoundError:
            continue
        return found if found in REQUESTS else "stopped"
    return ""


def withdraw(folder: Path, name: str) -> None:
    """Nobody asks any more."""
    path(folder, name, "stop").unlink(missing_ok=True)
