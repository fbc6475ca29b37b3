"""A part: one alternative of a slot, as a frozen record whose fields are its options.

A *slot* is a field of the configuration that takes one of several records. Its type is an abstract
class below `Part` that lists its members by name; a member is a frozen dataclass below it, one
file each. Choosing is naming a record:

    --replay.draw recency --replay.draw.exponent 0.7      a member, and its option
    --replay.draw my_package.draws:Shy                    a record of the user's own
    parts={"replay.draw": Recency(0.7)}                   the same from Python, as an object

Packages offer members by entry points of the group `reverie.parts`, named SLOT.NAME
(`"replay.draw.shy" = "my_package.draws:Shy"`).
"""

import dataclasses
import functools
import importlib
import importlib.metadata
import typing
from collections.abc import Mapping
from typing import Any, ClassVar

from reverie.part.errors import ConfigError, did_you_mean
from reverie.part.named import object_at
from reverie.part.needs import Need

GROUP = "reverie.parts"
"""Entry points by which packages offer parts."""


class Part:
    """Base of all slots. An abstract class below it sets `SLOT` and `MEMBERS`."""

    SLOT: ClassVar[str] = ""
    """Dotted path of the slot, as a user writes it."""
    MEMBERS: ClassVar[Mapping[str, str]] = {}
    """Name -> `module:Class` of the alternatives that come along; imported when chosen."""

    def needs(self) -> frozenset[Need]:
        """What other parts of the configuration have to offer."""
        return frozenset()

    def offers(self) -> frozenset[Need]:
        """What this part has for others."""
        return frozenset()


hints_of = functools.cache(typing.get_type_hints)
"""The annotation of every field of a record by name."""


def is_slot(kind: Any) -> bool:
    """Whether a field of this type takes a part."""
    return isinstance(kind, type) and issubclass(kind, Part) and "MEMBERS" in vars(kind)


def slot_of_many(kind: Any) -> Any:
    """The abstract part of a field that takes any number of them (`tuple[AbstractX, ...]`)."""
    arguments = typing.get_args(kind) if typing.get_origin(kind) is tuple else ()
    return arguments[0] if arguments and is_slot(arguments[0]) else None


def members(slot: type[Part]) -> dict[str, str]:
    """Name -> `module:Class` of everything that can be chosen for a slot by name."""
    return {**_offered().get(slot.SLOT, {}), **slot.MEMBERS}


@functools.cache
def _offered() -> dict[str, dict[str, str]]:
    """What installed packages offer, by slot and name. Nothing of them is imported."""
    found: dict[str, dict[str, str]] = {}
    for point in importlib.metadata.entry_points(group=GROUP):
        slot, _, name = point.name.rpartition(".")
        found.setdefault(slot, {})[name] = point.value
    return found


def find(slot: type[Part], name: str) -> type[Part]:
    """The record of a slot that is called `name`, or that `module:Class` names.

    Raises ConfigError for an unknown name (nearest spelling named), a module or class that is not
    there, or one that is no member of the slot.
    """
    known = members(slot)
    if ":" not in name and name not in known:
        raise ConfigError(
            f"{slot.SLOT} takes one of {', '.join(known)}, or module:Class for a part of your own; "
            f"found {name!r}.{did_you_mean(name, known)}"
        )
    target = known.get(name, name)
    kind = _load(target, slot)
    if not (isinstance(kind, type) and issubclass(kind, slot) and dataclasses.is_dataclass(kind)):
        raise ConfigError(
            f"{slot.SLOT} takes a frozen dataclass below {slot.__module__}.{slot.__qualname__}; "
            f"{target} is {'none' if isinstance(kind, type) else f'a {type(kind).__name__}'}."
        )
    return kind


def _load(target: str, slot: type[Part]) -> Any:
    try:
        return object_at(target)
    except ImportError as error:
        module = target.partition(":")[0]
        raise ConfigError(
            f"{slot.SLOT} names {target!r}, and {module!r} cannot be imported ({error})."
        ) from error
    except ConfigError as error:
        raise ConfigError(f"{slot.SLOT} names {target!r}, and {error}") from error


def name_of(slot: type[Part], part: Part) -> str:
    """The name under which a part is chosen: a member's, else `module:Class`."""
    target = f"{type(part).__module__}:{type(part).__qualname__}"
    return next((name for name, where in members(slot).items() if where == target), target)


def foreign(slot: type[Part], name: str) -> str:
    """The module outside Reverie that choosing `name` would import; empty where there is none."""
    module = members(slot).get(name, name).partition(":")[0]
    return "" if module.split(".")[0] == "reverie" else module
