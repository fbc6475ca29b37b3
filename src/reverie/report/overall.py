"""Groups over several tasks at once: every task on one scale, its runs as good as each other's.

A score x becomes (x − low) / (high − low). `low` and `high` of a task are, in this order: what the
user gives, random play and a human (Atari100k), the bounds of the suite (DM Control), or the lowest
and highest number on the curves of the runs that are compared.

Source: arXiv:2108.13264 (aggregates, performance profiles, probability of improvement).
"""

import functools as ft
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reverie.report import statistics
from reverie.report.atari import game_of
from reverie.report.atari_scores import GAMES
from reverie.report.groups import listed
from reverie.report.statistics import Estimate

SUITES = {"dmc_": (0.0, 1000.0)}
"""Lowest and highest return by the beginning of a task's name."""
THRESHOLDS = 101
"""Points of a performance profile."""
POINTS = 50
"""Points of a curve over tasks."""


@dataclass(frozen=True)
class Curves:
    """What is known of one task, by group: runs' curves on a grid of steps, and their scores."""

    task: str
    grid: np.ndarray  # (N,) environment steps
    end: float
    curves: Mapping[str, np.ndarray]  # (runs, N)
    scores: Mapping[str, np.ndarray]  # (runs,)


@dataclass(frozen=True)
class Overall:
    """A group over all tasks."""

    group: str
    runs: int
    mean: Estimate  # () over tasks of the mean over runs
    median: Estimate  # () over tasks of the mean over runs
    iqm: Estimate  # () over tasks and runs
    gap: Estimate  # () optimality gap, target 1
    profile: Estimate  # (THRESHOLDS,) share of runs above each threshold
    curve: Estimate  # (POINTS,) IQM along the budget
    better: Estimate | None  # () probability that a run beats one of the first group's


@dataclass(frozen=True)
class Overview:
    """All groups over the tasks that every one of them was run on."""

    scales: Mapping[str, tuple[float, float, str]]  # by task: low, high, and where they are from
    thresholds: np.ndarray  # (THRESHOLDS,) normalised scores
    budget: np.ndarray  # (POINTS,) share of a task's steps
    rows: tuple[Overall, ...]

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks."""
        return tuple(self.scales)


def overview(
    parts: Sequence[Curves],
    references: Mapping[str, tuple[float, float]],
    *,
    resamples: int,
    seed: int,
) -> tuple[Overview | None, list[str]]:
    """The groups over the tasks of `parts`, and what must be known of it; None for fewer than two
    tasks that all groups share."""
    names = list(dict.fromkeys(name for part in parts for name in part.scores))
    shared = [part for part in parts if all(name in part.scores for name in names)]
    every = {part.task: scale_of(part, references) for part in shared}
    scales = {task: scale for task, scale in every.items() if scale[0] != scale[1]}
    usable = [part for part in shared if part.task in scales]
    notes = _notes(parts, shared, [task for task in every if task not in scales], scales)
    if len(usable) < 2:
        return None, notes if len(parts) > 1 else []
    scored = {name: [_normal(part, part.scores[name], scales) for part in usable] for name in names}
    budget = np.linspace(0.0, 1.0, POINTS)
    thresholds = _thresholds([score for parts in scored.values() for score in parts])
    how = {"resamples": resamples, "seed": seed}
    rows: list[Overall] = []
    for name in names:
        curves = [_along(part, name, budget, scales) for part in usable]
        first = scored[names[0]] if rows else None
        rows.append(_row(name, scored[name], curves, thresholds, first=first, how=how))
    return Overview(scales, thresholds, budget, tuple(rows)), notes


def scale_of(
    part: Curves, references: Mapping[str, tuple[float, float]]
) -> tuple[float, float, str]:
    """The scores that become 0 and 1, and where they are from."""
    if part.task in references:
        return (*references[part.task], "--reference")
    game = game_of(part.task)
    if game is not None:
        return float(GAMES[game].random), float(GAMES[game].human), "random play and a human"
    if bounds := bounds_of(part.task):
        return (*bounds, "the suite")
    values = [*part.curves.values(), *part.scores.values()]
    low = min(float(np.nanmin(array)) for array in values)
    return low, max(float(np.nanmax(array)) for array in values), OWN


def bounds_of(task: str) -> tuple[float, float] | None:
    """Lowest and highest return that the suite of a task allows; None where it has no bounds."""
    return next((bounds for start, bounds in SUITES.items() if task.startswith(start)), None)


OWN = "these runs"


def _thresholds(scores: Sequence[np.ndarray]) -> np.ndarray:
    """From the lowest score, or 0, to the highest, or 1."""
    every = np.concatenate(list(scores))
    return np.linspace(min(0.0, every.min()), max(1.0, every.max()), THRESHOLDS)


def _notes(
    parts: Sequence[Curves],
    shared: Sequence[Curves],
    flat: Sequence[str],
    scales: Mapping[str, tuple[float, float, str]],
) -> list[str]:
    notes = []
    left = [part.task for part in parts if part not in shared]
    if left:
        notes.append(f"Over tasks without {listed(left)}: not every group was run there.")
    if flat:
        notes.append(f"Over tasks without {listed(flat)}: all scores are the same.")
    own = [task for task, (_, _, where) in scales.items() if where == OWN]
    if own and len(scales) > 1:
        notes.append(
            f"Normalised by the lowest and highest number of these runs: {listed(own)}. That ranks "
            "them and says nothing about others: give a scale with --reference TASK=LOW,HIGH."
        )
    return notes


def _normal(part: Curves, values: np.ndarray, scales: Mapping) -> np.ndarray:
    low, high, _ = scales[part.task]
    return (values - low) / (high - low)


def _along(part: Curves, group: str, budget: np.ndarray, scales: Mapping) -> np.ndarray:
    """Normalised curves (runs, POINTS) by the share of the task's steps."""
    share = part.grid / part.end if part.end else part.grid
    rows = [np.interp(budget, share, curve) for curve in _normal(part, part.curves[group], scales)]
    return np.array(rows)


def _row(
    name: str,
    strata: list[np.ndarray],
    curves: list[np.ndarray],
    thresholds: np.ndarray,
    *,
    first: list[np.ndarray] | None,
    how: Mapping[str, int],
) -> Overall:
    def of(statistic, parts=strata) -> Estimate:
        return statistics.estimate(parts, statistic, **how)

    return Overall(
        group=name,
        runs=sum(len(part) for part in strata),
        mean=of(statistics.mean),
        median=of(statistics.median),
        iqm=of(statistics.iqm),
        gap=of(statistics.optimality_gap),
        profile=of(ft.partial(statistics.profile, thresholds=thresholds)),
        curve=of(statistics.iqm, curves),
        better=None if first is None else statistics.improvement_of(strata, first, **how),
    )
