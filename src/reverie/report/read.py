"""A run folder as data: its configuration, its metrics by name, its pictures."""

import difflib
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from reverie.config import version_0_1
from reverie.part.saved import flatten
from reverie.train.digest import CONFIG, sealed
from reverie.train.metrics_prefix import damaged_metrics
from reverie.train.video import MediaFile, list_media


class ReportError(Exception):
    """A report that cannot be made: the message says what was found and what was expected."""


class Series(NamedTuple):
    """One metric over the run, in the order of steps."""

    step: np.ndarray  # (N,) float64, environment steps
    value: np.ndarray  # (N,) float64, the metric's unit; finite


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

    def get(self, name: str) -> Series:
        """The metric `name`; empty where the run has none."""
        return self.series.get(name, EMPTY)


EMPTY = Series(np.zeros(0), np.zeros(0))


def read_runs(paths: Sequence[Path]) -> list[Run]:
    """Read run folders; labels are folder names, with as many parents as tell them apart.

    Raises ReportError if `paths` is empty, holds a folder twice, or one is not a run folder.
    """
    if not paths:
        raise ReportError("no run folder was given; name at least one.")
    full = [Path(path).resolve() for path in paths]
    for path in full:
        if full.count(path) > 1:
            raise ReportError(f"the run folder {path} was given twice.")
    return [read_run(path, label) for path, label in zip(full, _labels(full), strict=True)]


def read_run(path: Path, label: str) -> Run:
    """Read one run folder. Raises ReportError if it is none or config.json cannot be read."""
    head = _head(path)
    damage = damaged_metrics(path)
    series, notes = _read_metrics(path / "metrics.jsonl")
    return Run(
        path=path,
        label=label,
        config=flat_config(head.get("config", {})),
        versions={str(name): str(version) for name, version in head.get("versions", {}).items()},
        command=_command(head.get("command", "")),
        facts=tuple((str(name), str(value)) for name, value in head.get("facts", ())),
        series=series,
        media=tuple(list_media(path)),
        notes=(damage, *notes) if damage else notes,
    )


def flat_config(tree: Any) -> dict[str, Any]:
    """The configuration of a run as JSON values by dotted path, in today's spelling."""
    values = flatten(tree) if isinstance(tree, Mapping) else {}
    return version_0_1.today(values) if version_0_1.is_old(values) else values


def _head(path: Path) -> dict[str, Any]:
    """What config.json holds."""
    file = path / "config.json"
    if not file.is_file():
        raise ReportError(_not_a_run(path))
    try:
        head = sealed(file.read_bytes(), file.name, CONFIG)
    except TypeError:
        head = None
    except (OSError, ValueError) as error:
        raise ReportError(f"cannot read {file}: {error}.") from error
    if not isinstance(head, dict) or not isinstance(head.get("config"), dict):
        raise ReportError(
            f"{file} is not a run's config.json: expected an object with the keys "
            "'config', 'versions' and 'command'."
        )
    return head


def _command(command: str | Sequence[str]) -> str:
    """What was typed: `sys.argv` without the folders of the program itself."""
    if isinstance(command, str) or not command:
        return str(command or "")
    program = Path(command[0]).name
    program = "python -m reverie" if program == "__main__.py" else shlex.quote(program)
    return " ".join([program, *map(shlex.quote, map(str, command[1:]))])


def _not_a_run(path: Path) -> str:
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


def _read_metrics(path: Path) -> tuple[dict[str, Series], tuple[str, ...]]:
    """Series by name, and notes on what could not be read."""
    if not path.is_file():
        return {}, ("The run has not written any metrics yet.",)
    *lines, rest = path.read_bytes().split(b"\n")
    columns: dict[str, tuple[list[float], list[float]]] = {}
    broken = 0
    for line in lines:
        broken += not _take(line, columns)
    notes = []
    if rest:
        notes.append("The last line of metrics.jsonl is half written and left out.")
    if broken:
        notes.append(f"{broken} lines of metrics.jsonl are not metrics and left out.")
    if not columns:
        notes.append("The run has not written any metrics yet.")
    return {name: _sorted(*column) for name, column in columns.items()}, tuple(notes)


def _take(line: bytes, columns: dict[str, tuple[list[float], list[float]]]) -> bool:
    """Add a line's finite numbers to `columns`; False if the line is not one of metrics."""
    try:
        row = json.loads(line)
        step = float(row.pop("step"))
    except (ValueError, TypeError, KeyError, AttributeError):
        return False
    for name, value in row.items():
        if isinstance(value, int | float) and np.isfinite(value):
            steps, values = columns.setdefault(name, ([], []))
            steps.append(step)
            values.append(float(value))
    return True


def _sorted(steps: list[float], values: list[float]) -> Series:
    step, value = np.array(steps), np.array(values)
    order = np.argsort(step, kind="stable")
    return Series(step[order], value[order])


def _labels(paths: Sequence[Path]) -> list[str]:
    for depth in range(1, max(len(path.parts) for path in paths) + 1):
        labels = ["/".join(path.parts[-depth:]) for path in paths]
        if len(set(labels)) == len(labels):
            break
    return labels
