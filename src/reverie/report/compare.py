"""Groups of runs side by side: curves, scores and intervals over seeds, task by task."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reverie.report import align, statistics
from reverie.report.atari import AtariTable, atari_tables
from reverie.report.groups import (
    Group,
    fields_of,
    find_runs,
    listed,
    seed_of,
    split,
    task_of,
)
from reverie.report.overall import Curves, Overview, overview
from reverie.report.read import ReportError, Run
from reverie.report.remarks import remarks
from reverie.report.statistics import RESAMPLES, Estimate

EVAL, EPISODE = "eval/return", "episode/return"
SLACK = 0.01  # of the steps: runs whose ends differ by less are equally long
FEW_EVALUATIONS = 3


@dataclass(frozen=True)
class Options:
    """What is compared, and how."""

    by: tuple[str, ...] = ()  # fields that make the groups; empty: all that differ
    metric: str = "auto"  # a metric's name; auto: evaluations, else training episodes
    until: int = 0  # last step; 0: as far as all runs got
    points: int = align.POINTS  # of a curve
    resamples: int = RESAMPLES
    seed: int = 0  # of the resamples
    references: tuple[tuple[str, float, float], ...] = ()  # task, scores that become 0 and 1

    def __post_init__(self):
        if self.until < 0 or self.points < 2 or self.resamples < 100 or self.seed < 0:
            raise ReportError(
                "until and seed must be at least 0, points at least 2 and resamples at least 100; "
                f"found {self.until}, {self.seed}, {self.points} and {self.resamples}."
            )


@dataclass(frozen=True)
class Row:
    """A group on one task; n runs, N steps of the grid."""

    group: str
    runs: tuple[Run, ...]
    curves: np.ndarray  # (n, N)
    scores: np.ndarray  # (n,)
    curve: Estimate  # (N,) mean over runs
    mean: Estimate  # () of the scores
    iqm: Estimate  # () of the scores
    area: Estimate  # () mean height of the curves
    gain: Estimate | None  # () mean score minus the first group's; None in the first
    better: Estimate | None  # () probability that a run scores above one of the first group's

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of its runs."""
        return tuple(seed_of(run) for run in self.runs)


@dataclass(frozen=True)
class TaskComparison:
    """All groups on one task."""

    task: str
    metric: str  # of the curves
    score: str  # what a run's score is, in words
    end: float  # last step that is compared
    grid: np.ndarray  # (N,) environment steps
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Comparison:
    """What `reverie compare` found."""

    by: tuple[str, ...]  # dotted paths
    groups: tuple[Group, ...]
    tasks: tuple[TaskComparison, ...]
    overall: Overview | None  # over all tasks on one scale; None for fewer than two
    atari: tuple[AtariTable, ...]  # human-normalised, one table a window; empty without Atari
    notes: tuple[str, ...]  # what a reader must know
    options: Options
    page: Path | None = None  # where it was written


def compare_runs(paths: Sequence[Path], options: Options | None = None) -> Comparison:
    """The comparison of run folders; writes nothing.

    Raises ReportError: a folder that is no run, an unknown field or metric, or nothing to compare.
    """
    options = options or Options()
    found, notes = find_runs(paths)
    fields = fields_of(options.by, found)
    runs, told = _usable(found, options)
    groups = split(runs, fields)
    # Groups that are tasks are drawn over each other; else every task has its own picture.
    alone = "task" not in fields
    tasks = list(dict.fromkeys(task_of(run) for run in runs)) if alone else [""]
    parts = [_task(task, groups, options, told) for task in tasks]
    overall, more = _overall(parts, options) if alone else (None, [])
    limits = {part.task: part.end for part in parts}
    return Comparison(
        by=tuple(fields),
        groups=tuple(groups),
        tasks=tuple(parts),
        overall=overall,
        atari=atari_tables(
            groups, until=options.until, resamples=options.resamples, seed=options.seed
        ),
        notes=(*notes, *told, *more, *remarks(runs, groups, fields, limits)),
        options=options,
    )


def _overall(
    parts: Sequence[TaskComparison], options: Options
) -> tuple[Overview | None, list[str]]:
    """The groups over all tasks. Raises ReportError for a reference of a task that is not there."""
    known = [part.task for part in parts]
    for task, _, _ in options.references:
        if task not in known:
            raise ReportError(
                f"--reference names {task!r}, no task of these runs: {listed(known)}."
            )
    found = [
        Curves(
            part.task,
            part.grid,
            part.end,
            {row.group: row.curves for row in part.rows},
            {row.group: row.scores for row in part.rows},
        )
        for part in parts
    ]
    references = {task: (low, high) for task, low, high in options.references}
    return overview(found, references, resamples=options.resamples, seed=options.seed)


def reached(run: Run) -> float:
    """The last step of which a run says anything."""
    return max((align.end_of(series) for series in run.series.values()), default=0.0)


