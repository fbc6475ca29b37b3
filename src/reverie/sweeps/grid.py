"""Tasks x settings x seeds: the trials of a sweep, with names that tell them apart."""

import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import xxhash

LONGEST = 120
"""Characters of a trial's name, which is that of its run folder."""


class Trial(NamedTuple):
    """One run."""

    name: str  # of its run folder below the sweep folder
    words: tuple[str, ...]  # after `reverie train`, without --logdir


def trials(
    tasks: Sequence[str],
    seeds: Sequence[int],
    vary: Mapping[str, Sequence[str]],
    options: Sequence[str],
    *,
    together: bool = False,
) -> list[Trial]:
    """All combinations: tasks outermost, then the options in their order, seeds innermost.

    `together`: the seeds of a setting are one trial, whose command learns them in one process.
    """
    names = short_names(tuple(vary))
    groups = [tuple(seeds)] if together else [(seed,) for seed in seeds]
    found = []
    for task, values, group in itertools.product(tasks, itertools.product(*vary.values()), groups):
        setting = dict(zip(vary, values, strict=True))
        parts = [task, *(f"{names[key]}={value}" for key, value in setting.items())]
        name = folder_name("-".join([*parts, _seeds(group)]))
        found.append(Trial(name, words(task, setting, group, options)))
    return found


def words(
    task: str, setting: Mapping[str, str], seeds: Sequence[int], options: Sequence[str]
) -> tuple[str, ...]:
    """The words after `reverie train`."""
    given = [f"--{key}={value}" for key, value in setting.items()]
    return (task, *options, *given, f"--{_seeds(seeds)}")


def _seeds(seeds: Sequence[int]) -> str:
    return f"seed={seeds[0]}" if len(seeds) == 1 else f"seeds={','.join(map(str, seeds))}"


def run_folders(trial: Path) -> list[Path]:
    """The run folders of a trial: its own, or one for each seed that learns with the others."""
    return sorted(trial.glob("seed-*")) or [trial]


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """The last part of each dotted key; the whole key where two end alike."""
    ends = [key.rpartition(".")[2] for key in keys]
    return {key: end if ends.count(end) == 1 else key for key, end in zip(keys, ends, strict=True)}


def folder_name(text: str) -> str:
    """`text` as the name of a folder; a digest takes the place of what is lost."""
    name = re.sub(r"[^\w=.,+-]+", "_", text).lstrip(".-_") or "trial"
    plain = re.sub(r"[:/]", "_", text)
    if name == plain and len(name) <= LONGEST:
        return name
    digest = xxhash.xxh3_64_hexdigest(text.encode())[:8]
    return f"{name[: LONGEST - 9]}-{digest}"
