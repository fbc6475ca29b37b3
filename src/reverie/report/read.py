"""A run folder as data: its configuration, its metrics by name, its pictures."""

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reverie.folder import shared
from reverie.report.head import Head, read_head
from reverie.report.head import ReportError as ReportError
from reverie.report.metrics import Series as Series
from reverie.report.metrics import read_metrics
from reverie.train.metrics_prefix import damaged_metrics
from reverie.watch.text import one_line
from reverie.watch.video import MediaFile, media_of


@dataclass(frozen=True)
class Run:
    """What a run folder says."""

    path: Path
    label: str
    config: Mapping[str, Any]  # JSON values by dotted path
    versions: Mapping[str, str]
    command: str
    facts: Sequence[tuple[str, str]]  # planned parameters, memory, … as config.json has them
    series: Mapping[str, Series]
    media: Sequence[MediaFile]
    notes: Sequence[str]  # what a reader must know about the folder
    end: float = 0.0  # last environment step of any metric

    def get(self, name: str) -> Series:
        """The metric `name`; empty where the run has none."""
        return self.series.get(name, EMPTY)

    def last(self, name: str) -> float:
        """The last value of the metric `name`; 0 where the run has none."""
        return float(self.get(name).value[-1:].sum())


EMPTY = Series(np.zeros(0), np.zeros(0))


def read_runs(paths: Sequence[Path], refused: list[str] | None = None) -> list[Run]:
    """Read run folders; labels are folder names, with as many parents as tell them apart. A sweep
    folder stands for the runs in it.

    Args:
        refused: takes a sentence on each folder that cannot be read, as long as another one can;
            None: the first of them is an error.

    Raises ReportError if `paths` is empty, holds a folder twice, or all of them (without
    `refused`: one) cannot be read.
    """
    if not paths:
        raise ReportError("no run folder was given; name at least one.")
    full = [Path(run).resolve() for path in paths for run in runs_of(Path(path))]
    check_different(full)
    runs, sentences = [], []
    for path, label in zip(full, labels_of(full), strict=True):
        try:
            runs.append(read_run(path, label))
        except ReportError as error:
            if refused is None:
                raise
            sentences.append(str(error))
    if not runs:
        raise ReportError(" ".join(sentences))
    if refused is not None:
        refused += sentences
    return runs


def check_different(paths: Sequence[Path]) -> None:
    """Raises ReportError where a folder stands among `paths` twice."""
    for path in paths:
        if paths.count(path) > 1:
            raise ReportError(f"the run folder {path} was given twice.")


SWEEP = "sweep.json"
"""What a folder holds whose folders are the runs of one sweep."""


def runs_of(path: Path) -> list[Path]:
    """The run folders that `path` stands for: those that a sweep has begun, or itself.

    Raises ReportError where a sweep has begun none.
    """
    if not os.path.lexists(path / SWEEP):
        return [path]
    found = (*path.glob("*/config.json"), *path.glob("*/seed-*/config.json"))
    inside = sorted(file.parent for file in found)
    if not inside:
        raise ReportError(f"no trial of the sweep {path} has begun yet.")
    return inside


def read_run(path: Path, label: str) -> Run:
    """Read one run folder. Raises ReportError if it is none or config.json cannot be read."""
    head = head_of(path)
    damage = damaged_metrics(path)
    series, notes = read_metrics(path / "metrics.jsonl")
    notes = (one_line(damage), *notes) if damage else notes
    media, odd = media_of(path)
    return Run(
        path=path,
        label=one_line(label),
        config=head.config,
        versions=head.versions,
        command=head.command,
        facts=head.facts,
        series=series,
        media=tuple(media),
        notes=(*head.notes, *notes, *odd_note(odd)),
        end=max((float(found.step[-1]) for found in series.values()), default=0.0),
    )


def head_of(path: Path) -> Head:
    """What config.json of a run folder says. Raises ReportError as `read_run`."""
    if not os.path.lexists(path / "config.json"):
        raise ReportError(not_a_run(path))
    if shared.is_shared(path):
        raise ReportError(
            f"{path} is a shared agent: it holds weights, {shared.RESULTS} and the curve of its "
            f"{shared.CARD}, and no metrics of a run to report."
        )
    return read_head(path / "config.json")


def odd_note(odd: Sequence[str]) -> list[str]:
    """A sentence on what of `videos/` is not shown, as `media_of` says it; none where all is."""
    shown = [*odd[:3], *([f"{len(odd) - 3} more"] if len(odd) > 3 else [])]
    return [f"Not shown: {one_line('; '.join(shown))}."] if odd else []


def not_a_run(path: Path) -> str:
    """Why a folder is none of a run, and which one may be meant."""
    found = "a folder without config.json" if path.is_dir() else "no such folder"
    found = f"{path} is not a run folder: found {found}"
    inside = sorted(p.parent.relative_to(path) for p in path.glob("*/config.json"))
    if inside:
        return f"{found}, but {len(inside)} runs inside; did you mean {str(path / inside[0])!r}?"
    parent = path.parent
    names = [p.parent.name for p in parent.glob("*/config.json")] if parent.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=1)
    hint = f" Did you mean {str(parent / near[0])!r}?" if near else ""
    return f"{found}; expected the --logdir of `reverie train`, which holds config.json.{hint}"


def labels_of(paths: Sequence[Path]) -> list[str]:
    """Names of folders, with as many parents as tell them apart."""
    labels: list[str] = []
    for depth in range(1, max((len(path.parts) for path in paths), default=0) + 1):
        labels = ["/".join(path.parts[-depth:]) for path in paths]
        if len(set(labels)) == len(labels):
            break
    return labels
