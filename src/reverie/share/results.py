"""What a shared agent scored: the numbers of its run, and of runs with other seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reverie.folder.errors import RunError
from reverie.report.chart import Chart, Line, picture
from reverie.report.compare import Row, TaskComparison, compare_runs
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
    spread = float(np.std(scores, ddof=1)) if len(scores) > 1 else _within(row)
    return {
        "metric": task.metric,
        "score": task.score,
        "step": task.end,
        "mean": float(np.mean(scores)),
        "std": spread,
        "std_over": "seeds" if len(scores) > 1 else "episodes of the last evaluation",
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


def _within(row: Row) -> float:
    """Standard deviation of the returns in the last evaluation of the only run; 0 without one."""
    spread = row.runs[0].get("eval/return_std").value
    return float(spread[-1]) if len(spread) else 0.0


def _curve(task: TaskComparison, row: Row) -> str:
    """The mean over seeds, and the curve of each."""
    lines = [Line(task.grid, curve, kind="faint") for curve in row.curves]
    name = "mean" if len(row.curves) > 1 else task.metric
    lines.append(Line(task.grid, row.curves.mean(0), name))
    title = f"{task.task}: {task.metric} by environment steps"
    return picture(Chart(lines, title=title, width=640, height=280))
