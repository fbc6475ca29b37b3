"""A comparison as a folder: a page, a picture a task, and the numbers as JSON and CSV."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reverie.folder.address import local_path
from reverie.folder.mirror import run_path
from reverie.report import listing
from reverie.report.atari import AtariTable
from reverie.report.atari_scores import GAMES
from reverie.report.chart import COLORS, Chart, Line, draw, picture
from reverie.report.compare import Comparison, Options, TaskComparison, compare_runs
from reverie.report.groups import RESULT, Group, differences, listed, text, value_of
from reverie.report.overall import Overview
from reverie.report.page import environment, write_whole
from reverie.report.read import ReportError
from reverie.watch.text import number

PAGE = "index.html"
FAINT_UP_TO = 40  # runs on one picture whose own curves are drawn


def compare_into(
    runs: Sequence[str | Path], options: Options, out: str | Path | None
) -> Comparison:
    """Compare run folders and write the result into the folder `out`; None writes nothing."""
    folder = None if out is None else local_path(out, "out")
    comparison = compare_runs([run_path(run) for run in runs], options)
    return comparison if folder is None else write_comparison(comparison, folder)


def write_comparison(comparison: Comparison, folder: Path) -> Comparison:
    """Write page, pictures and numbers into `folder`; the comparison that knows its page.

    The page needs no network and no other file. Each file appears whole; those of an earlier
    comparison in the same folder are replaced.

    Raises ReportError if the folder cannot be written or holds a run.
    """
    if (folder / "config.json").is_file():
        raise ReportError(f"{folder} is a run folder; name another one with --out.")
    write_whole(folder / PAGE, render(comparison))
    for part, name in zip(comparison.tasks, _names(comparison.tasks), strict=True):
        write_whole(folder / f"{name}.svg", picture(chart_of(comparison, part)))
    if comparison.overall is not None:
        for name, chart in overall_charts(comparison, comparison.overall).items():
            write_whole(folder / f"{name}.svg", picture(chart))
    write_whole(folder / "curves.csv", listing.as_csv(comparison))
    write_whole(folder / RESULT, listing.as_json(comparison))
    return replace(comparison, page=folder / PAGE)


def _names(parts: Sequence[TaskComparison]) -> list[str]:
    """A file name for each task: short, of plain letters, all different."""
    names: list[str] = []
    for part in parts:
        name = re.sub(r"[^A-Za-z0-9.-]+", "_", part.task or "tasks")[:100]
        names.append(f"{name}-{len(names)}" if name in names else name)
    return names


def render(comparison: Comparison) -> str:
    """The page as text."""
    return environment().get_template("compare.html").render(_content(comparison))


def chart_of(comparison: Comparison, part: TaskComparison) -> Chart:
    """Mean curves with their intervals; single runs stay visible where they are few."""
    order = [group.name for group in comparison.groups]
    lines = []
    for row in part.rows:
        color = order.index(row.group)
        if 1 < sum(len(other.runs) for other in part.rows) <= FAINT_UP_TO:
            lines += [Line(part.grid, curve, color=color, kind="faint") for curve in row.curves]
        value, low, high = row.curve
        lines.append(Line(part.grid, value, label=row.group, color=color, band=(low, high)))
    return Chart(
        lines,
        title=f"{part.task or 'all tasks'}: {part.metric} over environment steps",
        width=960,
        height=320,
        x_range=(0.0, part.end) if part.end else None,
        margin=(12, 16, 26, 52),
    )


PROFILE, EFFICIENCY = "performance-profile", "sample-efficiency"


def overall_charts(comparison: Comparison, found: Overview) -> dict[str, Chart]:
    """Performance profiles, and curves over all tasks."""
    order = [group.name for group in comparison.groups]
    told = {
        PROFILE: ("share of runs above a normalised score", found.thresholds, "profile"),
        EFFICIENCY: ("normalised IQM by the share of the steps", found.budget, "curve"),
    }
    charts = {}
    for name, (title, x, field) in told.items():
        lines = []
        for row in found.rows:
            value, low, high = getattr(row, field)
            color = order.index(row.group)
            lines.append(Line(x, value, label=row.group, color=color, band=(low, high)))
        wide = (float(x[0]), float(x[-1]))
        how = {"width": 960, "height": 260, "margin": (12, 16, 26, 52), "x_range": wide}
        charts[name] = Chart(lines, title=title, x_name=title.rpartition(" ")[2], **how)
    return charts


def _overall(comparison: Comparison) -> dict[str, Any] | None:
    found = comparison.overall
    if found is None:
        return None
    charts = overall_charts(comparison, found)
    return {
        "tasks": len(found.tasks),
        "rows": [listing.overall_cells(row) for row in found.rows],
        "scales": listing.scales(found),
        "charts": [(chart.title, draw(chart)) for chart in charts.values()],
    }


def _content(comparison: Comparison) -> dict[str, Any]:
    """What the template fills in."""
    fields = listed(comparison.by) or "nothing: one group"
    runs = sum(len(group.runs) for group in comparison.groups)
    return {
        "title": f"By {fields}",
        "subtitle": f"{runs} runs in {len(comparison.groups)} groups",
        "groups": [
            (group.name, index % COLORS, index >= COLORS)
            for index, group in enumerate(comparison.groups)
        ],
        "color": {group.name: i % COLORS for i, group in enumerate(comparison.groups)},
        "tasks": [
            (listing.title(part), part, draw(chart_of(comparison, part)), _rows(part))
            for part in comparison.tasks
        ],
        "head": listing.HEAD,
        "about": listing.about(comparison),
        "overall": _overall(comparison),
        "overall_head": listing.OVERALL_HEAD,
        "atari": [_atari(table) for table in comparison.atari],
        "atari_head": listing.ATARI_HEAD,
        "notes": comparison.notes,
        "settings": _settings(comparison.groups),
        "runs": [(group.name, group.runs) for group in comparison.groups],
        "made": datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
    }


def _rows(part: TaskComparison) -> list[tuple[str, ...]]:
    return [listing.task_cells(row) for row in part.rows]


def _atari(table: AtariTable) -> dict[str, Any]:
    """The aggregates, and the games one by one."""
    rows = (*table.rows, *table.references)
    games = [game for game in GAMES if any(game in row.games for row in table.rows)]
    points = [dict(zip(row.games, row.scores, strict=True)) for row in rows]
    return {
        "window": table.window,
        "rows": [listing.atari_cells(row) for row in rows],
        "names": [row.name for row in rows],
        "own": len(table.rows),
        "games": [
            (
                game,
                number(GAMES[game].random),
                number(GAMES[game].human),
                [number(part[game]) if game in part else listing.DASH for part in points],
            )
            for game in games
        ],
    }


def _settings(groups: Sequence[Group]) -> list[tuple[str, list[str]]]:
    """Fields in which the runs differ, and the values that each group has."""
    runs = [run for group in groups for run in group.runs]
    return [
        (
            path,
            [
                listed(list(dict.fromkeys(text(value_of(run, path)) for run in group.runs)), 5)
                for group in groups
            ],
        )
        for path in differences(runs)
    ]
