"""A comparison as plain tables for a terminal, and as JSON and CSV for programs."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from reverie.report.atari import Aggregate, AtariTable
from reverie.report.compare import Comparison, Row, TaskComparison
from reverie.report.groups import text
from reverie.report.overall import Overall, Overview
from reverie.report.statistics import LEVEL, Estimate
from reverie.watch.text import number

DASH = "–"
HEAD = ("group", "runs", "mean", "IQM", "over training", "against the first")
OVERALL_HEAD = ("group", "runs", "mean", "median", "IQM", "optimality gap", "against the first")
ATARI_HEAD = ("human-normalised, %", "games", "runs", "mean", "median", "IQM", "optimality gap")


def as_text(comparison: Comparison) -> str:
    """The tables and the notes, for a terminal; brackets hold intervals."""
    parts = []
    for part in comparison.tasks:
        parts.append(title(part))
        parts.append(_table([HEAD, *(task_cells(row) for row in part.rows)]))
    if comparison.overall is not None:
        parts.append(f"over {len(comparison.overall.tasks)} tasks, normalised")
        cells = [overall_cells(row) for row in comparison.overall.rows]
        parts.append(_table([OVERALL_HEAD, *cells]))
        parts.append(f"0 and 1 are: {scales(comparison.overall)}")
    for table in comparison.atari:
        rows = [atari_cells(row) for row in (*table.rows, *table.references)]
        parts.append(f"Atari100k, {table.window}")
        parts.append(_table([ATARI_HEAD, *rows]))
    parts += [f"* {note}" for note in comparison.notes]
    parts.append(about(comparison))
    return "\n".join(parts) + "\n"


def title(part: TaskComparison) -> str:
    """Task, score and step of one comparison, in words."""
    name = part.task or "all tasks"
    return f"{name}: {part.score}, up to step {part.end:,.0f}"


def about(comparison: Comparison) -> str:
    """What the numbers are."""
    count = comparison.options.resamples
    return (
        f"[…]: {LEVEL:.0%} bootstrap interval over seeds ({count:,} resamples, stratified by "
        "task). over training: mean height of the curve. against the first: difference of the "
        "means, and the share of pairs of runs in which this group's is better."
    )


def task_cells(row: Row) -> tuple[str, ...]:
    """A group's line in the table of a task."""
    return (
        row.group,
        str(len(row.runs)),
        interval(row.mean),
        interval(row.iqm),
        interval(row.area),
        DASH if row.gain is None else f"{interval(row.gain, sign=True)}  {share(row.better)}",
    )


def overall_cells(row: Overall) -> tuple[str, ...]:
    """A group's line in the table over all tasks."""
    numbers = (row.mean, row.median, row.iqm, row.gap)
    return (row.group, str(row.runs), *map(interval, numbers), share(row.better))


def scales(overview: Overview) -> str:
    """What 0 and 1 mean on each task."""
    told = [
        f"{task} {number(low)} to {number(high)} ({where})"
        for task, (low, high, where) in overview.scales.items()
    ]
    return "; ".join(told)


def share(estimate: Estimate | None) -> str:
    """`75% [60%, 90%]`."""
    if estimate is None:
        return DASH
    value, low, high = (float(part) for part in estimate)
    return f"{value:.0%}" if np.isnan(low) else f"{value:.0%} [{low:.0%}, {high:.0%}]"


def atari_cells(row: Aggregate) -> tuple[str, ...]:
    """A line of the human-normalised table, in per cent."""
    estimates = (row.mean, row.median, row.iqm, row.gap)
    runs = str(row.runs) if row.runs else "published"
    return (row.name, str(len(row.games)), runs, *(_percent(value) for value in estimates))


def interval(estimate: Estimate, *, sign: bool = False) -> str:
    """`12.3 [11.0, 13.5]`; without the brackets where there is no interval."""
    value, low, high = (float(part) for part in estimate)
    shown = ("+" if sign and value > 0 else "") + number(value)
    return shown if np.isnan(low) else f"{shown} [{number(low)}, {number(high)}]"


def _percent(estimate: Estimate | None) -> str:
    if estimate is None:
        return DASH
    value, low, high = (100 * float(part) for part in estimate)
    return f"{value:.1f}" if np.isnan(low) else f"{value:.1f} [{low:.1f}, {high:.1f}]"


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return "\n".join(lines) + "\n"


def as_json(comparison: Comparison) -> str:
    """Everything, for programs. Bounds that do not exist are null."""
    tree = {
        "by": list(comparison.by),
        "notes": list(comparison.notes),
        "level": LEVEL,
        "resamples": comparison.options.resamples,
        "groups": {
            group.name: {
                "values": {p: text(v) for p, v in zip(comparison.by, group.values, strict=True)},
                "runs": [str(run.path) for run in group.runs],
            }
            for group in comparison.groups
        },
        "tasks": [_task_tree(part) for part in comparison.tasks],
        "overall": None if comparison.overall is None else _overall_tree(comparison.overall),
        "atari100k": [_atari_tree(table) for table in comparison.atari],
    }
    return json.dumps(tree, indent=1) + "\n"


def _task_tree(part: TaskComparison) -> dict[str, Any]:
    return {
        "task": part.task,
        "curve": part.metric,
        "score": part.score,
        "end": part.end,
        "groups": {
            row.group: {
                "seeds": list(row.seeds),
                "scores": row.scores.tolist(),
                "mean": _triple(row.mean),
                "iqm": _triple(row.iqm),
                "over_training": _triple(row.area),
                "against_first": row.gain and _triple(row.gain),
                "probability_of_improvement": row.better and float(row.better.value),
                "probability_interval": row.better and _triple(row.better)[1:],
            }
            for row in part.rows
        },
    }


def _overall_tree(found: Overview) -> dict[str, Any]:
    return {
        "scales": {task: list(scale) for task, scale in found.scales.items()},
        "thresholds": found.thresholds.tolist(),
        "budget": found.budget.tolist(),
        "groups": {
            row.group: {
                "runs": row.runs,
                **{name: _triple(getattr(row, name)) for name in ("mean", "median", "iqm", "gap")},
                "probability_of_improvement": row.better and _triple(row.better),
                "profile": [_triple(Estimate(*point)) for point in zip(*row.profile, strict=True)],
                "curve": [_triple(Estimate(*point)) for point in zip(*row.curve, strict=True)],
            }
            for row in found.rows
        },
    }


def _atari_tree(table: AtariTable) -> dict[str, Any]:
    names = ("mean", "median", "iqm", "gap")
    return {
        "window": table.window,
        "rows": {
            row.name: {
                "games": dict(zip(row.games, row.scores, strict=True)),
                "runs": row.runs,
                **{name: (e := getattr(row, name)) and _triple(e) for name in names},
            }
            for row in (*table.rows, *table.references)
        },
    }


def _triple(estimate: Estimate) -> list[float | None]:
    return [None if np.isnan(part) else float(part) for part in estimate]


def _inert(text: str) -> str:
    """A cell that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def as_csv(comparison: Comparison) -> str:
    """The curves: a line for each task, group and step of the grid."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(("task", "metric", "group", "runs", "step", "mean", "low", "high"))
    for part in comparison.tasks:
        for row in part.rows:
            for step, *numbers in zip(part.grid, *row.curve, strict=True):
                cells = ["" if np.isnan(n) else f"{n:.6g}" for n in numbers]
                names = map(_inert, (part.task, part.metric, row.group))
                head = (*names, len(row.runs), f"{step:.10g}")
                table.writerow((*head, *cells))
    return out.getvalue()
