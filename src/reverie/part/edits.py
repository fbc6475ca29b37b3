"""A tree changed: edits (dotted path -> value) applied at once, and edits laid over each other."""

import dataclasses
import itertools
import typing
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from reverie.part import part as parts
from reverie.part.errors import ConfigError
from reverie.part.part import Part, is_slot, slot_of_many
from reverie.part.path import not_its_own, unknown
from reverie.part.tree import leaves
from reverie.part.values import coerce

Record = typing.TypeVar("Record")


Find = Callable[[type[Part], str], type[Part]]
"""The record of a slot by name (`part.find`)."""


def apply(
    record: Record,
    edits: Mapping[str, Any],
    *,
    find: Find = parts.find,
    optional: Collection[str] = (),
) -> Record:
    """A copy of `record` with all `edits` (dotted path -> value) made at once.

    A choice takes a name or a part; its options start from the part's own defaults, or, where it
    is the one already chosen, from what they are. Checks see the result only, so fields that
    depend on each other can change together.

    Args:
        record: the tree.
        edits: what to change.
        find: gives the record of a slot by name.
        optional: paths among the edits that are left out where what is chosen has no such option
            (widths that a model size writes).

    Raises:
        ConfigError: no such path (the nearest is named), a wrong type, or a value that does not go
            with the others.
    """
    return _Editor(record, find, optional).edited(record, edits, "")


class _Editor(NamedTuple):
    """Makes changed copies of the records below `root`, which error messages look through."""

    root: Any
    find: Find
    optional: Collection[str]

    def edited(self, record: Any, edits: Mapping[str, Any], prefix: str) -> Any:
        """A copy of `record`, which stands at `prefix`, with edits below it made."""
        hints = parts.hints_of(type(record))
        names = [item.name for item in dataclasses.fields(record)]
        changes = {}
        for name, inner in grouped(edits).items():
            path = prefix + name
            if name not in names:
                missing = [f"{path}.{rest}".rstrip(".") for rest in inner]
                if all(option in self.optional for option in missing):
                    continue
                raise ConfigError(unknown(self.root, missing[0]))
            changes[name] = self._field(hints[name], getattr(record, name), inner, path)
        return dataclasses.replace(record, **changes)

    def _field(self, kind: Any, current: Any, inner: dict[str, Any], path: str) -> Any:
        """The new value of a field; `inner` holds edits below it, and under '' of itself."""
        rest = {name: value for name, value in inner.items() if name}
        if is_slot(kind):
            if "" in inner:
                current = self._chosen(kind, inner[""], current, path)
            for option in rest:
                said = not_its_own(path, kind, current, option)
                if said and f"{path}.{option}" not in self.optional:
                    raise ConfigError(said)
            return self.edited(current, rest, f"{path}.") if rest else current
        if slot_of_many(kind) is not None:
            return self._many(slot_of_many(kind), current, inner, path)
        if dataclasses.is_dataclass(kind):
            if "" in inner:
                raise ConfigError(unknown(self.root, path))
            return self.edited(current, rest, f"{path}.")
        if rest:
            raise ConfigError(unknown(self.root, f"{path}.{next(iter(rest))}"))
        return coerce(inner[""], kind, path)

    def _many(self, slot: type[Part], current: tuple, inner: dict[str, Any], path: str) -> tuple:
        """A tuple of parts: chosen anew by a list of names, or single members changed."""
        if "" in inner:
            value = inner[""]
            value = value.replace(",", " ").split() if isinstance(value, str) else value
            if not isinstance(value, list | tuple):
                raise ConfigError(f"{path} takes a list of parts, found {value!r}.")
            before = itertools.chain(current, itertools.repeat(None))
            pairs = zip(value, before, strict=False)
            current = tuple(self._chosen(slot, word, old, path) for word, old in pairs)
        rest = grouped({name: value for name, value in inner.items() if name})
        numbers = [str(number) for number in range(len(current))]
        for name in rest:
            if name not in numbers:
                raise ConfigError(unknown(self.root, f"{path}.{name}"))
        return tuple(
            self._field(slot, part, rest[k], f"{path}.{k}") if k in rest else part
            for k, part in zip(numbers, current, strict=True)
        )

    def _chosen(self, slot: type[Part], value: Any, current: Part | None, path: str) -> Part:
        """The part that `value` means, an instance or a name; `current` if it is that already."""
        if isinstance(value, slot):
            return value
        if not isinstance(value, str):
            raise ConfigError(
                f"{path} takes a part ({', '.join(parts.members(slot))}, or an instance of "
                f"{slot.__qualname__}), found {value!r}."
            )
        kind = self.find(slot, value.strip())
        if current is not None and type(current) is kind:
            return current
        try:
            return kind()
        except TypeError as error:
            raise ConfigError(
                f"{path}: every option of {kind.__qualname__} needs a default, so that it can be "
                f"chosen by name ({error})."
            ) from error


def grouped(edits: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Edits by the first name of their path: name -> rest of the path ('' where none) -> value."""
    groups: dict[str, dict[str, Any]] = {}
    for path, value in edits.items():
        if not isinstance(path, str):
            raise ConfigError(f"a key of the configuration is a text, found {path!r}.")
        name, _, rest = path.partition(".")
        groups.setdefault(name, {})[rest] = value
    return groups


def overlay(record: Any, *layers: Mapping[str, Any]) -> dict[str, Any]:
    """Edits of `record` in several layers as one; where a later layer chooses anew, the options
    that earlier layers gave to the choice before are dropped."""
    choices = {leaf.path: leaf.value for leaf in leaves(record) if leaf.part is not None}
    merged: dict[str, Any] = {}
    for layer in layers:
        for path, value in layer.items():
            if value != merged.get(path, choices.get(path, value)):
                for old in [name for name in merged if name.startswith(f"{path}.")]:
                    del merged[old]
        merged |= layer
    return merged
