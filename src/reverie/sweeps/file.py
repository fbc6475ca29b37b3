"""sweep.json: the plan of a sweep, and every trial's command, state and tries."""

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reverie import files
from reverie.sweeps import plan as plans
from reverie.sweeps import record
from reverie.sweeps.errors import SweepError
from reverie.sweeps.grid import Trial
from reverie.sweeps.plan import Plan
from reverie.sweeps.record import Record

NAME = "sweep.json"
FORMAT = 1
LARGEST = 1 << 26
"""Most bytes of a sweep.json that are read."""


@dataclass(frozen=True)
class How:
    """Where trials run, and how often: it may change between two starts of a sweep."""

    backend: str = "local"
    jobs: int = 0  # trials at once; 0: as many as fit
    retries: int = 1  # further tries of a trial that fails
    slurm: Mapping[str, str] = field(default_factory=dict)  # parameters of submitit, by name


@dataclass(frozen=True)
class Entry:
    """A trial, and what is known of it."""

    trial: Trial
    record: Record = field(default_factory=Record)
    job: str = ""  # its number in SLURM


@dataclass(frozen=True)
class Sweep:
    """A sweep folder."""

    folder: Path
    plan: Plan
    how: How
    directory: str  # where its commands run: tasks and files of the user's own are found from there
    entries: tuple[Entry, ...] = ()

    @property
    def trials(self) -> dict[str, Record]:
        """What is known of each trial, by name."""
        return {entry.trial.name: entry.record for entry in self.entries}

    def count(self, *states: str) -> int:
        """Trials in one of these states."""
        return sum(entry.record.state in states for entry in self.entries)

    def entry(self, name: str) -> Entry:
        """The trial of that name. Raises SweepError where there is none."""
        for entry in self.entries:
            if entry.trial.name == name:
                return entry
        raise SweepError(f"{self.folder} has no trial {name!r}.")


def command(folder: Path, trial: Trial) -> list[str]:
    """The words after `reverie` that run a trial."""
    return ["train", *trial.words, f"--logdir={folder / trial.name}"]


def write(sweep: Sweep) -> None:
    """Replace sweep.json. Raises SweepError where the folder cannot be written."""
    tree = {
        "format": FORMAT,
        "plan": sweep.plan.to_json(),
        "how": vars(sweep.how) | {"slurm": dict(sweep.how.slurm)},
        "directory": sweep.directory,
        "trials": [_entry_json(sweep.folder, entry) for entry in sweep.entries],
    }
    path = sweep.folder / NAME
    try:
        data = json.dumps(tree, indent=1).encode()
        files.replace(path, data, partial=path.with_suffix(f".{os.getpid()}.partial"))
    except OSError as error:
        raise SweepError(
            f"the sweep folder {sweep.folder} cannot be written ({error.strerror}): make room, or "
            "choose another --logdir."
        ) from error


def _entry_json(folder: Path, entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.trial.name,
        "state": entry.record.state,
        "tries": entry.record.tries,
        "sentence": entry.record.sentence,
        "command": shlex.join(["reverie", *command(folder, entry.trial)]),
        "words": list(entry.trial.words),
        "job": entry.job,
    }


def exists(folder: Path) -> bool:
    """Whether a sweep was begun in `folder`."""
    return os.path.lexists(folder / NAME)


def read(folder: Path) -> Sweep:
    """The sweep in `folder`, each trial as its own process tells it.

    Raises SweepError where there is none, or sweep.json is not what `write` made.
    """
    if not exists(folder):
        inside = sorted(path.parent for path in folder.glob(f"*/{NAME}"))
        near = f"; did you mean {str(inside[0])!r}?" if inside else "."
        raise SweepError(f"{folder} is no sweep folder: it has no {NAME}{near}")
    try:
        tree = files.read_json(folder / NAME, LARGEST)
        if tree["format"] != FORMAT:
            raise ValueError(f"format {tree['format']!r}, this version reads {FORMAT}")
        return Sweep(
            folder=folder,
            plan=plans.from_json(tree["plan"]),
            how=How(**tree["how"]),
            directory=str(tree["directory"]),
            entries=_entries(folder, tree["trials"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SweepError(
            f"{folder / NAME} is not the plan of a sweep ({type(error).__name__}: {error}); put "
            "the original back, or choose another --logdir."
        ) from error


def _entries(folder: Path, found: Sequence[Mapping[str, Any]]) -> tuple[Entry, ...]:
    entries = []
    for row in found:
        name = str(row["name"])
        if Path(name).name != name or name in ("", ".", "..", record.LOGS):
            raise ValueError(f"{name!r} is no name of a trial")
        trial = Trial(name, tuple(str(word) for word in row["words"]))
        entries.append(Entry(trial, record.read(folder, name), str(row["job"])))
    return tuple(entries)