def _usable(runs: Sequence[Run], options: Options) -> tuple[list[Run], list[str]]:
    """The runs that have what is compared, and a sentence on each of the others."""
    wanted = (EVAL, EPISODE) if options.metric == "auto" else (options.metric,)
    good, notes = [], []
    for run in runs:
        if not any(len(run.get(name).value) for name in wanted):
            notes.append(f"{run.label} has no {' and no '.join(wanted)} yet and is left out.")
            notes += [f"{run.label}: {note}" for note in run.notes]
        elif reached(run) < options.until * (1 - SLACK):
            notes.append(
                f"{run.label} ends at step {reached(run):,.0f}, before {options.until:,}, and is "
                "left out."
            )
        else:
            good.append(run)
    if not good:
        raise ReportError(_nothing(runs, options, notes))
    return good, notes


def _nothing(runs: Sequence[Run], options: Options, notes: Sequence[str]) -> str:
    names = sorted({name for run in runs for name in run.series})
    near = difflib.get_close_matches(options.metric, names, n=1, cutoff=0.5)
    hint = f" Did you mean --metric {near[0]}?" if near and options.metric != "auto" else ""
    return f"there is nothing to compare: {' '.join(notes)}{hint}"


def _task(task: str, groups: Sequence[Group], options: Options, notes: list[str]) -> TaskComparison:
    """The groups on one task; runs that have nothing to show before its end are noted."""
    members = [
        (group.name, group.of_task(task) if task else sorted(group.runs, key=seed_of))
        for group in groups
    ]
    runs = [run for _, part in members for run in part]
    end = _end(runs, options)
    metric = _curve_metric(runs, end, options.metric)
    late = [run for run in runs if not _begun(run, metric, end)]
    notes += [f"{run.label} has no {metric} up to step {end:,.0f} and is left out." for run in late]
    runs = [run for run in runs if _begun(run, metric, end)]
    if not runs:
        raise ReportError(f"there is nothing to compare: {' '.join(notes)}")
    grid = align.common_grid([run.get(metric) for run in runs], end, options.points)
    score, words = _score_of(runs, end, metric, options.metric)
    rows: list[Row] = []
    for name, everyone in members:
        part = [run for run in everyone if _begun(run, metric, end)]
        if not part:
            continue
        first = rows[0] if rows else None
        curves = np.array([align.on_grid(run.get(metric), grid) for run in part])
        scores = np.array([score(run) for run in part])
        how = {"resamples": options.resamples, "seed": options.seed}
        rows.append(_row(name, part, grid, curves, scores, first=first, how=how))
    return TaskComparison(task, metric, words, end, grid, tuple(rows))


def _row(
    name: str,
    runs: Sequence[Run],
    grid: np.ndarray,
    curves: np.ndarray,
    scores: np.ndarray,
    *,
    first: Row | None,
    how: Mapping[str, int],
) -> Row:
    areas = align.area(grid, curves)
    return Row(
        group=name,
        runs=tuple(runs),
        curves=curves,
        scores=scores,
        curve=statistics.estimate([curves], statistics.mean, **how),
        mean=statistics.estimate([scores], statistics.mean, **how),
        iqm=statistics.estimate([scores], statistics.iqm, **how),
        area=statistics.estimate([areas], statistics.mean, **how),
        gain=statistics.difference([scores], [first.scores], **how) if first else None,
        better=statistics.improvement_of([scores], [first.scores], **how) if first else None,
    )


def _end(runs: Sequence[Run], options: Options) -> float:
    """The last step that is compared: as far as all runs got, or as asked for."""
    ends = [reached(run) for run in runs]
    if options.until:
        return float(options.until)
    return max(ends) if max(ends) - min(ends) <= SLACK * max(ends) else min(ends)


def _curve_metric(runs: Sequence[Run], end: float, metric: str) -> str:
    """Evaluations where every run has some before `end`, else training episodes.

    Where some runs lack the one and some the other: what more of them have.
    """
    if metric != "auto":
        return metric
    counts = [np.count_nonzero(run.get(EVAL).step <= end) for run in runs]
    episodes = [_begun(run, EPISODE, end) for run in runs]
    if min(counts) >= FEW_EVALUATIONS:
        return EVAL
    return EPISODE if all(episodes) or sum(episodes) > np.count_nonzero(counts) else EVAL


def _score_of(runs: Sequence[Run], end: float, curve: str, metric: str):
    """How a run is scored: the function, and what it is in words.

    By its last evaluation where every run has one in the last fifth of the steps or evaluations
    are what the curves show; else by the end of its curve.
    """
    recent = all(
        np.any((run.get(EVAL).step > 0.8 * end) & (run.get(EVAL).step <= end)) for run in runs
    )
    if curve == EVAL or (metric == "auto" and recent):
        return (lambda run: align.last_value(run.get(EVAL), end)), f"{EVAL}, last evaluation"
    words = f"{curve}, mean of the last {align.LAST_SHARE:.0%} of the steps"
    return (lambda run: align.last_mean(run.get(curve), end)), words


def _begun(run: Run, name: str, end: float) -> bool:
    steps = run.get(name).step
    return bool(len(steps)) and bool(steps[0] <= end)
