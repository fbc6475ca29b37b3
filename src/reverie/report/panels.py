"""Which charts a page shows, and what stands in each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from reverie.report import balance
from reverie.report.chart import COLORS, Chart, Line, draw
from reverie.report.read import Run
from reverie.report.series import envelope, thin, trailing_mean, window_of
from reverie.watch.metric_names import CATALOGUE, OPTIMISER, describe, find
from reverie.watch.text import number

SMOOTH_FROM = 40  # points
SMOOTH = (0.02, 1)  # share and least, as in `window_of`
SMOOTH_RETURN = (0.05, 10)
_EPISODES = ("episode/length", "episode/log/", "eval/length", "eval/log/", "eval/return/")
_EPISODES += ("sequence/",)
_GROUPED = ("loss/", "train/", "time/", "system/", "replay/", "env/", "episode/", "eval/")
_GROUPED += ("sequence/", "balance/", "explore/", "explorer/", "explained/")
COUNTERS = {"train/updates", "time/seconds"}  # straight lines; the table of results has their end


@dataclass(frozen=True)
class Panel:
    """One small chart with its words."""

    name: str
    unit: str
    meaning: str
    last: str  # value at the end, where there is one run
    svg: Markup


@dataclass(frozen=True)
class Section:
    """A group of panels; names that never changed are told in one line instead of charts."""

    title: str
    panels: Sequence[Panel]
    constants: Sequence[tuple[str, str]]


def learning_curve(runs: Sequence[Run]) -> Markup | None:
    """Episode returns (faint), their trailing mean and evaluations; None where no run has any."""
    lines = []
    for index, run in enumerate(runs):
        lines += _smoothed(
            run,
            "episode/return",
            index,
            name_of=_label(runs, run, "training"),
            smooth=SMOOTH_RETURN,
        )
        points, error = run.get("eval/return"), run.get("eval/return_std").value
        lines.append(
            Line(
                *points,
                label=_label(runs, run, "evaluation"),
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
        x_range=x_range(runs),
        margin=(12, 16, 26, 52),
    )
    return draw(chart)


def windows(runs: Sequence[Run]) -> list[int]:
    """Episodes that the smoothed learning curve averages: the fewest and the most of any run, one
    number where all agree."""
    counts = [len(run.get("episode/return").value) for run in runs]
    sizes = [window_of(count, *SMOOTH_RETURN) if count >= SMOOTH_FROM else 1 for count in counts]
    return sorted({min(sizes), max(sizes)})


def sections(runs: Sequence[Run]) -> list[Section]:
    """All other metrics, grouped; groups without a metric are left out."""
    names = sorted({name for run in runs for name in run.series} - COUNTERS, key=_rank)
    optimiser = {metric.pattern for metric in OPTIMISER}
    groups: dict[str, list[str]] = {
        "Episodes": [n for n in names if n.startswith(_EPISODES)],
        "Losses": [n for n in names if n.startswith("loss/")],
        "What latents tell of observations": [n for n in names if n.startswith("explained/")],
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
    return [_section(title, group, runs) for title, group in groups.items() if group]


def x_range(runs: Sequence[Run]) -> tuple[float, float]:
    """Steps from 0 to the last one of any run, so that all charts of a page share their axis."""
    last = max((float(s.step[-1]) for run in runs for s in run.series.values()), default=0.0)
    return (0.0, last or 1.0)


def _rank(name: str) -> tuple[int, str]:
    """Names in the catalogue's order, unknown ones last."""
    metric = find(name)
    return (CATALOGUE.index(metric) if metric else len(CATALOGUE), name)


def _section(title: str, names: Sequence[str], runs: Sequence[Run]) -> Section:
    steady = {name: value for name in names if (value := _constant(name, runs)) is not None}
    panels = [_panel(name, runs) for name in names if name not in steady]
    return Section(title, panels, [(name, number(value)) for name, value in steady.items()])


def _constant(name: str, runs: Sequence[Run]) -> float | None:
    """The value of a metric that is the same everywhere; None if it changes."""
    values = np.concatenate([run.get(name).value for run in runs])
    return float(values[0]) if (values == values[0]).all() else None


def _panel(name: str, runs: Sequence[Run]) -> Panel:
    lines = []
    for index, run in enumerate(runs):
        lines += _smoothed(run, name, index, name_of=_label(runs, run, ""), smooth=SMOOTH)
    optima = _optima(name, runs)
    metric = describe(name)
    log = None if name.startswith(("loss/", balance.COEF)) or name == "train/grad_norm" else False
    values = runs[0].get(name).value
    return Panel(
        name=name.partition("/")[2] if not name.startswith(("episode/", "eval/")) else name,
        unit=metric.unit if metric.unit != "1" else "",
        meaning=f"{metric.meaning}. {balance.MEANING}" if optima else metric.meaning,
        last=number(float(values[-1])) if len(runs) == 1 else "",
        svg=draw(Chart([*lines, *optima], title=name, x_range=x_range(runs), log=log)),
    )


def _optima(name: str, runs: Sequence[Run]) -> list[Line]:
    """Dashed lines: where a balancing coefficient would stand at its optimum."""
    found = [(index, run, balance.optimum(run, name)) for index, run in enumerate(runs)]
    return [
        Line(*thin(best), label=_label(runs, run, "optimum"), color=COLORS + index % COLORS)
        for index, run, best in found
        if best is not None
    ]


def _smoothed(
    run: Run, name: str, color: int, *, name_of: str, smooth: tuple[float, int]
) -> list[Line]:
    """A long curve as its faint self and its trailing mean; a short one as it is."""
    series = run.get(name)
    count = len(series.value)
    if count < SMOOTH_FROM:
        return [Line(*series, label=name_of, color=color)]
    mean = thin(trailing_mean(series, window_of(count, *smooth)))
    return [
        Line(*envelope(series), color=color, kind="faint"),
        Line(*mean, label=name_of, color=color),
    ]


def _label(runs: Sequence[Run], run: Run, what: str) -> str:
    return f"{run.label} {what}".strip() if len(runs) > 1 else what
