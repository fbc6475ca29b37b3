"""Changed copies of a configuration, its paths, its JSON form, and what two of them differ in."""

import ast
import dataclasses
import functools
import inspect
import itertools
import textwrap
import typing
from collections.abc import Mapping
from typing import Any

from reverie.config.errors import ConfigError, suggest
from reverie.config.schema import Config
from reverie.config.values import coerce


def override(config: Config, path: str, value: Any) -> Config:
    """A copy of `config` whose field at the dotted `path` is `value`, checked against its type.

    Raises:
        ConfigError: no such field (names the nearest), wrong type, or a value that does not go
            with the other fields.
    """
    return apply(config, {path: value})


def apply(config: Config, edits: Mapping[str, Any]) -> Config:
    """A copy of `config` with all `edits` (dotted path -> value) made at once.

    The checks between fields see the result only, so fields that depend on each other can change
    together. Raises ConfigError as `override` does.
    """
    kinds = field_types()
    checked = {}
    for path, value in edits.items():
        if not isinstance(path, str):
            raise ConfigError(f"a key of the configuration is a text, found {path!r}.")
        if path not in kinds:
            raise ConfigError(_unknown(path, kinds))
        checked[path] = coerce(value, kinds[path], path)
    return _replace(config, checked)


def _replace(record: Any, edits: Mapping[str, Any]) -> Any:
    changes: dict[str, Any] = {}
    inner: dict[str, dict[str, Any]] = {}
    for path, value in edits.items():
        name, _, rest = path.partition(".")
        if rest:
            inner.setdefault(name, {})[rest] = value
        else:
            changes[name] = value
    for name, nested in inner.items():
        changes[name] = _replace(getattr(record, name), nested)
    return dataclasses.replace(record, **changes)


def _unknown(path: str, kinds: Mapping[str, Any]) -> str:
    groups = {name.split(".")[0] for name in kinds if "." in name}
    if path in groups:
        fields = [name for name in kinds if name.startswith(path + ".")]
        return f"{path!r} is a group of fields; name one of them: {', '.join(fields)}."
    group, _, leaf = path.rpartition(".")
    if group in groups:
        inside = [name.partition(".")[2] for name in kinds if name.startswith(group + ".")]
        hint = suggest(leaf, inside)
        return f"there is no configuration key {path!r} in {group!r}; {hint}"
    leaves = {name.rpartition(".")[2]: name for name in kinds}
    if path in leaves:
        return f"there is no configuration key {path!r}; did you mean {leaves[path]!r}?"
    hint = suggest(path, kinds)
    if not hint.startswith("did"):
        names = [name for name in kinds if "." not in name]
        hint = f"the groups are {', '.join(sorted(groups))}; the single keys {', '.join(names)}."
    return f"there is no configuration key {path!r}; {hint}"


@functools.cache
def field_types() -> Mapping[str, Any]:
    """The annotation of every field of a configuration, by dotted path, in the schema's order."""
    return {path: kind for path, kind, _ in _walk(Config, "")}


@functools.cache
def field_docs() -> Mapping[str, str]:
    """Meaning and unit of every field by dotted path: the docstrings below the fields."""
    return {path: doc for path, _, doc in _walk(Config, "")}


def _walk(kind: type, prefix: str):
    hints, docs = typing.get_type_hints(kind), _docs_of(kind)
    for item in dataclasses.fields(kind):
        inner = hints[item.name]
        if dataclasses.is_dataclass(inner):
            yield from _walk(typing.cast(type, inner), f"{prefix}{item.name}.")
        else:
            yield prefix + item.name, inner, docs.get(item.name, "")


def _docs_of(kind: type) -> dict[str, str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(tree, ast.ClassDef)
    docs = {}
    for field, text in itertools.pairwise(tree.body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=doc)):
                docs[name] = " ".join(str(doc).split())
    return docs


def get(config: Config, path: str) -> Any:
    """The value of the field at the dotted `path`; ConfigError where there is no such field."""
    if path not in field_types():
        raise ConfigError(_unknown(path, field_types()))
    return functools.reduce(getattr, path.split("."), config)


def flat(config: Config) -> dict[str, Any]:
    """Every field's value by dotted path, in the schema's order."""
    return {path: get(config, path) for path in field_types()}


def diff(a: Config, b: Config) -> dict[str, tuple[Any, Any]]:
    """The fields in which two configurations differ: dotted path -> (value in a, value in b)."""
    left, right = flat(a), flat(b)
    return {path: (left[path], right[path]) for path in left if left[path] != right[path]}


def to_json(config: Config) -> dict[str, Any]:
    """The whole tree as nested JSON objects; `from_json` gives the equal configuration back."""
    return {
        name: [*value] if isinstance(value, tuple) else to_json(value) if _nested(value) else value
        for name, value in ((f.name, getattr(config, f.name)) for f in dataclasses.fields(config))
    }


def _nested(value: Any) -> bool:
    return dataclasses.is_dataclass(value)


def from_json(tree: Mapping[str, Any]) -> Config:
    """The configuration that `to_json` wrote.

    A field the tree lacks (the schema grew since it was written) has the schema's default.

    Raises:
        ConfigError: a key that no longer exists, by name with the nearest, or a wrong value.
    """
    if not isinstance(tree, Mapping):
        raise ConfigError(f"a saved configuration is a JSON object, found {type(tree).__name__}.")
    return apply(Config(), _flatten(tree, ""))


def _flatten(tree: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    edits: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            edits |= _flatten(value, f"{prefix}{name}.")
        else:
            edits[prefix + name] = value
    return edits
