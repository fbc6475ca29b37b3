"""What the words after `reverie sweep`, a file or values of Python ask for."""

import dataclasses
import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from reverie.config.edit import field_types
from reverie.launch import LONE, NAMED
from reverie.part.errors import ConfigError, suggest
from reverie.sweeps.options import SweepOptions
from reverie.sweeps.values import Values, as_text, of_python, read_vary, seeds_of_python

OWN = tuple(field.name for field in dataclasses.fields(SweepOptions) if field.name != "tasks")
"""Flags of `reverie sweep` that are none of `reverie train`, or mean something else."""
SEVERAL = ("seeds", "vary", "slurm")
"""Those that take more values than one."""


class Given(NamedTuple):
    """What was asked for, from wherever."""

    own: dict[str, Any]  # fields of SweepOptions but `vary`
    vary: dict[str, Values]
    options: tuple[str, ...]  # words of `reverie train`, `--key=value`


def split(given: Sequence[str]) -> Given:
    """The parts of a command line; a file's values stand where the line has none.

    Raises ConfigError for an unknown option (nearest named) and a file that cannot be read.
    """
    tasks: list[str] = []
    own: dict[str, list[str]] = {}
    options: list[str] = []
    queue = list(given)
    while queue:
        word = queue.pop(0)
        if not word.startswith("--"):
            tasks.append(word)
            continue
        name, equals, value = word[2:].partition("=")
        name = name.replace("-", "_")
        values = [value] if equals else []
        while queue and not queue[0].startswith("--") and not (values and _single(name)):
            values.append(queue.pop(0))
        if name in OWN:
            _take(own, name, values)
        else:
            _check_name(word, name)
            options.append(f"--{name}={','.join(values)}" if values else f"--{name}")
    found = Given(_typed(own, tasks), read_vary(own.get("vary", [])), tuple(options))
    return with_file(_seeded(found))


def _single(name: str) -> bool:
    return name in OWN and name not in SEVERAL


def _take(own: dict[str, list[str]], name: str, values: list[str]) -> None:
    if name == "together" and not values:
        values = ["true"]
    if not values:
        raise ConfigError(f"--{name} needs a value.")
    if name in own and name not in ("vary", "slurm"):
        raise ConfigError(f"--{name} is given twice; keep one of them.")
    own.setdefault(name, []).extend(values)


def _check_name(word: str, name: str) -> None:
    """Raises ConfigError for a misspelt option of the sweep itself."""
    near = difflib.get_close_matches(name, OWN, n=1, cutoff=0.75)
    known = (*NAMED, *LONE, *field_types())
    if near and name not in known:
        raise ConfigError(f"there is no option {word.partition('=')[0]}; did you mean --{near[0]}?")


def _typed(own: Mapping[str, Sequence[str]], tasks: Sequence[str]) -> dict[str, Any]:
    """The words of SweepOptions as its fields take them."""
    found: dict[str, Any] = {"tasks": tuple(tasks)} if tasks else {}
    for name, values in own.items():
        if name == "seeds":
            found[name] = tuple(_whole(name, v) for text in values for v in text.split(","))
        elif name == "slurm":
            found[name] = tuple(values)
        elif name != "vary":
            found[name] = values[0]  # which the record reads
    return found


def _whole(name: str, text: str) -> int:
    if not text.strip().isdecimal():
        raise ConfigError(f"--{name} takes whole numbers, found {text!r}.")
    return int(text)


def _seeded(given: Given) -> Given:
    """The same, where `--seed N` is the one seed."""
    seeds = [word.partition("=")[2] for word in given.options if word.startswith("--seed=")]
    if not seeds:
        return given
    if "seeds" in given.own:
        raise ConfigError("--seed is for one run, and --seeds for several; keep one of them.")
    rest = tuple(word for word in given.options if not word.startswith("--seed="))
    return Given(given.own | {"seed": _whole("seed", seeds[0])}, given.vary, rest)


def with_file(given: Given) -> Given:
    """The same, where the one task is a file that says the rest; what is given besides wins.

    Raises ConfigError where it cannot be read, or tasks are named beside it.
    """
    tasks = given.own.get("tasks", ())
    files = [task for task in tasks if task.endswith(".toml")]
    if not files:
        return given
    if len(tasks) > 1:
        raise ConfigError(f"{files[0]} names the tasks: leave out {' '.join(tasks[1:])}.")
    below = _seeded(of_file(Path(files[0]).expanduser()))
    besides = {name: value for name, value in given.own.items() if name != "tasks"}
    seeds = {"seed", "seeds"}  # which one there is, or how many: either replaces both
    replaced = seeds if seeds & besides.keys() else set()
    own = {name: value for name, value in below.own.items() if name not in replaced} | besides
    taken = {word.partition("=")[0] for word in given.options}
    kept = tuple(word for word in below.options if word.partition("=")[0] not in taken)
    return Given(own, below.vary | given.vary, (*kept, *given.options))


def of_file(path: Path) -> Given:
    """What a TOML file asks for: tasks, fields of SweepOptions, tables `vary` and `options`.

    Raises ConfigError where it cannot be read, or has another key.
    """
    try:
        tree = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read as a plan of a sweep ({error}).") from error
    known = ("tasks", "options", *OWN)
    for key in tree:
        if key.replace("-", "_") not in known:
            raise ConfigError(f"{path} has an unknown key {key!r}; {suggest(key, known)}")
    return of_values(tree)


def of_values(tree: Mapping[str, Any]) -> Given:
    """The same from values of Python: keys are fields of SweepOptions, and `options`."""
    own = {k: v for k, v in tree.items() if k not in ("vary", "options") and v is not None}
    if isinstance(own.get("tasks"), str):
        own["tasks"] = (own["tasks"],)
    if "seeds" in own:
        own |= seeds_of_python(own.pop("seeds"))
    if isinstance(own.get("slurm"), Mapping):
        own["slurm"] = tuple(f"{key}={value}" for key, value in own["slurm"].items())
    own = {k: tuple(v) if isinstance(v, list) else v for k, v in own.items()}
    options = tree.get("options") or {}
    if not isinstance(options, Mapping):
        raise ConfigError(f'options takes a table such as {{"steps": 1000}}, found {options!r}.')
    given = (f"--{key}={as_text(value)}" for key, value in _flat(options))
    vary = of_python(dict(_flat(tree.get("vary") or {})))
    return Given(own, vary, tuple(given))


def _flat(tree: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(tree, Mapping):
        raise ConfigError(f'vary takes a table such as {{"optim.lr": [4e-5]}}, found {tree!r}.')
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{str(key).replace('-', '_')}", value
