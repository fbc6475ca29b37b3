"""Sweeps from Python: many runs, on this machine or on a cluster."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from reverie.api.sweep_plan import Asked, compose, configs
from reverie.api.sweep_words import of_values, with_file
from reverie.part.errors import ConfigError
from reverie.sweeps import control
from reverie.sweeps.backend import AbstractBackend
from reverie.sweeps.file import How, Sweep
from reverie.sweeps.room import needs_of, room_here


def sweep(
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
    """Runs tasks x settings x seeds, each an ordinary run folder below one sweep folder; or goes
    on with the sweep that `logdir` holds.

    Args:
        tasks: names as `train` takes them on the command line (`MODULE:FUNCTION` for your own), or
            the path of a TOML file, which then says what is None below.
        seeds: how many, from 0 on, or which; None: 1.
        together: the seeds of a setting learn in one process; a trial is then a setting, with a run
            folder for each seed in it.
        vary: option of `reverie train` -> its values, `{"optim.lr": [4e-5, 1e-4]}`; with a search
            also a range, `{"optim.lr": "1e-5..1e-3:log"}`.
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

    Returns the sweep: `.folder`, which `compare` takes, and `.trials`, what became of each by name.
    Raises ConfigError for what cannot be run, SweepError for a folder of another plan or a missing
    package; a trial that fails is no error.
    """
    if not isinstance(tasks, str) and not all(isinstance(task, str) for task in tasks):
        raise ConfigError(
            "sweep takes tasks by name, because trials are commands: write a function that makes "
            "your environment as 'MODULE:FUNCTION'."
        )
    given: dict[str, Any] = {"tasks": tasks, "seeds": seeds, "vary": vary, "options": options}
    given |= {"logdir": None if logdir is None else os.fspath(logdir), "backend": backend}
    given |= {"jobs": jobs, "retries": retries, "search": search, "metric": metric}
    given |= {"direction": direction, "trials": trials, "slurm": slurm}
    given |= {"together": together}
    return run(compose(with_file(of_values(given))), lambda text: None)


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
