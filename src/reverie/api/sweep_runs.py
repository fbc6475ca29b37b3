"""Sweeps from Python: many runs, on this machine or on a cluster."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from reverie.api.arguments import folder_of
from reverie.api.sweep_plan import Asked, compose, configs
from reverie.api.sweep_words import of_values, with_file
from reverie.part.errors import ConfigError
from reverie.sweeps import control
from reverie.sweeps.backend import AbstractBackend
from reverie.sweeps.file import How, Sweep
from reverie.sweeps.room import needs_of, room_here


class SweepVerb:
    """`reverie sweep` in Python.

    Called, it runs a sweep: `reverie.sweep("gym:CartPole-v1", seeds=5)`. Its methods are the other
    words of the command, for the folder of a sweep that may have been begun anywhere.
    """

    def __call__(
        self,
        tasks: str | Sequence[str],
        *,
        seeds: int | Sequence[int] | None = None,
        together: bool | None = None,
        vary: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        logdir: str | Path | None = None,
        backend: Literal["local", "slurm", "ray"] | None = None,
        jobs: int | None = None,
        retries: int | None = None,
        search: Literal["optuna"] | None = None,
        metric: str | None = None,
        direction: Literal["maximize", "minimize"] | None = None,
        trials: int | None = None,
        slurm: Mapping[str, Any] | None = None,
    ) -> Sweep:
        """Runs tasks x settings x seeds, each an ordinary run folder below one sweep folder; or
        goes on with the sweep that `logdir` holds.

        Args:
            tasks: names as `train` takes them on the command line (`MODULE:FUNCTION` for your own),
                or the path of a TOML file, which then says what is None below.
            seeds: how many, from 0 on, or which; None: 1.
            together: the seeds of a setting learn in one process; a trial is then a setting, with a
                run folder for each seed in it.
            vary: option of `reverie train` -> its values, `{"optim.lr": [4e-5, 1e-4]}`; with a
                search also a range, `{"optim.lr": "1e-5..1e-3:log"}`.
            options: options that all trials share, `{"steps": 10_000, "size": "1m"}`.
            logdir: sweep folder; None takes runs/sweep-TASK.
            backend: where trials run; None: local.
            jobs: trials at once; 0 and None: as many as fit, or as the cluster grants.
            retries: further tries of a trial that fails; None: 1.
            search: who chooses settings; None: all combinations are run.
            metric: what a search goes by; None: eval/return.
            direction: whether much or little of it is good; None: maximize.
            trials: how many a search makes; None: 20.
            slurm: parameters of the jobs, as submitit calls them, `{"partition": "gpu"}`.

        Returns the sweep: `.folder`, which `compare` takes, and `.trials`, what became of each by
        name. Raises ConfigError for what cannot be run, SweepError for a folder of another plan or
        a missing package, Stopped after Ctrl-C: its trials are saved, or go on where the back end
        keeps them. A trial that fails is no error.
        """
        if not isinstance(tasks, str) and not all(isinstance(task, str) for task in tasks):
            raise ConfigError(
                "sweep takes tasks by name, because trials are commands: write a function that "
                "makes your environment as 'MODULE:FUNCTION'."
            )
        given: dict[str, Any] = {"tasks": tasks, "seeds": seeds, "vary": vary, "options": options}
        given |= {"logdir": None if logdir is None else os.fspath(logdir), "backend": backend}
        given |= {"jobs": jobs, "retries": retries, "search": search, "metric": metric}
        given |= {"direction": direction, "trials": trials, "slurm": slurm}
        given |= {"together": together}
        return run(compose(with_file(of_values(given))), _silent)

    @staticmethod
    def status(folder: str | Path) -> Sweep:
        """What became of the trials of the sweep in `folder`; nothing is started or changed.

        Returns the sweep: of each trial its state, tries and last sentence (`.trials`, by name),
        and how many are in some state (`.count("finished")`).
        Raises SweepError where `folder` has no sweep, ConfigError where it is no path of this
        machine.
        """
        return control.status(_folder(folder))

    @staticmethod
    def resume(folder: str | Path, *, failed: bool = False) -> Sweep:
        """Goes on with the sweep in `folder`, by the commands that it names, until every trial has
        ended; those that were stopped or cancelled go on, too.

        Args:
            failed: trials that failed get their tries once more.

        Returns the sweep. Raises as `status` does, SweepError for `failed` in a search and for a
        missing package, RunError where another process follows the sweep, Stopped as a call does.
        """
        return control.resume(_folder(folder), backend_of, _silent, failed=failed)

    @staticmethod
    def cancel(folder: str | Path) -> Sweep:
        """Ends the trials of the sweep in `folder` that wait or run, and no others; each is saved
        first, wherever it runs, and a process that follows the sweep ends, too.

        Returns the sweep when they have ended; `resume` goes on with them. Raises as `status` does.
        """
        return control.cancel(_folder(folder))


sweep = SweepVerb()


def _folder(value: str | Path) -> Path:
    return folder_of(value, "folder").absolute()


def _silent(text: str) -> None:
    """Python says nothing of what starts and ends."""


def run(asked: Asked, say: Callable[[str], None]) -> Sweep:
    """Run what was asked for, telling `say` what starts and ends."""
    control.check_folder(asked.folder)
    options = asked.options
    how = How(options.backend, options.jobs, options.retries, options.parameters())
    return control.begin(asked.folder, asked.plan, how, backend_of, say)


AT_ONCE = 4
"""Trials of a search that a cluster runs at once where --jobs says nothing: each one more is chosen
with less known."""


def backend_of(sweep: Sweep) -> AbstractBackend:
    """Where the trials of a sweep run. Raises SweepError where that is not installed, or too small
    for any trial."""
    how, folder = sweep.how, sweep.folder
    jobs = how.jobs or (AT_ONCE if sweep.plan.search else 0)
    match how.backend:
        case "slurm":
            from reverie.sweeps.slurm import MOST, Slurm

            known = {entry.trial.name: entry.job for entry in sweep.entries}
            most = jobs if sweep.plan.search else MOST
            each: dict[str, Any] = {"jobs": jobs, "most": most, "retries": how.retries}
            return Slurm(folder, how.slurm, known, **each)
        case "ray":
            from reverie.sweeps.ray import Ray

            return Ray(folder, needs_of(configs(sweep.plan)), jobs=jobs, retries=how.retries)
        case _:
            from reverie.sweeps.local import Local

            room = room_here(needs_of(configs(sweep.plan)), how.jobs)
            return Local(folder, room, retries=how.retries)
