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
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from reverie.part import part as parts
from reverie.part.needs import Claim
from reverie.part.part import Part, is_slot, slot_of_many


class Leaf(NamedTuple):
    """One path of a tree."""

    path: str
    kind: Any
    """Annotation of the field; an abstract part where the path is a choice."""
    field: tuple[type, str]
    """The record that holds it, and its name there."""
    value: Any
    """The value; of a choice its name."""
    part: Part | None = None
    """What is chosen there."""

    @property
    def doc(self) -> str:
        """Meaning and unit (sources are read for it)."""
        record, name = self.field
        return docs_of(record).get(name, "")


def leaves(record: Any, prefix: str = "") -> Iterator[Leaf]:
    """Every path below `record`, in the order of the fields; a choice before its options."""
    hints = parts.hints_of(type(record))
    for item in dataclasses.fields(record):
        kind, value, path = hints[item.name], getattr(record, item.name), prefix + item.name
        field = type(record), item.name
        if is_slot(kind):
            yield Leaf(path, kind, field, parts.name_of(kind, value), value)
            yield from leaves(value, f"{path}.")
        elif dataclasses.is_dataclass(kind):
            yield from leaves(value, f"{path}.")
        elif slot_of_many(kind) is not None:
            yield from _many(path, kind, field, value)
        else:
            yield Leaf(path, kind, field, value)


def _many(path: str, kind: Any, field: tuple[type, str], value: tuple[Part, ...]) -> Iterator[Leaf]:
    """A tuple of parts: their names, and the options of each below its number."""
    slot = slot_of_many(kind)
    yield Leaf(path, kind, field, tuple(parts.name_of(slot, part) for part in value))
    for number, part in enumerate(value):
        yield Leaf(f"{path}.{number}", slot, field, parts.name_of(slot, part), part)
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
