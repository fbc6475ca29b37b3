"""A tree of records and parts as JSON values, and back.

A part is an object whose entry `part` is its name, its options beside it.
"""

import dataclasses
import functools
from collections.abc import Collection, Mapping
from typing import Any

from reverie.part import part as parts
from reverie.part.edits import Record, apply
from reverie.part.errors import ConfigError
from reverie.part.part import Part, is_slot, slot_of_many
from reverie.part.tree import leaves


class NotAllowed(ConfigError):
    """A saved tree names a part whose module the reader has not allowed."""


CHOICE = "part"
"""Key of the name among the entries of a part."""


def to_json(record: Any) -> dict[str, Any]:
    """The whole tree as nested JSON objects; `from_json` gives an equal tree back."""
    hints = parts.hints_of(type(record))
    return {
        item.name: _value(hints[item.name], getattr(record, item.name))
        for item in dataclasses.fields(record)
    }


def _value(kind: Any, value: Any) -> Any:
    if is_slot(kind):
        return {CHOICE: parts.name_of(kind, value), **to_json(value)}
    if slot_of_many(kind) is not None:
        return [_value(slot_of_many(kind), part) for part in value]
    if dataclasses.is_dataclass(kind):
        return to_json(value)
    return [*value] if isinstance(value, tuple) else value


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """What `to_json` wrote as dotted path -> value, as `tree.flat` gives it. Imports nothing."""
    found: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            if CHOICE in value:
                found[prefix + name] = value[CHOICE]
            rest = {key: inner for key, inner in value.items() if key != CHOICE}
            found |= flatten(rest, f"{prefix}{name}.")
        elif isinstance(value, list) and value and all(isinstance(v, Mapping) for v in value):
            found[prefix + name] = tuple(part.get(CHOICE) for part in value)
            numbered = {str(number): part for number, part in enumerate(value)}
            found |= flatten(numbered, f"{prefix}{name}.")
        else:
            found[prefix + name] = tuple(value) if isinstance(value, list) else value
    return found


def from_json(base: Record, tree: Any, *, allow: Collection[str] | None = None) -> Record:
    """The tree that `to_json` wrote; a field it lacks has the value of `base`.

    Args:
        base: a tree of the same kind, with the defaults.
        tree: what `to_json` gave, as JSON brought it back.
        allow: packages outside Reverie that may be imported for the parts it names; None allows
            all of them.

    Raises:
        ConfigError: a key that does not exist (the nearest is named), a wrong value, or a part
            from a package that is not allowed.
    """
    if not isinstance(tree, Mapping):
        raise ConfigError(f"a saved configuration is a JSON object, found {type(tree).__name__}.")
    return from_flat(base, flatten(tree), allow=allow)


def from_flat(
    base: Record, values: Mapping[str, Any], *, allow: Collection[str] | None = None
) -> Record:
    """`from_json` of a tree that is flat already (`flatten`)."""
    find = parts.find if allow is None else functools.partial(_allowed, allow=tuple(allow))
    return apply(base, values, find=find)


def modules_of(record: Any) -> tuple[str, ...]:
    """Modules outside Reverie from which parts of this tree come."""
    found = {type(leaf.part).__module__ for leaf in leaves(record) if leaf.part is not None}
    return tuple(sorted(module for module in found if module.split(".")[0] != "reverie"))


def _allowed(slot: type[Part], name: str, allow: tuple[str, ...]) -> type[Part]:
    """`part.find`, which imports nothing but Reverie's own parts and those of allowed packages."""
    module = parts.foreign(slot, name)
    if module and not any(module == own or module.startswith(f"{own}.") for own in allow):
        root = module.split(".")[0]
        raise NotAllowed(
            f"{slot.SLOT} names the part {name!r} from outside Reverie, and loading it would "
            f"import {module!r}: allow that with --allow {root} (from Python: allow=({root!r},)) "
            "if you trust it."
        )
    return parts.find(slot, name)
