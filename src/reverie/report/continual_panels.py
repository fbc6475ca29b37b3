"""A sequence of tasks on a page: the task-by-time matrix, a chart of all tasks, the table."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup, escape

from reverie.report.chart import Chart, Line, draw
from reverie.report.continual import PUBLISHED, Outcome
from reverie.report.groups import task_of
from reverie.report.scale import Scale, tick_label
from reverie.report.statistics import Estimate, estimate, mean
from reverie.report.transfer import fill_forward
from reverie.watch.text import number

NONE = "–"
WIDTH, LEFT, ROW, FOOT = 960, 190, 30, 26
COLUMNS = 120
"""Most columns of a matrix: evaluations beyond that are averaged in neighbours."""

HEADERS = (
    "average performance",
    "forgetting",
    "forward transfer (published form)",
    "forward transfer (Continual World's form)",
)


def content(found: Sequence[Outcome]) -> list[dict[str, Any]]:
    """What the template shows of every row."""
    return [
        {
            "label": outcome.label,
            "seeds": len(outcome.runs),
            "matrix": matrix(outcome),
            "curve": curves(outcome),
            "notes": outcome.notes,
        }
        for outcome in found
    ]


def table(found: Sequence[Outcome]) -> list[tuple[str, ...]]:
    """Label, runs, and the four metrics with their intervals; then the published rows known."""
    rows = []
    for outcome in found:
        values = (
            outcome.performance,
            outcome.forgetting,
            outcome.transfer,
            outcome.transfer_world,
        )
        rows.append((outcome.label, str(len(outcome.runs)), *map(_text, values)))
    for task in dict.fromkeys(task_of(outcome.runs[0]) for outcome in found):
        for paper in PUBLISHED.get(task, ()):
            numbers = (paper.performance, paper.forgetting, paper.transfer)
            shown = [NONE if value is None else f"{value:.2f}" for value in numbers]
            rows.append((paper.method, "", *shown, NONE))
    return rows


def matrix(outcome: Outcome) -> Markup:
    """Tasks down, evaluations across; the darker a cell, the higher its mean return over seeds.

    A bar under each row marks when that task was trained.
    """
    end = outcome.ends[-1]
    x = Scale(0, end, LEFT, WIDTH - 10)
    rows = [*zip(outcome.tasks, outcome.curves, strict=True), *outcome.tests]
    top = max([float(np.nanmax(c.value)) for _, c in rows if c.value.size] or [1.0])
    bottom = min([float(np.nanmin(c.value)) for _, c in rows if c.value.size] or [0.0])
    parts = []
    for row, (task, curve) in enumerate(rows):
        y = 6 + row * ROW
        parts.append(
            f'<text class="tick y" x="{LEFT - 8}" y="{y + 14}">{escape(short(task))}</text>'
        )
        known = ~np.isnan(curve.value).all(1)
        step, value = binned(curve.step[known], np.nanmean(fill_forward(curve.value[known]), 1))
        left = np.concatenate([[0.0], step[:-1]])[: len(step)]
        for begin, stop, level in zip(left, step, value, strict=True):
            share = 0.0 if top <= bottom else (level - bottom) / (top - bottom)
            title = f"{escape(short(task))}, step {stop:,.0f}: {number(level)}"
            parts.append(
                f'<rect class="cell" x="{float(x(begin)):.1f}" y="{y}" fill="currentColor" '
                f'fill-opacity="{0.04 + 0.96 * share:.3f}" height="20" '
                f'width="{float(x(stop) - x(begin)) + 0.3:.1f}"><title>{title}</title></rect>'
            )
        if row < len(outcome.tasks):
            parts += [_bar(x, y + 22, *span) for span in visits_to(outcome, row)]
    foot = 6 + len(rows) * ROW
    for tick in x.ticks(8):
        at = f'x="{float(x(tick)):.1f}" y="{foot + 16}"'
        parts.append(f'<text class="tick x" {at}>{tick_label(tick)}</text>')
    return Markup(
        f'<svg class="c0" viewBox="0 0 {WIDTH} {foot + FOOT}" role="img" '
        f'aria-label="returns of every task over time">{"".join(parts)}</svg>'
    )


def _bar(x: Scale, y: float, begin: float, end: float) -> str:
    width = float(x(end) - x(begin))
    return (
        f'<rect class="trained" x="{float(x(begin)):.1f}" y="{y}" width="{width:.1f}" height="3" '
        'fill="#d0560a"/>'
    )


def visits_to(outcome: Outcome, index: int) -> list[tuple[float, float]]:
    """Spans of environment steps in which a task was trained."""
    begins = (0.0, *outcome.ends[:-1])
    spans = enumerate(zip(begins, outcome.ends, strict=True))
    return [span for visit, span in spans if visit % len(outcome.tasks) == index]


def binned(step: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most `COLUMNS` columns: the last step and the mean value of neighbours."""
    groups = np.array_split(np.arange(len(step)), min(len(step), COLUMNS) or 1)
    groups = [part for part in groups if len(part)]
    return (
        np.array([step[part[-1]] for part in groups]),
        np.array([value[part].mean() for part in groups]),
    )


def curves(outcome: Outcome) -> Markup:
    """Every task's return over the whole sequence, mean over seeds with its interval."""
    lines = []
    rows = [*zip(outcome.tasks, outcome.curves, strict=True), *outcome.tests]
    for color, (task, curve) in enumerate(rows):
        value = fill_forward(curve.value)
        whole = ~np.isnan(value).any(1)
        found = estimate([value[whole].T], mean)
        band = None if len(outcome.runs) < 2 else (found.low, found.high)
        lines.append(
            Line(curve.step[whole], found.value, label=short(task), color=color, band=band)
        )
    return draw(
        Chart(
            lines,
            title="Return of every task over environment steps",
            width=WIDTH,
            height=300,
            x_range=(0.0, float(outcome.ends[-1])),
            margin=(12, 16, 26, 52),
        )
    )


def legend(found: Sequence[Outcome]) -> list[str]:
    """Names of the tasks in the order of their colours."""
    first = found[:1]
    return [short(task) for one in first for task in (*one.tasks, *(t for t, _ in one.tests))]


def short(task: str) -> str:
    """A task's name without what all suites' names begin with."""
    return task.removeprefix("custom:").removeprefix("gym:")


def _text(value: Estimate | None) -> str:
    if value is None:
        return NONE
    text = f"{float(value.value):.3f}"
    if np.isnan(value.low):
        return text
    return f"{text} [{float(value.low):.3f}, {float(value.high):.3f}]"
