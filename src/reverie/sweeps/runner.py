"""The process of a trial: `python -m reverie.sweeps.runner FOLDER NAME RETRIES [together]`.

It runs the trial's command until it succeeds, has failed as often as allowed, or somebody asks it
to stop, and notes what became of it. All back ends start it, wherever they run trials.
`together`: whoever signals this process signals its command too, as SLURM does.

    0 finished   1 failed   143 stopped, cancelled or pruned
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from reverie.sweeps import file, record
from reverie.sweeps.errors import SweepError
from reverie.sweeps.record import ENDS

PROGRAM = (sys.executable, "-m", "reverie")
GRACE = 300.0
"""Seconds that a run may take to save after SIGTERM, before it is killed (it resumes all the
same)."""
POLL = 0.2
"""Seconds between two looks for a request to stop."""
MISUNDERSTOOD = 2
"""Exit code of a command that cannot be understood: another try would say the same."""
STOPPED = 128 + signal.SIGTERM
BY_SIGNAL = (STOPPED, 128 + signal.SIGINT, -signal.SIGTERM, -signal.SIGINT)
"""Exit codes of a run that a signal stopped: it can go on."""

_Signals = list[int]


def main(words: Sequence[str], program: Sequence[str] = PROGRAM) -> int:
    """Run the trial that `words` name; `program` takes the words after `reverie`."""
    folder, name = Path(words[0]), words[1]
    try:
        return _main(folder, name, words[2:], program)
    except (SweepError, OSError) as error:  # nothing that another try would mend
        said = f"its process cannot run it: {error}"
        record.write(folder, name, record.read(folder, name).failed(said).now("failed", said))
        return 1


def _main(folder: Path, name: str, words: Sequence[str], program: Sequence[str]) -> int:
    retries, together = int(words[0]), words[1:] == ["together"]
    signals: _Signals = []

    def note(number: int, _: FrameType | None) -> None:
        signals.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, note)
    # SLURM's sign that a job is about to end goes to all its processes; its job answers it.
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    sweep = file.read(folder)
    command = [*program, *file.command(folder, sweep.entry(name).trial)]
    handle = _lock(folder, name, signals)
    if handle is None:
        return STOPPED
    if record.read(folder, name).state in ENDS:  # an earlier process of it came to the end
        os.close(handle)
        return 0
    with _Child(folder, name, Path(sweep.directory), handle, together=together) as child:
        return _tries(child, command, retries, signals)


def _lock(folder: Path, name: str, signals: _Signals) -> int | None:
    """The trial's lock, waiting for an earlier process of it; None where it is to stop."""
    while not (signals or record.asked(folder, name)):
        handle = record.take(folder, name)
        if handle is not None:
            return handle
        time.sleep(POLL)
    return None


class _Child:
    """The command of a trial, whose output goes to the trial's log."""

    def __init__(self, folder: Path, name: str, directory: Path, handle: int, *, together: bool):
        self.folder, self.name, self._together = folder, name, together
        self._directory, self._handle, self._start = directory, handle, 0
        self._log = record.path(folder, name, "log").open("ab")

    def __enter__(self) -> "_Child":
        return self

    def __exit__(self, *_: object) -> None:
        self._log.close()
        os.close(self._handle)

    def run(self, command: Sequence[str], signals: _Signals) -> int:
        """The exit code of one try; negative: the signal that killed it."""
        self._start = self._log.tell()
        where = self._directory if self._directory.is_dir() else None
        process = subprocess.Popen(
            command,
            cwd=where,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            pass_fds=(self._handle,),
        )
        stop = float("inf")
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(POLL)
            if stop == float("inf") and self.asked(signals):
                if not (signals and self._together):
                    process.terminate()
                stop = time.monotonic() + GRACE
            if time.monotonic() > stop:
                process.kill()

    def asked(self, signals: _Signals) -> str:
        """The state that the trial is to end in; '' where it is to go on."""
        return record.asked(self.folder, self.name) or ("stopped" if signals else "")

    def sentence(self, code: int) -> str:
        """Why a try that ended with `code` failed: the last that it said."""
        with record.path(self.folder, self.name, "log").open("rb") as log:
            log.seek(max(self._start, log.seek(0, os.SEEK_END) - 65536))
            lines = log.read().decode(errors="replace").splitlines()
        said = [line.strip() for line in lines if line.strip()]
        own = [line for line in said if line.startswith("reverie: ")]
        last = (own or said or ["it said nothing"])[-1].removeprefix("reverie: ")
        if code < 0:
            return f"killed by {signal.Signals(-code).name}; the last it said: {last}"
        return f"exit code {code}: {last}" if not own else last


def _tries(child: _Child, command: Sequence[str], retries: int, signals: _Signals) -> int:
    """Run the command as often as allowed, and note the end. Returns the exit code."""
    found = record.read(child.folder, child.name)
    while True:
        found = found.next_try()
        record.write(child.folder, child.name, found)
        code = child.run(command, signals)
        asked = child.asked(signals)
        if code == 0:
            return _end(child, found.now("finished"), 0)
        if asked or code in BY_SIGNAL:
            return _end(child, found.now(asked or "stopped"), STOPPED)
        found = found.failed(child.sentence(code))
        if code == MISUNDERSTOOD or found.failures > retries:
            return _end(child, found.now("failed", found.sentence), 1)


def _end(child: _Child, found: record.Record, code: int) -> int:
    record.write(child.folder, child.name, found)
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
