"""The end of a run: its page, its troubles, its score."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reverie.folder.mirror import deliver
from reverie.report.diagnosis import diagnose
from reverie.report.metrics import read_metrics
from reverie.report.read import Run, read_run

EPISODES = 20
"""Training episodes whose mean return is a run's score where it was never evaluated."""


class Finished(NamedTuple):
    """What is said of a finished run."""

    page: Path | None  # None: it could not be written
    troubles: list[str]  # what its metrics show to be wrong, one sentence each (`diagnosis.py`)
    failed: str = ""  # why there is no page, or no copy of it


def finish(logdir: Path, place: str = "") -> Finished:
    """Write the page of a finished run into its folder, which is read once.

    Nothing is raised: a run of hours does not fail because of its page.

    Args:
        place: where the run was asked to be; a URL gets a copy of the page.
    """
    folder, troubles = logdir.resolve(), []
    try:
        run = read_run(folder, folder.name)
        troubles = diagnose(run)
        page = _written(run)
    except Exception as error:
        why = f"the run {near(logdir)} is complete, but its page is not written"
        return Finished(None, troubles, f"{why}: {_reason(error)}")
    try:
        deliver(place, logdir)
    except Exception as error:
        why = f"the run {place} is complete, but its page is not copied there"
        return Finished(page, troubles, f"{why}: {_reason(error)}")
    return Finished(page, troubles)


def _written(run: Run) -> Path:
    """Where the page of a run was written."""
    from reverie.report.page import NAME, render, write_whole

    write_whole(run.path / NAME, render([run]))
    return run.path / NAME


def _reason(error: Exception) -> str:
    """The sentence of an error that Reverie foresees; of any other its name, too."""
    known = type(error).__module__.split(".")[0] == "reverie"
    return str(error) if known else f"{type(error).__name__}: {error}"


def near(path: Path) -> str:
    """`path` as it is written from the current folder, where it lies below it."""
    try:
        inside = path.absolute().relative_to(Path.cwd())
    except ValueError:
        return str(path)
    return os.fspath(inside)


class Score(NamedTuple):
    """How good a run is."""

    value: float  # return of an episode; NaN where none has ended
    meaning: str


def score(logdir: Path) -> Score:
    """The return of the last evaluation; without one that of the last training episodes."""
    series, _ = read_metrics(logdir / "metrics.jsonl")
    if "eval/return" in series:
        return Score(float(series["eval/return"].value[-1]), "of the last evaluation")
    if "episode/return" in series:
        last = series["episode/return"].value[-EPISODES:]
        return Score(float(last.mean()), f"of the last {len(last)} episodes")
    return Score(float("nan"), "no episode has ended")


def summary(scores: Sequence[float]) -> str:
    """Mean and spread over runs, as a sentence; NaN is left out and counted."""
    known = np.array([value for value in scores if value == value])
    if not len(known):
        return "no run has a return"
    spread = f" ± {known.std(ddof=1):.6g} (standard deviation)" if len(known) > 1 else ""
    return f"return {known.mean():.6g}{spread} of {len(known)} runs"
