"""A preset that a user keeps: a TOML file of what `reverie train` would be told, read and written.

preset = "atari100k"              # what it builds on: a name, or another such file
methods = ["plan2explore"]        # also agent, size, balance, replay: as the flags of that name
steps = 200_000
"optim.lr" = 1e-4                 # any option by its dotted path, or as tables:

[replay.draw]
part = "recency"                  # the choice itself, by name or module:Class
exponent = 0.7                    # and its options
"""

import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reverie import files
from reverie.config.edit import field_types
from reverie.config.schema import Config
from reverie.part.errors import ConfigError, suggest
from reverie.part.part import is_slot, slot_of_many
from reverie.part.path import unknown
from reverie.part.saved import CHOICE
from reverie.part.values import JsonObject, coerce

SUFFIX = ".toml"
MOST_BYTES = 1 << 20
"""Bytes of a preset file that are read."""
DEEPEST = 8
"""Files that build on one another."""
TASKS = ("task", "sequence.tasks", "sequence.tests")
"""What is learned is no matter of a preset."""
DOC = "doc"


@dataclass(frozen=True)
class Chosen:
    """What one command, or one preset file, names. Empty texts and `auto` name nothing."""

    agent: str = ""
    size: str = "auto"
    preset: str = ""
    methods: tuple[str, ...] = ()
    balance: str = ""
    replay: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""
    """Where it stands; empty for the command itself."""
    doc: str = ""

    @property
    def where(self) -> str:
        """The words of a message that say which file is meant."""
        return f" (in {self.file})" if self.file else ""


NAMES = ("agent", "size", "preset", "methods", "balance", "replay")


def is_file(preset: str) -> bool:
    """Whether a preset is named by its file."""
    return preset.endswith(SUFFIX) or "/" in preset or os.sep in preset


def levels(own: Chosen) -> list[Chosen]:
    """What is laid one over the other: the files that `own` builds on, the innermost first, `own`.

    The first names the benchmark by name or not at all. Raises ConfigError as `read` does, and for
    files that build on each other in a circle.
    """
    found, seen = [own], []
    while is_file(found[0].preset):
        path = Path(found[0].preset).expanduser()
        if found[0].file:
            path = Path(found[0].file).parent / path
        if len(seen) == DEEPEST or path.resolve() in seen:
            raise ConfigError(
                f"the preset {own.preset!r} builds on itself, or on more than {DEEPEST} files: "
                f"{', '.join(level.file for level in reversed(found[:-1]))}."
            )
        seen.append(path.resolve())
        found.insert(0, read(path))
    return found


def read(path: Path) -> Chosen:
    """What a preset file names.

    Raises ConfigError: no such file (nearest named), none that is plain and of at most
    `MOST_BYTES`, no TOML, a key that does not exist (nearest named), or a wrong type.
    """
    content = _toml(path)
    try:
        return _chosen(content, str(path))
    except ConfigError as error:
        raise ConfigError(f"the preset {path}: {error}") from error


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(files.read(path, MOST_BYTES).decode())
    except FileNotFoundError:
        near = [str(other) for other in path.parent.glob(f"*{SUFFIX}")]
        hint = suggest(str(path), near) if near else f"no {SUFFIX} file is in that folder."
        raise ConfigError(f"there is no preset file {str(path)!r}; {hint}") from None
    except files.NotPlain as error:
        raise ConfigError(f"the preset {path} cannot be read: {error.strerror}.") from error
    except OSError as error:
        raise ConfigError(f"the preset {path} cannot be read ({error.strerror}).") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"the preset {path} is no TOML file ({type(error).__name__}).") from error
    except tomllib.TOMLDecodeError as error:
        both = any(word in str(error) for word in ("overwrite", "twice", "mutate"))
        hint = (
            ' A choice and its options are a table: [replay.draw], then part = "recency" and '
            'exponent = 0.7; or quote the paths: "replay.draw" = "recency".'
            if both
            else ""
        )
        raise ConfigError(f"the preset {path} is no TOML: {error}.{hint}") from error


