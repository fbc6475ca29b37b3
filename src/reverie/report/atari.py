"""Human-normalised scores over the games of Atari100k, beside published agents.

Two ways to score a run are in use, and numbers of one must not stand beside those of the other:
the last evaluation, and the training episodes that end in frames 390k to 400k. Each has a table.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reverie.report import statistics
from reverie.report.align import last_value, window_mean
from reverie.report.atari_scores import (
    GAMES,
    LAST_EPISODES,
    LAST_EVALUATION,
    Reference,
)
from reverie.report.groups import Group, task_of, value_of
from reverie.report.read import Run
from reverie.report.statistics import Estimate

SUITE = "atari100k_"
WINDOW = (390_000, 400_000)  # frames


@dataclass(frozen=True)
class Aggregate:
    """A group, or a published agent, over games; 1 is a human's score."""

    name: str
    mean: Estimate  # () over games of the mean over runs
    median: Estimate | None  # () over games of the mean over runs
    iqm: Estimate | None  # () over games and runs; None where a reference lacks its seeds
    gap: Estimate | None  # () optimality gap, target 1
    games: tuple[str, ...]
    runs: int
    human: int  # games with a mean at a human's or above
    scores: tuple[float, ...]  # of each game, points, mean over runs


@dataclass(frozen=True)
class AtariTable:
    """One way to score a run, and everyone scored by it."""

    window: str
    rows: tuple[Aggregate, ...]
    references: tuple[Aggregate, ...]  # over the games of all rows


def game_of(task: str, suites: Sequence[str] = (SUITE,)) -> str | None:
    """The game of a task of Atari100k, or of other `suites`, whose human score is known; None for
    other tasks."""
    for suite in suites:
        name = task.removeprefix(suite).replace("james_bond", "jamesbond")
        if task.startswith(suite) and name in GAMES:
            return name
    return None


def atari_tables(
    groups: Sequence[Group], *, until: float = 0, resamples: int, seed: int
) -> tuple[AtariTable, ...]:
    """A table for each window in which any run has a score; none without Atari100k runs.

    `until` is the last environment step that counts; 0: all do.
    """
    until = until or np.inf

    def evaluated(run: Run) -> float:
        return last_value(run.get("eval/return"), until)

    tables = []
    for scored, references, words in (
        (evaluated, LAST_EVALUATION, _evaluation_words(groups, until)),
        (_trained, LAST_EPISODES, "training episodes in frames 390k to 400k"),
    ):
        rows = [
            _row(group.name, strata, resamples=resamples, seed=seed)
            for group in groups
            if (strata := _strata(group, scored))
        ]
        if rows:
            games = tuple(game for game in GAMES if any(game in row.games for row in rows))
            beside = tuple(reference_row(reference, games) for reference in references)
            tables.append(AtariTable(words, tuple(rows), beside))
    return tuple(tables)


def reference_row(reference: Reference, games: Sequence[str]) -> Aggregate:
    """A published agent over `games`, from its means; its IQM only where they are all 26.

    No intervals: the seeds themselves are not ours to ship.
    """
    points = {game: float(getattr(GAMES[game], reference.column)) for game in games}
    strata = {game: np.array([points[game]]) for game in games}
    row = _row(reference.name, strata, resamples=1, seed=0)
    known = reference.iqm is not None and len(games) == len(GAMES)
    iqm = Estimate(np.array(reference.iqm), *(np.array(np.nan),) * 2) if known else None
    return Aggregate(row.name, row.mean, row.median, iqm, None, row.games, 0, row.human, row.scores)


def _row(name: str, strata: dict[str, np.ndarray], *, resamples: int, seed: int) -> Aggregate:
    """Aggregates of points by game, each an array of runs."""
    normal = [
        (points - GAMES[game].random) / (GAMES[game].human - GAMES[game].random)
        for game, points in strata.items()
    ]
    how = {"resamples": resamples, "seed": seed}
    return Aggregate(
        name=name,
        mean=statistics.estimate(normal, statistics.mean, **how),
        median=statistics.estimate(normal, statistics.median, **how),
        iqm=statistics.estimate(normal, statistics.iqm, **how),
        gap=statistics.estimate(normal, statistics.optimality_gap, **how),
        games=tuple(strata),
        runs=sum(len(points) for points in strata.values()),
        human=sum(bool(part.mean() >= 1) for part in normal),
        scores=tuple(float(points.mean()) for points in strata.values()),
    )


def _strata(group: Group, scored) -> dict[str, np.ndarray]:
    """Scores in points by game, in the table's order; games and runs without one are absent."""
    found: dict[str, list[float]] = {}
    for run in group.runs:
        game = game_of(task_of(run))
        if game is not None and np.isfinite(score := scored(run)):
            found.setdefault(game, []).append(score)
    return {game: np.array(found[game]) for game in GAMES if game in found}


def _trained(run: Run) -> float:
    repeat = int(value_of(run, "env.repeat"))
    begin, end = (frames / repeat for frames in WINDOW)
    return window_mean(run.get("episode/return"), begin, end)


def _evaluation_words(groups: Sequence[Group], until: float) -> str:
    """The window's name with the frames at which the last evaluations were made."""
    steps = [
        (int(value_of(run, "env.repeat")), run.get("eval/return").step)
        for group in groups
        for run in group.runs
        if game_of(task_of(run))
    ]
    frames = [r * float(s[s <= until][-1]) for r, s in steps if (s <= until).any()]
    if not frames:
        return "last evaluation"
    low, high = (f"{frame / 1000:.0f}k" for frame in (min(frames), max(frames)))
    return f"last evaluation (at {low if low == high else f'{low} to {high}'} frames)"
