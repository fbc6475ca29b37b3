"""A tree of frozen records and parts as dotted paths: listed, changed, compared.

A path leads to a leaf (`train.batch`), to a choice (`replay.draw`, whose value is a name), or to an
option of what is chosen there (`replay.draw.exponent`). Options of other choices do not exist.
"""

import ast
import dataclasses
import functools
import inspect
import itertools
import textwrap
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

from reverie.part import part as parts
from reverie.part.errors import ConfigError, suggest
from reverie.part.needs import Claim
from reverie.part.part import Part, is_slot, slot_of_many
from reverie.part.values import coerce

Record = typing.TypeVar("Record")

Find = Callable[[type[Part], str], type[Part]]
"""The record of a slot by name (`part.find`)."""


class Leaf(NamedTuple):
    """One path of a tree."""

    path: str
    kind: Any
    """Annotation of the field; an abstract part where the path is a choice."""
    doc: str
    value: Any
    """The value; of a choice its name."""
    part: Part | None = None
    """What is chosen there."""


def leaves(record: Any, prefix: str = "") -> Iterator[Leaf]:
    """Every path below `record`, in the order of the fields; a choice before its options."""
    hints, docs = parts.hints_of(type(record)), docs_of(type(record))
    for item in dataclasses.fields(record):
        kind, value, path = hints[item.name], getattr(record, item.name), prefix + item.name
        doc = docs.get(item.name, "")
        if is_slot(kind):
            yield Leaf(path, kind, doc, parts.name_of(kind, value), value)
            yield from leaves(value, f"{path}.")
        elif dataclasses.is_dataclass(kind):
            yield from leaves(value, f"{path}.")
        elif slot_of_many(kind) is not None:
            yield from _many(path, kind, doc, value)
        else:
            yield Leaf(path, kind, doc, value)


def _many(path: str, kind: Any, doc: str, value: tuple[Part, ...]) -> Iterator[Leaf]:
    """A tuple of parts: their names, and the options of each below its number."""
    slot = slot_of_many(kind)
    yield Leaf(path, kind, doc, tuple(parts.name_of(slot, part) for part in value))
    for number, part in enumerate(value):
        yield Leaf(f"{path}.{number}", slot, doc, parts.name_of(slot, part), part)
        yield from leaves(part, f"{path}.{number}.")


def every(record: Any, prefix: str = "", above: tuple[type[Part], ...] = ()) -> dict[str, Leaf]:
    """Every path of `record` and of all alternatives of its slots, the chosen ones first.

    Imports all of them but those of other packages; values are those chosen or the defaults. Where
    a part takes another of its own kind (a mixture), the paths end with the options of that one;
    `above`: the slots around `record`.
    """
    found = {leaf.path: leaf for leaf in leaves(record, prefix)}
    for leaf in list(found.values()):
        if leaf.part is None or len(set(above)) < len(above):
            continue
        for name, where in parts.members(leaf.kind).items():
            if where.startswith("reverie.") and name != leaf.value:
                part = parts.find(leaf.kind, name)()
                other = every(part, f"{leaf.path}.", (*above, leaf.kind))
                found |= {path: option for path, option in other.items() if path not in found}
    return found


@functools.cache
def docs_of(kind: type) -> dict[str, str]:
    """Meaning and unit of the fields of a dataclass: the docstrings below them."""
    docs: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if dataclasses.is_dataclass(base):
            docs |= _own_docs(base)
    return docs


def _own_docs(kind: type) -> dict[str, str]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    except (OSError, TypeError):  # a class that was made where there is no file
        return {}
    docs = {}
    for field, text in itertools.pairwise(getattr(tree, "body", [])):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=doc)):
                docs[name] = " ".join(str(doc).split())
    return docs


def flat(record: Any) -> dict[str, Any]:
    """The value of every path, in the order of the fields."""
    return {leaf.path: leaf.value for leaf in leaves(record)}


def claims(record: Any) -> list[Claim]:
    """What every part of the tree needs and offers."""
    return [
        Claim(leaf.path, leaf.value, leaf.part.needs(), leaf.part.offers())
        for leaf in leaves(record)
        if leaf.part is not None
    ]


def get(record: Any, path: str) -> Any:
    """The value at `path`, of a choice its name. Raises ConfigError where there is no such path."""
    known = flat(record)
    if path not in known:
        raise ConfigError(unknown(record, path))
    return known[path]


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
                said = not_its_own(
                    Leaf(path, kind, "", parts.name_of(kind, current), current), option
                )
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


def diff(a: Any, b: Any) -> dict[str, tuple[Any, Any]]:
    """The paths in which two trees differ: path -> (value in a, value in b).

    Where they chose differently only the choice is named, not the options of each.
    """
    return differences(flat(a), flat(b))


def differences(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """`diff` of two trees that are flat already."""
    found: dict[str, tuple[Any, Any]] = {}
    for path in dict.fromkeys((*left, *right)):
        if any(path.startswith(f"{other}.") for other in found):
            continue
        if left.get(path) != right.get(path):
            found[path] = left.get(path), right.get(path)
    return found


def unknown(record: Any, path: str) -> str:
    """What is wrong with a path that does not exist: where the nearest or the same name stands."""
    known = flat(record)
    groups = {name.rpartition(".")[0] for name in known} - {""}
    if path in groups and path not in known:
        below = [name for name in known if name.startswith(f"{path}.")]
        return f"{path!r} is a group of fields; name one of them: {', '.join(below)}."
    group, _, name = path.rpartition(".")
    other = elsewhere(record, path)
    if other:
        return other
    ends = {leaf.rpartition(".")[2]: leaf for leaf in known}
    if name in ends and group not in groups:
        return f"there is no configuration key {path!r}; did you mean {ends[name]!r}?"
    if group in groups:
        inside = [leaf.removeprefix(f"{group}.") for leaf in known if leaf.startswith(f"{group}.")]
        hint = suggest(name, inside)
        return f"there is no configuration key {path!r} in {group!r}; {hint}"
    hint = suggest(path, known)
    if not hint.startswith("did"):
        tops = sorted({name.partition(".")[0] for name in groups})
        single = [name for name in known if "." not in name]
        hint = f"the groups are {', '.join(tops)}; the single keys {', '.join(single)}."
    return f"there is no configuration key {path!r}; {hint}"


def elsewhere(record: Any, path: str) -> str:
    """The sentence for an option of an alternative that is not chosen; empty if it is none."""
    below = [leaf for leaf in leaves(record) if leaf.part and path.startswith(f"{leaf.path}.")]
    said = (not_its_own(leaf, path.removeprefix(f"{leaf.path}.")) for leaf in below)
    return next((sentence for sentence in said if sentence), "")


def not_its_own(leaf: Leaf, option: str) -> str:
    """The sentence for an option that another member of the slot has, and not the one chosen
    there; empty if there is none."""
    if option.partition(".")[0] in {item.name for item in dataclasses.fields(leaf.part)}:  # type: ignore[arg-type]
        return ""
    owners = [name for name in parts.members(leaf.kind) if option in _options(leaf.kind, name)]
    if not owners:
        return ""
    listed = " or ".join(repr(name) for name in owners)
    return (
        f"{leaf.path} is {leaf.value!r}, which has no option {option!r}; {listed} has: choose it "
        f"with --{leaf.path} {owners[0]}."
    )


def _options(slot: type[Part], name: str) -> set[str]:
    try:
        return {leaf.path for leaf in leaves(parts.find(slot, name)())}
    except (ConfigError, TypeError):  # a package that cannot be imported, or needs arguments
        return set()
