"""A sweep from its start to its end: begin or go on, status, resume, cancel."""

import contextlib
import os
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from reverie.folder import run_folder
from reverie.folder.errors import RunError
from reverie.folder.lock import Lock
from reverie.sweeps import file, plan, record, search, slurm
from reverie.sweeps.backend import AbstractBackend
from reverie.sweeps.errors import SearchError, SweepError
from reverie.sweeps.file import Entry, How, Sweep
from reverie.sweeps.follow import Chooser, Follower, Grid, Say, follow
from reverie.sweeps.plan import Plan
from reverie.sweeps.record import ENDS, Record

MakeBackend = Callable[[Sweep], AbstractBackend]

LOOK = 0.2
"""Seconds between two looks whether a process has ended."""
LEAVING = 30.0
"""Seconds for which the process that follows a cancelled sweep may go on."""


def begin(folder: Path, asked: Plan, how: How, make: MakeBackend, say: Say) -> Sweep:
    """Run a plan in a sweep folder, or go on with it where it was begun there.

    Returns the sweep when every trial has ended. Raises SweepError where the folder has another
    plan, RunError where another process is at work in it, Stopped after a signal.
    """
    with _claim(folder) as lock:
        for notice in lock.notices:
            say(f"{notice}\n")
        if file.exists(folder):
            there = file.read(folder)
            plan.check_same(str(folder), there.plan, asked)
            sweep = replace(there, how=how)
        else:
            entries = tuple(Entry(trial) for trial in asked.trials())
            sweep = Sweep(folder, asked, how, str(Path.cwd()), entries)
        return _run(sweep, make, say)


def status(folder: Path) -> Sweep:
    """The sweep in `folder`; a trial that says it runs is stopped where its process is gone from
    this machine, where it ran.

    Raises SweepError where there is no sweep.
    """
    sweep = file.read(folder)
    entries = (replace(entry, record=_seen(folder, entry)) for entry in sweep.entries)
    return replace(sweep, entries=tuple(entries))


def _seen(folder: Path, entry: Entry) -> Record:
    found, name = entry.record, entry.trial.name
    here = found.state == "running" and found.host == socket.gethostname()
    if not here or record.held(folder, name):
        return found
    found = record.read(folder, name)  # it may have ended just now
    if found.state != "running":
        return found
    return found.now("stopped", "its process ended without a word; `reverie sweep resume` goes on")


def resume(folder: Path, make: MakeBackend, say: Say, *, failed: bool = False) -> Sweep:
    """Go on with the sweep in `folder`; `failed`: trials that failed get their tries once more.

    Raises SweepError where there is none, and as `begin` does.
    """
    sweep = file.read(folder)
    if failed and sweep.plan.search:
        raise SweepError(
            f"{folder} is a search, which does not try failed settings again: it chooses others. "
            "Leave out --failed."
        )
    with _claim(folder):
        sweep = file.read(folder)
        if failed:
            for name, found in sweep.trials.items():
                if found.state == "failed":
                    record.write(folder, name, replace(found, failures=0).now("waiting"))
            sweep = file.read(folder)
        return _run(sweep, make, say)


def _claim(folder: Path) -> Lock:
    """The sweep folder for this process, with the folder of the trials' logs."""
    lock = run_folder.claim(folder)
    try:
        (folder / record.LOGS).mkdir(exist_ok=True)
    except OSError as error:
        lock.close()
        raise RunError(run_folder.cannot_write(folder, error)) from error
    return lock


def _run(sweep: Sweep, make: MakeBackend, say: Say) -> Sweep:
    record.withdraw(sweep.folder, record.ALL)
    for name, found in sweep.trials.items():
        if found.state not in ENDS:
            record.withdraw(sweep.folder, name)
        if found.state == "cancelled":
            record.withdraw(sweep.folder, name)
            record.write(sweep.folder, name, found.now("waiting"))
    file.write(sweep)
    sweep = file.read(sweep.folder)
    backend = make(sweep)
    chooser: Chooser = Grid()
    if sweep.plan.search:
        chooser = search.OptunaSearch(sweep.folder, sweep.plan)
    follower = Follower(sweep, backend, chooser, say)
    try:
        return follow(follower, backend)
    except SweepError as error:
        if not backend.lasting or isinstance(error, SearchError):
            follower.stop("stopped")
        raise
    finally:
        backend.close()


def cancel(folder: Path) -> Sweep:
    """End every trial of the sweep in `folder` that waits or runs, each after it was saved.

    Raises SweepError where there is no sweep, and, when they have ended, where SLURM keeps jobs
    that wait.
    """
    sweep = file.read(folder)
    waiting = [entry for entry in sweep.entries if entry.record.state not in ENDS]
    if not waiting:
        return sweep
    record.ask(folder, record.ALL, "cancelled")
    try:
        if sweep.how.backend == "slurm":
            slurm.withdraw([entry.job for entry in waiting if entry.job])
    finally:  # a job that stays in the queue ends as soon as it begins
        for entry in waiting:
            _await(folder, entry.trial.name)
    with contextlib.suppress(RunError), _left(folder):  # nobody follows the sweep now
        file.write(file.read(folder))
    return file.read(folder)


def _left(folder: Path) -> Lock:
    """The sweep folder, once the process that followed the sweep has seen that it is cancelled.

    Raises RunError where that process has not left it in time.
    """
    end = time.monotonic() + LEAVING
    while True:
        try:
            return _claim(folder)
        except RunError:
            if time.monotonic() > end:
                raise
            time.sleep(LOOK)


def _await(folder: Path, name: str) -> None:
    """Wait for the end of a trial's process, and note it where the process did not."""
    while (handle := record.take(folder, name)) is None:
        time.sleep(LOOK)
    found: Record = record.read(folder, name)
    if found.state not in ENDS:
        record.write(folder, name, found.now("cancelled"))
    record.release(handle)


def check_folder(folder: Path) -> None:
    """Raises SweepError where `folder` is an ordinary run, or a file."""
    if os.path.lexists(folder / "config.json"):
        raise SweepError(f"{folder} is the folder of a single run: choose another --logdir.")
    if folder.exists() and not folder.is_dir():
        raise SweepError(f"{folder} is a file, not a folder: choose another --logdir.")