def _chosen(content: Mapping[str, Any], file: str) -> Chosen:
    edits = dict(_paths(content, ""))
    for name in (*TASKS, "pinned"):
        if name in edits:
            raise ConfigError(f"{name!r} is no matter of a preset: name the task when you train.")
    kinds = {name: tuple[str, ...] if name == "methods" else str for name in (*NAMES, DOC)}
    named = {name: coerce(edits.pop(name), kinds[name], name) for name in kinds if name in edits}
    return Chosen(**named, overrides=dict(_checked(edits)), file=file)


def _paths(content: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Nested tables as dotted paths; the entry `part` of a table is the choice itself."""
    kinds = field_types()
    for name, value in content.items():
        path = prefix.rstrip(".") if prefix and name == CHOICE else f"{prefix}{name}"
        many = isinstance(value, list) and any(isinstance(part, Mapping) for part in value)
        if isinstance(value, Mapping) and kinds.get(path) is not JsonObject:
            yield from _paths(value, f"{path}.")
        elif many and slot_of_many(kinds.get(path)) is not None:
            tables = [part if isinstance(part, Mapping) else {CHOICE: part} for part in value]
            yield path, tuple(part.get(CHOICE) for part in tables)
            numbered = {str(number): part for number, part in enumerate(tables)}
            yield from _paths(numbered, f"{path}.")
        else:
            yield path, value


def _checked(edits: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The options with their types checked; those of parts from elsewhere only they know."""
    kinds = field_types()
    slots = [path for path, kind in kinds.items() if _is_choice(kind)]
    for path, value in edits.items():
        kind = kinds.get(path)
        if kind is None and not any(path.startswith(f"{slot}.") for slot in slots):
            raise ConfigError(_unknown(path))
        plain = kind is not None and not _is_choice(kind)
        yield path, coerce(value, kind, path) if plain else value


def _is_choice(kind: Any) -> bool:
    return is_slot(kind) or slot_of_many(kind) is not None


def _unknown(path: str) -> str:
    """The sentence for a key that is neither an option nor one of the names."""
    hint = suggest(path, NAMES)
    if "." not in path and hint.startswith("did"):
        return f"there is no key {path!r}; {hint}"
    return unknown(Config(), path)


def write(path: Path, chosen: Chosen, values: Mapping[str, Any]) -> None:
    """Keeps `chosen` as a file that means the same.

    Args:
        path: a new file that ends in `.toml`.
        chosen: what a command names.
        values: the value of every path of the configuration that it composes.

    Raises ConfigError where the file has another ending, exists, or cannot be written.
    """
    if path.suffix != SUFFIX:
        raise ConfigError(f"a preset is kept in a file that ends in {SUFFIX}, found {str(path)!r}.")
    if os.path.lexists(path):
        raise ConfigError(f"{path} exists: name a new file, or remove it first.")
    try:
        files.write(path, text_of(path, chosen, values).encode())
    except OSError as error:
        raise ConfigError(f"{path} cannot be written ({error.strerror}).") from error


def text_of(path: Path, chosen: Chosen, values: Mapping[str, Any]) -> str:
    """The content of the file `path` that `write` keeps."""
    named = {name: getattr(chosen, name) for name in NAMES}
    if is_file(chosen.preset):
        named["preset"] = os.path.relpath(Path(chosen.preset).expanduser(), path.parent)
        if not is_file(named["preset"]):
            named["preset"] = f"./{named['preset']}"
    lines = [f"{name} = {_literal(named[name])}" for name in named if named[name] not in _EMPTY]
    for name, value in chosen.overrides.items():
        if name not in TASKS:
            lines.append(f"{_literal(name)} = {_literal(values.get(name, value))}")
    return "".join(f"{line}\n" for line in lines)


_EMPTY = ("", "auto", ())


def _literal(value: Any) -> str:
    """A value in TOML. None is the text "none", as on the command line."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case None:
            return '"none"'
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list() | tuple():
            return f"[{', '.join(_listed(value))}]"
    raise ConfigError(f"a preset file holds numbers, texts and lists, found {value!r}.")


def _listed(values: Iterable[Any]) -> list[str]:
    return [_literal(value) for value in values]
