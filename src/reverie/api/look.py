"""Comparisons of runs and checks of environments from Python."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reverie.api.arguments import or_empty, run_of
from reverie.envs.source import Given


def compare(
    runs: Sequence[str | Path],
    *,
    by: str | Sequence[str] = (),
    metric: str = "auto",
    until: int = 0,
    points: int = 60,
    resamples: int = 2_000,
    references: Mapping[str, tuple[float, float]] | None = None,
    out: str | Path | None = None,
) -> Any:
    """Groups of runs over seeds: means, interquartile means, bootstrap intervals, curves.

    Args:
        runs: run folders.
        by: fields of the configuration that make the groups (`"harmony"`, `["agent", "size"]`);
            empty: those in which the runs differ.
        metric: what is compared; `auto`: evaluations where all runs have them, else episodes.
        until: last environment step; shorter runs are left out. 0: as far as all runs got.
        points: points of a curve.
        resamples: bootstrap resamples of an interval.
        references: scores of a task that count as 0 and 1 where tasks are taken together.
        out: folder for a page, pictures and numbers; None writes nothing.

    Returns a `reverie.report.compare.Comparison`; its `notes` say what a reader must know.
    Raises ReportError: a folder that is no run, an unknown field or metric, nothing to compare.
    """
    from reverie.options import CompareOptions

    folders = [runs] if isinstance(runs, str | os.PathLike) else list(runs)
    named = by if isinstance(by, str) else ",".join(by)
    paths = tuple(str(run_of(path, "runs")) for path in folders)
    scales = [f"{task}={low},{high}" for task, (low, high) in (references or {}).items()]
    chosen = CompareOptions(paths, named, metric, until, points, resamples, tuple(scales))
    from reverie.report.compare_page import compare_into

    return compare_into(list(paths), chosen.options(), out)


def check_env(
    task: Given,
    *,
    preset: str | Path | None = None,
    size: str = "auto",
    overrides: Mapping[str, Any] | None = None,
    steps: int = 1000,
    seconds: float = 1.0,
) -> Any:
    """Checks an environment as `reverie doctor` does; returns a `reverie.doctor.visit.Report`.

    Args:
        task: a task's name, `MODULE:FUNCTION`, or a callable that makes a Gymnasium environment,
            or an environment of which copies can be made.
        preset: benchmark preset; None takes the one that `train` would.
        size: model size of the planned run.
        overrides: dotted path -> value, as for `train`.
        steps: steps that are watched.
        seconds: length of each measurement of speed; 0 measures none and plans nothing.

    `report.healthy` says whether there is no problem, `report.findings` what was found. Raises
    ConfigError for unknown names; what is wrong with the environment is reported.
    """
    from reverie.doctor.options import DoctorOptions

    chosen = DoctorOptions("", or_empty(preset), size, steps=steps, seconds=seconds)
    from reverie.doctor.visit import examine

    options: dict[str, Any] = {
        "preset": chosen.preset or None,
        "size": size,
        "overrides": overrides,
    }
    return examine(task, **options, steps=chosen.steps, seconds=chosen.seconds)
