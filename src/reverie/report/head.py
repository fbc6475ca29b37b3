"""`config.json` of a run folder, whoever wrote it: every value has its field's type."""

import contextlib
import json
import shlex
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from reverie import files
from reverie.config import edit, version_0_1
from reverie.config.sequence import SequenceConfig
from reverie.folder.digest import CONFIG, sealed
from reverie.part.errors import ConfigError
from reverie.part.part import is_slot, slot_of_many
from reverie.part.saved import flatten
from reverie.part.values import coerce
from reverie.watch.text import one_line

LARGEST = 2**63
"""Largest magnitude of a number."""
MOST = 2_000
"""Most fields, words of a command, versions or facts; most visits of a sequence."""


class ReportError(Exception):
    """A report that cannot be made: the message says what was found and what was expected."""


@dataclass(frozen=True)
class Head:
    """What config.json says."""

    config: Mapping[str, Any]  # JSON values by dotted path; lists are of plain values
    versions: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    facts: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()  # sentences on what was left out


def read_head(file: Path) -> Head:
    """Read config.json. Raises ReportError, naming file and field, where it is of no run."""
    try:
        head = sealed(files.read(file, files.CONFIG_BYTES), file.name, CONFIG)
    except TypeError:
        head = None
    except OSError as error:
        raise ReportError(f"cannot read {file}: {error.strerror}.") from error
    except ValueError as error:
        raise ReportError(f"cannot read {file}: {error}.") from error
    if not isinstance(head, dict) or not isinstance(head.get("config"), dict):
        raise ReportError(
            f"{file} is not a run's config.json: expected an object with the keys "
            "'config', 'versions' and 'command'."
        )
    parts, notes = {}, []
    for name, take in (("versions", _versions), ("command", _command), ("facts", _facts)):
        try:
            parts[name] = take(head.get(name, ()))
        except (TypeError, ValueError):
            notes.append(f"config.json: {name!r} has not the form that a run writes; left out.")
    return Head(_config(file, head["config"]), notes=tuple(notes), **parts)


def _config(file: Path, tree: Mapping[str, Any]) -> dict[str, Any]:
    """The fields, each of its type; those that the schema lost as far as they are plain values."""
    found, kinds = flatten(tree), edit.field_types()
    if len(found) > MOST:
        raise ReportError(f"{file}: {len(found):,} fields, at most {MOST:,} are read.")
    found = version_0_1.today(found) if version_0_1.is_old(found) else found
    config = {}
    for path, value in found.items():
        try:
            kind = kinds.get(path)
            kind = str if is_slot(kind) else None if slot_of_many(kind) else kind
            config[one_line(path)] = _plain(value) if kind is None else _typed(value, kind, path)
        except ConfigError as error:
            raise ReportError(f"{file}: {error}") from error
    _check_together(file, config)
    return config


def _typed(value: Any, kind: Any, path: str) -> Any:
    """A value of its field's type, as JSON has it; of a choice that is no longer one: the word."""
    try:
        value = coerce(value, kind, path)
    except ConfigError:
        if typing.get_origin(kind) is not Literal or not isinstance(value, str):
            raise
    return _bounded(list(map(_clean, value)) if isinstance(value, tuple) else _clean(value), path)


def _bounded(value: Any, path: str) -> Any:
    for part in value if isinstance(value, list) else [value]:
        if isinstance(part, int | float) and not -LARGEST <= part <= LARGEST:
            raise ConfigError(f"{path} takes numbers up to 2^63.")
    return value


def _plain(value: Any) -> Any:
    """A value of an unknown field: a number, a truth value, or its text."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float) and -LARGEST <= value <= LARGEST:
        return value
    if isinstance(value, list | tuple) and all(isinstance(v, str | int | float) for v in value):
        return [_plain(part) for part in value[:MOST]]
    with contextlib.suppress(ValueError):
        return _clean(value if isinstance(value, str) else json.dumps(value))
    return "?"


def _check_together(file: Path, config: Mapping[str, Any]) -> None:
    """What the pages compute from several fields must be computable."""
    sequence = {
        name: tuple(config.get(f"sequence.{name}", ())) for name in ("tasks", "steps", "tests")
    }
    passes = config.get("sequence.passes", 1)
    try:
        if config.get("env.repeat", 1) < 1 or config.get("steps", 1) < 0:
            raise ConfigError("env.repeat must be at least 1 and steps at least 0.")
        if max(1, len(sequence["tasks"])) * passes > MOST:
            raise ConfigError(f"more than {MOST:,} visits to tasks.")
        SequenceConfig(sequence["tasks"], sequence["steps"], sequence["tests"], passes)
        if sequence["tasks"] and not sequence["steps"]:
            raise ConfigError("sequence.tasks without sequence.steps.")
    except ConfigError as error:
        raise ReportError(f"{file}: {error}") from error


def _clean(value: Any) -> Any:
    return one_line(value) if isinstance(value, str) else value


def _versions(found: Any) -> dict[str, str]:
    pairs = dict(found or {}).items()
    if not all(isinstance(value, str) for _, value in pairs) or len(pairs) > MOST:
        raise ValueError
    return {one_line(name): one_line(value) for name, value in pairs}


def _facts(found: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(found, list | tuple) or len(found) > MOST:
        raise ValueError
    return tuple((one_line(str(name)), one_line(str(value))) for name, value in found)


def _command(command: Any) -> str:
    """What was typed: `sys.argv` without the folders of the program itself."""
    if isinstance(command, str):
        return one_line(command)
    if not isinstance(command, list | tuple) or len(command) > MOST:
        raise ValueError
    if not all(isinstance(word, str) for word in command):
        raise ValueError
    if not command:
        return ""
    program = Path(command[0]).name
    program = "python -m reverie" if program == "__main__.py" else shlex.quote(program)
    return one_line(" ".join([program, *map(shlex.quote, command[1:])]))
