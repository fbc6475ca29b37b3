"""Which charts a page shows, and what stands in each. The page's script draws them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reverie.report import balance
from reverie.report.buckets import bucketed
from reverie.report.chart import Chart, Line, svg
from reverie.report.read import Run
from reverie.report.series import thin, trailing_mean, window_of
from reverie.watch.metric_names import CATALOGUE, OPTIMISER, describe, find
from reverie.watch.text import number

SMOOTH_FROM = 40  # points
SMOOTH_RETURN = (0.05, 10)  # share and least, as in `window_of`
BAND = 80
"""Stretches of the band of the learning curve that stands in the page before its script runs."""
_EPISODES = ("episode/length", "episode/log/", "eval/length", "eval/log/", "eval/return/")
_EPISODES += ("sequence/",)
_GROUPED = ("loss/", "train/", "time/", "system/", "replay/", "env/", "episode/", "eval/")
_GROUPED += ("sequence/", "balance/", "explore/", "explorer/", "explained/", "model/")
COUNTERS = {"train/updates", "time/seconds"}  # straight lines; the table of results has their end


@dataclass(frozen=True)
class Panel:
    """One small chart with its words."""

    metric: str
    name: str
    unit: str
    meaning: str
    log: bool  # whether a logarithmic axis may serve it better


@dataclass(frozen=True)
class Section:
    """A group of panels; names that never changed are told in one line instead of charts.

    `inside` says that it is about the agent's inside, and folded at first.
    """

    title: str
    panels: Sequence[Panel]
    constants: Sequence[tuple[str, str]]
    inside: bool


def learning_curve(runs: Sequence[Run]) -> Markup | None:
    """Where episodes lie (a band), their trailing mean, and evaluations; None where no run has any.

    The script of the page draws it anew, with its controls.
    """
    lines = []
    for index, run in enumerate(runs):
        lines += _smoothed(run, index)
        points, error = run.get("eval/return"), run.get("eval/return_std").value
        lines.append(
            Line(
                *points,
                color=index,
                kind="points",
                error=error if len(error) == len(points.value) else None,
            )
        )
    if not any(len(line.x) for line in lines):
        return None
    chart = Chart(
        lines,
        title="Return over environment steps",
        width=960,
        height=340,
        x_range=(0.0, max(run.end for run in runs) or 1.0),
        margin=(12, 16, 26, 52),
    )
    return svg(chart)


def windows(counts: Sequence[int]) -> list[int]:
    """Episodes that the smoothed learning curve averages: the fewest and the most of any run, one
    number where all agree. `counts`: episodes of every run."""
    sizes = [window_of(count, *SMOOTH_RETURN) if count >= SMOOTH_FROM else 1 for count in counts]
    return sorted({min(sizes), max(sizes)}) if sizes else [1]


def constants(runs: Sequence[Run]) -> dict[str, float | None]:
    """Every metric of the runs; its value where that is the same everywhere, else None."""
    found: dict[str, float | None] = {}
    for run in runs:
        for name, series in run.series.items():
            first = float(series.value[0])
            same = found.get(name, first) == first and (series.value == first).all()
            found[name] = first if same else None
    return found


def sections(runs: Sequence[Run], steady: Mapping[str, float | None]) -> list[Section]:
    """All other metrics, grouped; groups without a metric are left out. `steady` as `constants`."""
    names = sorted(set(steady) - COUNTERS, key=_rank)
    optimiser = {metric.pattern for metric in OPTIMISER}
    groups: dict[str, list[str]] = {
        "Episodes": [n for n in names if n.startswith(_EPISODES)],
        "What latents tell of observations": [n for n in names if n.startswith("explained/")],
        "Play and replay as the model foresees them": [n for n in names if n.startswith("model/")],
        "Losses": [n for n in names if n.startswith("loss/")],
        "Loss balance": balance.shown(names, runs),
        "Imagination and policy": [
            n for n in names if n.startswith("train/") and n not in optimiser
        ],
        "Exploration": [n for n in names if n.startswith(("explore/", "explorer/"))],
        "Optimiser": [n for n in names if n in optimiser],
        "Speed and machine": [n for n in names if n.startswith(("time/", "system/"))],
        "Replay and environments": [n for n in names if n.startswith(("replay/", "env/"))],
        "Other": [n for n in names if not n.startswith(_GROUPED)],
    }
    return [_section(title, group, runs, steady) for title, group in groups.items() if group]


def folded(shown: Sequence[Section]) -> frozenset[str]:
    """Metrics whose charts nobody sees before their section is opened."""
    return frozenset(panel.metric for part in shown if part.inside for panel in part.panels)


SHOWN = ("Episodes", "What latents tell of observations", "Other")
"""Sections that are open at first: what a task says of itself, and what users log."""


def _rank(name: str) -> tuple[int, str]:
    """Names in the catalogue's order, unknown ones last."""
    metric = find(name)
    return (CATALOGUE.index(metric) if metric else len(CATALOGUE), name)


def _section(
    title: str, names: Sequence[str], runs: Sequence[Run], steady: Mapping[str, float | None]
) -> Section:
    panels = [_panel(name, runs) for name in names if steady[name] is None]
    same = [(name, number(value)) for name in names if (value := steady[name]) is not None]
    return Section(title, panels, same, title not in SHOWN)


def _panel(name: str, runs: Sequence[Run]) -> Panel:
    metric = describe(name)
    has_optimum = any(balance.has_optimum(run, name) for run in runs)
    return Panel(
        metric=name,
        name=name.partition("/")[2] if not name.startswith(("episode/", "eval/")) else name,
        unit=metric.unit if metric.unit != "1" else "",
        meaning=f"{metric.meaning}. {balance.MEANING}" if has_optimum else metric.meaning,
        log=name.startswith(("loss/", balance.COEF)) or name == "train/grad_norm",
    )


def _smoothed(run: Run, color: int) -> list[Line]:
    """Many returns as their band and their trailing mean; few as they are."""
    series = run.get("episode/return")
    count = len(series.value)
    if count < SMOOTH_FROM:
        return [Line(*series, color=color)]
    parts = bucketed(*series, BAND)
    mean = thin(trailing_mean(series, window_of(count, *SMOOTH_RETURN)))
    return [
        Line(parts.steps(), parts.means(), color=color, kind="band", band=(parts.low, parts.high)),
        Line(*mean, color=color),
    ]
