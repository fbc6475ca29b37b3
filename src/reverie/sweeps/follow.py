"""The loop of a sweep: starts what waits, until every trial has ended."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from reverie.folder.errors import Stopped
from reverie.sweeps import file, record
from reverie.sweeps.backend import AbstractBackend
from reverie.sweeps.errors import SweepError
from reverie.sweeps.file import Sweep
from reverie.sweeps.grid import Trial
from reverie.sweeps.record import ENDS, Record
from reverie.train.interrupt import Interrupt

Say = Callable[[str], None]
Records = dict[str, Record]

PATIENCE = 2.0
"""Seconds for which a file that another machine wrote may stay unseen."""


class Chooser(Protocol):
    """Whoever adds trials as the sweep goes on (a search)."""

    def more(self, records: Records, room: int) -> list[Trial]:
        """At most `room` further trials, now that these are known."""
        ...

    def look(self, records: Records) -> None:
        """See what trials have reported."""
        ...

    def complete(self, records: Records) -> bool:
        """Whether no further trial will come."""
        ...


class Grid:
    """Adds none: all trials of a grid are there from the start."""

    def more(self, records: Records, room: int) -> list[Trial]:
        """None."""
        return []

    def look(self, records: Records) -> None:
        """Nothing."""

    def complete(self, records: Records) -> bool:
        """Always."""
        return True


class Follower:
    """Keeps sweep.json and the trials of one sweep together."""

    def __init__(self, sweep: Sweep, backend: AbstractBackend, chooser: Chooser, say: Say):
        self.sweep, self._backend, self._chooser, self._say = sweep, backend, chooser, say
        self.records: Records = dict(sweep.trials)
        self._started: set[str] = set()
        self._told: dict[str, str] = {name: found.state for name, found in self.records.items()}

    @property
    def folder(self) -> Path:
        """The sweep folder."""
        return self.sweep.folder

    def turn(self) -> bool:
        """Look at all trials and start what may be started. Returns whether something is left."""
        under_way = [name for name in self.records if self._under_way(name)]
        self._chooser.look(self.records)
        room = self._backend.room(under_way)
        ready = [name for name, found in self.records.items() if found.state not in ENDS]
        ready = [name for name in ready if name not in under_way]
        if room > len(ready):
            ready += self._add(self._chooser.more(self.records, room - len(ready)))
        if room > 0 and ready:
            self._start(ready[:room])
        self.save()
        left = any(found.state not in ENDS for found in self.records.values())
        return left or not self._chooser.complete(self.records)

    def _under_way(self, name: str) -> bool:
        """Whether a trial waits in the back end or runs; what it says of itself is read."""
        if self.records[name].state in ENDS:
            return False
        alive = self._backend.alive(name)
        found = self.records[name] = record.read(self.folder, name)
        if found.state in ENDS:
            return False
        if alive or (found.state == "running" and record.held(self.folder, name)):
            return True
        if found.state == "waiting" and name not in self._started:
            return False
        if name in self._started and found.state != "stopped":
            self._lost(name)
        self._started.discard(name)
        return False

    def _lost(self, name: str) -> None:
        """The process of a trial is gone and has not said why."""
        time.sleep(PATIENCE if self._backend.lasting else 0.0)
        handle = record.take(self.folder, name)
        found = record.read(self.folder, name)
        if handle is not None and found.state not in (*ENDS, "stopped"):
            said = "its process ended without a word (killed, or its machine went down)"
            found = found.failed(f"{said}; see logs/{name}.log")
            failed = found.failures > self.sweep.how.retries
            found = found.now("failed" if failed else "waiting", found.sentence)
            record.write(self.folder, name, found)
        record.release(handle)
        self.records[name] = found

    def _add(self, trials: Sequence[Trial]) -> list[str]:
        """Take further trials into the sweep."""
        entries = (*self.sweep.entries, *(file.Entry(trial) for trial in trials))
        self.sweep = replace(self.sweep, entries=entries)
        self.records |= {trial.name: Record() for trial in trials}
        self._told |= {trial.name: "waiting" for trial in trials}
        if trials:
            self._write()
        return [trial.name for trial in trials]

    def _start(self, names: Sequence[str]) -> None:
        for name in names:
            record.withdraw(self.folder, name)
        self._backend.start(names)
        self._started |= set(names)
        self._write()  # a later process must know the numbers of its jobs
        for name in names:
            self._say(f"started {name}\n")

    def save(self) -> None:
        """Write sweep.json, and say what has ended, where anything has changed."""
        states = {name: found.state for name, found in self.records.items()}
        if states == self._told:
            return
        before, self._told = self._told, states
        self._write()
        done = sum(state in ENDS for state in states.values())
        for name, state in states.items():
            if state in ENDS and state != before[name]:
                why = f": {self.records[name].sentence}" if state == "failed" else ""
                self._say(f"{state} {name} ({done} of {len(states)}){why}\n")

    def _write(self) -> None:
        jobs = self._backend.jobs()
        entries = tuple(
            replace(
                entry,
                record=self.records[entry.trial.name],
                job=jobs.get(entry.trial.name, entry.job),
            )
            for entry in self.sweep.entries
        )
        self.sweep = replace(self.sweep, entries=entries)
        file.write(self.sweep)

    def cancelled(self) -> bool:
        """Whether somebody asked the whole sweep to end; then nothing of it runs any more."""
        if not record.asked(self.folder, record.ALL):
            return False
        self.stop("cancelled")
        for name, found in self.records.items():
            if found.state not in ENDS:
                self.records[name] = found.now("cancelled")
                record.write(self.folder, name, self.records[name])
        self.save()
        return True

    def stop(self, state: str) -> None:
        """Take back every trial that waits, ask those that run to end, and wait until they have
        saved."""
        running = [name for name in self.records if self._under_way(name)]
        for name in running:
            record.ask(self.folder, name, state)
        waiting = [name for name in running if self.records[name].state == "waiting"]
        self._started -= set(waiting)
        if running:
            saving = len(running) - len(waiting)
            self._say(f"ending trials: {len(waiting)} waited and begin no more, {saving} save\n")
        try:
            self._backend.withdraw(waiting)
        except SweepError as error:
            self._say(f"{error}\n")
            running = [name for name in running if name not in waiting]
        while any(self._under_way(name) for name in running):
            time.sleep(self._backend.interval)
        self.save()


def follow(follower: Follower, backend: AbstractBackend) -> Sweep:
    """Returns the sweep when every trial has ended.

    Raises Stopped after SIGINT or SIGTERM: trials that cannot go on alone are saved first.
    """
    with Interrupt() as interrupt:
        while not follower.cancelled() and follower.turn():
            if interrupt.asked:
                raise Stopped(interrupt.asked, _leave(follower, backend))
            time.sleep(backend.interval)
    return follower.sweep


def _leave(follower: Follower, backend: AbstractBackend) -> str:
    """What becomes of the trials when the sweep is stopped."""
    if backend.lasting:
        return "while its jobs go on: `reverie sweep status` and `cancel` know them"
    follower.stop("stopped")
    return "after its trials were saved"
