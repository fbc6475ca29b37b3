"""Runs sorted into groups by fields of their configurations."""

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reverie.config import edit
from reverie.config.schema import Config
from reverie.config.strategies import STRATEGIES
from reverie.report.read import ReportError, Run, read_runs

RESULT = "comparison.json"

UNIMPORTANT = (
    *("log.", "device.", "env.backend", "env.parallel", "env.restarts", "env.timeout"),
    "env.workers",
    *("train.keep", "train.log_every", "train.report", "train.save_every", "train.video_every"),
    "logdir",
)
"""Beginnings of fields that never change what is learned (devices change only the last digits)."""

OWN = ("seed", "task", "pinned", "steps")
"""Fields that are told in their own way: seeds are averaged over, tasks and lengths are shown."""

SECTION = "replay"
"""A section that `--by` names by what `--replay` would: the strategy that its fields are."""

FLAGS = {"harmony": "world.balance", "balance": "world.balance"}
"""Flags of `reverie train` that are written otherwise than the field they set."""

MOST_FIELDS = 4


@dataclass(frozen=True)
class Group:
    """Runs that agree in the fields that were asked for."""

    name: str
    values: tuple[Any, ...]
    runs: tuple[Run, ...]

    def of_task(self, task: str) -> list[Run]:
        """Its runs of one task, by seed."""
        return sorted((run for run in self.runs if task_of(run) == task), key=seed_of)


def task_of(run: Run) -> str:
    """The task of a run."""
    return str(value_of(run, "task"))


def seed_of(run: Run) -> int:
    """The seed of a run."""
    return int(value_of(run, "seed"))


def value_of(run: Run, path: str) -> Any:
    """A field of the run's configuration; the schema's default where the run is older than it."""
    if path == SECTION:
        return strategy_of(run)
    value = run.config[path] if path in run.config else _defaults().get(path)
    return tuple(value) if isinstance(value, list | tuple) else value


def strategy_of(run: Run) -> str:
    """The named replay strategy whose fields the run has, that with the most of them; else `own`.

    Uniform drawing is the strategy of every run that departs from it in nothing a strategy sets.
    """
    base = {path: value for path, value in _defaults().items() if path in _strategy_fields()}
    for strategy in sorted(STRATEGIES.values(), key=lambda row: -len(row.edits)):
        expected = base | dict(strategy.edits)
        if all(value_of(run, path) == value for path, value in expected.items()):
            return strategy.name
    return "own"


def _strategy_fields() -> set[str]:
    return {path for strategy in STRATEGIES.values() for path in strategy.edits}


def find_runs(paths: Sequence[Path]) -> tuple[list[Run], list[str]]:
    """The runs of the folders, and what was passed over: earlier comparisons and pages, so that
    `reverie compare runs/*` works a second time, and folders that cannot be read.

    Raises ReportError as `read_runs` does.
    """
    pages = [path for path in paths if path.suffix == ".html" or (path / RESULT).is_file()]
    notes = [f"{path} is a page, not a run, and left out." for path in pages]
    refused: list[str] = []
    runs = read_runs([path for path in paths if path not in pages], refused)
    return runs, notes + [f"Left out: {sentence}" for sentence in refused]


def fields_of(names: Sequence[str], runs: Sequence[Run]) -> list[str]:
    """The dotted paths that `--by` names.

    A name is a field (`optim.lr`), its last part (`lr`) where that is unique, or a section
    (`replay`), which stands for those of its fields in which the runs differ. No names: all fields
    in which the runs differ, except those that are averaged over or change nothing.

    Raises ReportError: an unknown name (nearest given), an ambiguous one, or too many differences.
    """
    if names:
        found = [path for name in names for path in _resolve(name, runs)]
        return list(dict.fromkeys(found))
    differing = [path for path in differences(runs) if path not in OWN]
    if len(differing) > MOST_FIELDS:
        raise ReportError(
            f"the runs differ in {len(differing)} fields ({listed(differing)}); name those that "
            "make the groups: --by FIELD[,FIELD]."
        )
    return differing


def split(runs: Sequence[Run], paths: Sequence[str]) -> list[Group]:
    """The runs in groups that agree in the fields `paths`; groups in the order of their values."""
    sorted_runs: dict[tuple[Any, ...], list[Run]] = {}
    for run in runs:
        sorted_runs.setdefault(tuple(value_of(run, path) for path in paths), []).append(run)
    keys = sorted(sorted_runs, key=lambda key: [_rank(value) for value in key])
    short = {path: _short(path, paths) for path in paths}
    return [
        Group(
            ", ".join(f"{short[p]}={text(v)}" for p, v in zip(paths, key, strict=True)) or "all",
            key,
            tuple(sorted_runs[key]),
        )
        for key in keys
    ]


def differences(runs: Sequence[Run]) -> list[str]:
    """Fields in which the runs differ and that may change what is learned, in schema order."""
    paths = [path for path in all_fields(runs) if not path.startswith(UNIMPORTANT)]
    return [path for path in paths if len({value_of(run, path) for run in runs}) > 1]


def all_fields(runs: Sequence[Run]) -> list[str]:
    """Every field that any run has: the schema's in its order, then those it has lost."""
    known = list(_defaults())
    return known + sorted({path for run in runs for path in run.config} - set(known))


def text(value: Any) -> str:
    """A value as one would write it after a flag."""
    if isinstance(value, tuple):
        return ",".join(map(text, value))
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def listed(names: Sequence[str], most: int = 6) -> str:
    """The first names in words: `a, b and 3 more`."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def _defaults() -> Mapping[str, Any]:
    return edit.flat(Config())


def _resolve(name: str, runs: Sequence[Run]) -> list[str]:
    known = all_fields(runs)
    name = FLAGS.get(name, name)
    inside = [path for path in known if path.startswith(f"{name}.")]
    options = [path for path in differences(runs) if path in inside]
    if name == SECTION or (name in known and (name in differences(runs) or not options)):
        return [name]
    if inside:
        if not options:
            raise ReportError(
                f"the runs do not differ in {name!r}: all its fields ({listed(inside)}) agree."
            )
        return options
    ending = [path for path in known if path.rpartition(".")[2] == name]
    if len(ending) > 1:
        differing = [path for path in differences(runs) if path in ending]
        if len(differing) == 1:
            return differing
        raise ReportError(f"{name!r} may be {' or '.join(ending)}; write the one you mean.")
    if ending:
        return ending
    raise ReportError(_unknown(name, [*known, *differences(runs)]))


def _unknown(name: str, known: Sequence[str]) -> str:
    """The error's words; where two fields end alike, the later one in `known` is suggested."""
    words = {path: path for path in known} | {path.rpartition(".")[2]: path for path in known}
    words |= {path.partition(".")[0]: path.partition(".")[0] for path in known}
    near = difflib.get_close_matches(name, words, n=1, cutoff=0.5)
    hint = f"did you mean {words[near[0]]!r}?" if near else "`reverie train --help` lists all."
    return f"there is no configuration field {name!r} to compare by; {hint}"


def _short(path: str, paths: Sequence[str]) -> str:
    """The last part of a path where it is unique among `paths`; the section's name for its kind."""
    section, _, leaf = path.rpartition(".")
    if leaf == "kind" and section:
        return section
    alike = [other for other in paths if other.rpartition(".")[2] == leaf]
    return leaf if len(alike) == 1 else path


def _rank(value: Any) -> tuple[int, Any]:
    """Numbers and truth values in their order, then texts."""
    if isinstance(value, bool | int | float):
        return (0, value)
    return (1, value if isinstance(value, str) else json.dumps(value))
