"""The end of a run: its page, its score, and the commands that come next."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reverie.report.diagnosis import diagnose
from reverie.report.metrics import read_metrics
from reverie.report.read import ReportError, Run, read_run

EPISODES = 20
"""Training episodes whose mean return is a run's score where it was never evaluated."""


class Finished(NamedTuple):
    """What is said of a finished run."""

    page: str  # a sentence on its page
    troubles: list[str]  # what its metrics show to be wrong, one sentence each (`diagnosis.py`)


def finish(logdir: Path) -> Finished:
    """Write the page of a finished run into its folder, which is read once."""
    folder = logdir.resolve()
    try:
        run = read_run(folder, folder.name)
    except ReportError as error:
        return Finished(f"report: {error}", [])
    return Finished(f"report: {_written(run)}", diagnose(run))


def _written(run: Run) -> str:
    """Where the page of a run was written, or why it was not."""
    from reverie.report.page import NAME, render, write_whole

    try:
        write_whole(run.path / NAME, render([run]))
    except ReportError as error:
        return str(error)
    return near(run.path / NAME)


def next_commands(logdir: Path, words: Sequence[str], steps: int, own: str = "") -> list[str]:
    """What to do with a finished run: play, compare, learn longer.

    Args:
        words: those after `reverie` that it was started with; empty where it cannot be prolonged.
        steps: environment steps that it has.
        own: MODULE:FUNCTION of its environment, where it has one.
    """
    folder = shlex.quote(near(logdir))
    more = [*without(words, "--steps"), "--steps", str(2 * steps)]
    return [
        "next:",
        f"  reverie eval {folder}{f' --env {shlex.quote(own)}' if own else ''}",
        f"  reverie compare {folder} OTHER_RUN",
        *([f"  reverie {shlex.join(more)}"] if words else []),
    ]


def near(path: Path) -> str:
    """`path` as it is written from the current folder, where it lies below it."""
    try:
        inside = path.absolute().relative_to(Path.cwd())
    except ValueError:
        return str(path)
    return os.fspath(inside)


def without(words: Sequence[str], flag: str) -> list[str]:
    """`words` without a flag and its value."""
    left, queue = [], list(words)
    while queue:
        word = queue.pop(0)
        if word == flag:
            queue[:1] = []
        elif not word.startswith(f"{flag}="):
            left.append(word)
    return left


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
