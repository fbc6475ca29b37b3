"""What a shared agent scored: the numbers of its run, and of runs with other seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reverie.folder.errors import RunError
from reverie.report.align import LAST_SHARE
from reverie.report.chart import Chart, Line, picture
from reverie.report.compare import EPISODE, Row, TaskComparison, compare_runs
from reverie.report.head import ReportError
from reverie.report.read import read_run


@dataclass(frozen=True)
class Results:
    """Scores over seeds. `tree` is what results.json holds, `curve` an SVG ("" without one),
    `missing` why there are no scores ("" where there are)."""

    tree: dict[str, Any]
    curve: str = ""
    missing: str = ""

    @property
    def summary(self) -> str:
        """`mean ± std`, as tables of reinforcement learning have it; "" without scores."""
        if self.missing:
            return ""
        return f"{self.tree['mean']:.2f} ± {self.tree['std']:.2f}"


def results_of(runs: Sequence[Path]) -> Results:
    """The results of runs that differ in nothing but their seeds.

    Raises RunError where they differ in more, or two have the same seed.
    """
    try:
        for run in runs:
            read_run(run, run.name)
        found = compare_runs(runs)
    except ReportError as error:
        if len(runs) > 1:
            raise RunError(str(error)) from error
        return Results({"seeds": []}, missing=str(error))
    if len(found.groups) != 1 or len(found.tasks) != 1:
        raise RunError(
            f"the runs differ in {', '.join(found.by)}: --seed_run takes runs of the same command "
            "with other seeds."
        )
    task = found.tasks[0]
    row = task.rows[0]
    if len(row.runs) < len(runs):
        raise RunError(f"not every run has results: {' '.join(found.notes)}")
    if len(set(row.seeds)) < len(row.seeds):
        raise RunError(f"two of the runs have the same seed ({', '.join(map(str, row.seeds))}).")
    return Results(_tree(task, row), _curve(task, row))


def _tree(task: TaskComparison, row: Row) -> dict[str, Any]:
    scores = row.scores.tolist()
    spread, over = (float(np.std(scores, ddof=1)), "seeds") if len(scores) > 1 else _within(task)
    return {
        "metric": task.metric,
        "score": task.score,
        "step": task.end,
        "mean": float(np.mean(scores)),
        "std": spread,
        "std_over": over,
        "seeds": [
            {
                "seed": seed,
                "score": score,
                "curve": [
                    [int(x), round(float(y), 6)]
                    for x, y in zip(task.grid, curve, strict=True)
                    if math.isfinite(y)
                ],
            }
            for seed, score, curve in zip(row.seeds, scores, row.curves, strict=True)
        ],
    }


def _within(task: TaskComparison) -> tuple[float, str]:
    """Standard deviation of the only run's returns, and over which: those of its last evaluation,
    or, where it has none, of the training episodes that make its score."""
    run = task.rows[0].runs[0]
    spread = run.get("eval/return_std").value
    if len(spread):
        return float(spread[-1]), "episodes of the last evaluation"
    series = run.get(EPISODE)
    last = series.value[(series.step > task.end * (1 - LAST_SHARE)) & (series.step <= task.end)]
    words = f"training episodes of the last {LAST_SHARE:.0%} of the steps"
    return (float(np.std(last)) if len(last) else 0.0), words


def _curve(task: TaskComparison, row: Row) -> str:
    """The mean over seeds, and the curve of each."""
    lines = [Line(task.grid, curve, kind="faint") for curve in row.curves]
    name = "mean" if len(row.curves) > 1 else task.metric
    lines.append(Line(task.grid, row.curves.mean(0), name))
    title = f"{task.task}: {task.metric} by environment steps"
    return picture(Chart(lines, title=title, width=640, height=280))
