"""A sweep whose trials are quick: the real scheduler and processes around a fake command."""

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from reverie.sweeps import control, record
from reverie.sweeps.file import How, Sweep
from reverie.sweeps.local import Local
from reverie.sweeps.plan import Plan, Search
from reverie.sweeps.room import Room

HERE = Path(__file__).parent
RUNNER = (sys.executable, str(HERE / "fake_runner.py"))


def local(sweep: Sweep) -> Local:
    """The back end of this machine."""
    room = Room(limit=sweep.how.jobs)
    return Local(sweep.folder, room, retries=sweep.how.retries, runner=RUNNER)


def plan(*tasks: str, seeds: int = 2, steps: int = 5, search: Search | None = None, **vary) -> Plan:
    return Plan(
        tasks=tasks,
        seeds=tuple(range(seeds)),
        vary=vary,
        options=(f"--steps={steps}",),
        search=search,
    )


def begin(folder: Path, asked: Plan, *, jobs: int = 2, retries: int = 1, said=None) -> Sweep:
    """The sweep in this process."""
    say = (said if said is not None else []).append
    return control.begin(folder, asked, How(jobs=jobs, retries=retries), local, say)


def numbers(folder: Path) -> dict[str, str]:
    """What every run has written, by trial."""
    return {path.parent.name: path.read_text() for path in folder.glob("*/metrics.jsonl")}


def wait_for(condition, seconds: float = 60) -> None:
    """Returns when `condition()` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def child_of(folder: Path, name: str) -> int:
    """The process of the trial's command."""
    pid = record.read(folder, name).pid
    children = Path(f"/proc/{pid}/task/{pid}/children")
    wait_for(lambda: children.read_text().split())
    return int(children.read_text().split()[0])


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def main(words: Sequence[str]) -> None:
    """FOLDER TASK STEPS: a sweep in a process of its own, which a test kills or stops."""
    begin(Path(words[0]), plan(words[1], seeds=4, steps=int(words[2])), jobs=2)


if __name__ == "__main__":
    main(sys.argv[1:])
