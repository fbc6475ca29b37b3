"""What a page tells in words and numbers: results, configuration, differences."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from reverie.config import edit
from reverie.config.presets import expected_pictures, resolve
from reverie.config.schema import Config
from reverie.envs.base import EnvError
from reverie.part.errors import ConfigError
from reverie.report.places import value_without_folders
from reverie.report.read import Run
from reverie.report.series import trailing_mean
from reverie.watch.text import duration, number

RECENT = 20
NONE = "–"
MOST_DIFFERING = 6
"""Settings that the table of runs has columns for."""


class Setting(NamedTuple):
    """A field of the configuration, its value in every run, and what it means."""

    path: str
    values: Sequence[str]
    default: str
    meaning: str


class Cell(NamedTuple):
    """A number as text, and itself: what a table is sorted by; None where the run does not know."""

    text: str
    value: float | None = None


def results(run: Run) -> dict[str, Cell]:
    """The numbers one asks for first; a dash where the run does not know."""
    returns, evals = run.get("episode/return"), run.get("eval/return").value
    mean = trailing_mean(returns, RECENT).value
    wall = run.get("time/seconds").value[-1:]
    return {
        "Evaluation return": _evaluation(run),
        "Best evaluation": _cell(evals.max() if len(evals) > 1 else None),
        f"Return, last {RECENT} episodes": _cell(_last(mean)),
        f"Best mean of {RECENT} episodes": _cell(
            mean[RECENT - 1 :].max() if len(mean) >= RECENT else None
        ),
        "Training episodes": Cell(f"{len(returns.value):,}", len(returns.value)),
        "Environment steps": _steps(run),
        "Updates": _whole(_last(run.get("train/updates").value)),
        "Wall time": Cell(duration(float(wall[0])), float(wall[0])) if len(wall) else Cell(NONE),
        "Steps per second": _cell(_median(run.get("time/steps_per_s").value)),
        "Updates per second": _cell(_median(run.get("time/updates_per_s").value)),
    }


def _evaluation(run: Run) -> Cell:
    evals, spread = run.get("eval/return").value, run.get("eval/return_std").value
    count = run.get("eval/episodes").value
    found = _cell(_last(evals))
    text = found.text
    if len(evals) and len(spread) == len(evals):
        text += f" ± {number(float(spread[-1]))}"
    plural = "episode" if len(count) and count[-1] == 1 else "episodes"
    return Cell(text + (f" ({count[-1]:.0f} {plural})" if len(count) else ""), found.value)


def standings(
    runs: Sequence[Run], found: Sequence[Mapping[str, Cell]], differing: Sequence[Setting]
) -> tuple[tuple[str, ...], list[list[Cell]]]:
    """Headers and rows of the table of runs: `found`, the `results` of each, then the
    first of the settings that differ."""
    if len(runs) < 2:
        return (), []
    differing, rows = differing[:MOST_DIFFERING], []
    for run, result, *values in zip(runs, found, *(row.values for row in differing), strict=True):
        own = zip(differing, values, strict=True)
        rows.append([*result.values(), *(Cell(v, _plain(run, row.path)) for row, v in own)])
    return (*found[0], *(row.path for row in differing)), rows


def _plain(run: Run, path: str) -> float | None:
    value = run.config.get(path)
    return float(value) if isinstance(value, int | float) else None


UNSHOWN = (
    "logdir",
    *(f"device.{name}" for name in ("precision", "scan", "unroll", "command_buffers")),
)
"""Fields that differ from their defaults by themselves: where a run is, what its device takes."""


def settings(every: Sequence[Setting]) -> list[Setting]:
    """Those of `all_settings` that differ between the runs; of a single run, those that differ from
    the defaults of its task."""
    shown = []
    for setting in every:
        single = len(setting.values) == 1
        values = [*setting.values, setting.default] if single else setting.values
        if len(set(values)) > 1 and setting.path not in UNSHOWN:
            shown.append(setting)
    return shown


def all_settings(runs: Sequence[Run]) -> list[Setting]:
    """Every field that any run has, in the schema's order; then fields the schema has lost."""
    defaults, docs = defaults_of(runs[0]), edit.field_docs()
    paths = [path for path in defaults if any(path in run.config for run in runs)]
    paths += sorted({path for run in runs for path in run.config} - set(defaults))
    return [
        Setting(
            path,
            [_text(run.config[path]) if path in run.config else NONE for run in runs],
            _text(defaults[path]) if path in defaults else NONE,
            docs.get(path, ""),
        )
        for path in paths
    ]


def defaults_of(run: Run) -> dict[str, Any]:
    """The configuration that the run's task has where nothing else is asked for, by dotted path;
    the schema's own defaults where this version does not know the task.

    What the model size writes is that of the run's own: only the size itself differs then.
    """
    task, agent = str(run.config.get("task", "")), str(run.config.get("agent", "v3"))
    tasks = {k: v for k, v in run.config.items() if k.startswith("sequence.")}
    overrides = tasks if task == "continual:custom" else {}
    try:
        plain = resolve(task, agent=agent, pictures=expected_pictures(task, agent=agent))
        sized = resolve(
            task, agent=agent, size=str(run.config.get("size", "auto")), overrides=overrides
        )
    except (ConfigError, EnvError):
        return edit.flat(Config())
    size = plain.size if plain.size != "auto" else sized.size
    return edit.flat(sized) | {"size": size}


def _text(value: Any) -> str:
    """A value as in JSON, so that a default and a saved value compare equal; no folders in it."""
    value = value_without_folders(value) if isinstance(value, str) else value
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        value = int(value)
    return json.dumps(list(value)) if isinstance(value, tuple) else json.dumps(value)


def _steps(run: Run) -> Cell:
    total = run.config.get("steps")
    whole = f" of {total:,}" if isinstance(total, int) and total > run.end else ""
    return Cell(f"{run.end:,.0f}{whole}", run.end)


def _last(values: np.ndarray) -> float | None:
    return float(values[-1]) if len(values) else None


def _median(values: np.ndarray) -> float | None:
    return float(np.median(values)) if len(values) else None


def _cell(value: float | None) -> Cell:
    return Cell(NONE) if value is None else Cell(number(float(value)), float(value))


def _whole(value: float | None) -> Cell:
    return Cell(NONE) if value is None else Cell(f"{value:,.0f}", float(value))
