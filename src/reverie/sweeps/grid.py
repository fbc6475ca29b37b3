"""Tasks x settings x seeds: the trials of a sweep, with names that tell them apart."""

import itertools
import re
from collections.abc import Mapping, Sequence
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
) -> list[Trial]:
    """All combinations: tasks outermost, then the options in their order, seeds innermost."""
    names = short_names(tuple(vary))
    found = []
    for task, values, seed in itertools.product(tasks, itertools.product(*vary.values()), seeds):
        setting = dict(zip(vary, values, strict=True))
        parts = [task, *(f"{names[key]}={value}" for key, value in setting.items())]
        name = folder_name("-".join([*parts, f"seed={seed}"]))
        found.append(Trial(name, words(task, setting, seed, options)))
    return found


def words(
    task: str, setting: Mapping[str, str], seed: int, options: Sequence[str]
) -> tuple[str, ...]:
    """The words after `reverie train`."""
    given = [f"--{key}={value}" for key, value in setting.items()]
    return (task, *options, *given, f"--seed={seed}")


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """The last part of each dotted key; the whole key where two end alike."""
    ends = [key.rpartition(".")[2] for key in keys]
    return {key: end if ends.count(end) == 1 else key for key, end in zip(keys, ends, strict=True)}


def folder_name(text: str) -> str:
    """`text` as the name of a folder; a digest takes the place of what is lost."""
    name = re.sub(r"[^\w=.,+-]+", "_", text).lstrip(".-_") or "trial"
    if name == text and len(name) <= LONGEST:
        return name
    digest = xxhash.xxh3_64_hexdigest(text.encode())[:8]
    plain = re.sub(r"[:/]", "_", text)
    if name == plain and len(name) <= LONGEST:
        return name
    return f"{name[: LONGEST - 9]}-{digest}"
