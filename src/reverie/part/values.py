"""One value against the type its field declares."""

import contextlib
import json
import numbers
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, NewType

from reverie.files import parse_json
from reverie.part.errors import ConfigError, suggest

JsonObject = NewType("JsonObject", str)
"""The text of a JSON object; from Python a dictionary does as well."""
EMPTY = JsonObject("{}")

SEEDS = 2**32
"""Number of seeds: JAX drops what lies above 32 bits."""

LONGEST = 300
"""Characters of a wrong value that a sentence quotes."""

_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def coerce(value: Any, kind: Any, path: str) -> Any:
    """`value` as an instance of the annotation `kind`, where nothing is lost on the way.

    Texts are read as the command line gives them (`"1e5"` is an integer, `"2,3,4"` a tuple); an
    integer serves as a float, and a float without a fraction as an integer.

    Raises:
        ConfigError: names `path`, the value found and what the field takes.
    """
    origin = typing.get_origin(kind)
    if origin is Literal:
        return _choice(value, typing.get_args(kind), path)
    if origin is tuple:
        return _tuple(value, typing.get_args(kind)[0], path)
    if kind == float | str:
        return _number_or_text(value, path)
    if origin in (typing.Union, types.UnionType):
        return _optional(value, typing.get_args(kind), path)
    readers = {bool: _bool, int: _int, float: _float, str: _str, JsonObject: _json_object}
    return readers[kind](value, path)


def _fail(path: str, value: Any, expected: str) -> ConfigError:
    return ConfigError(f"{path} takes {expected}, found {_quoted(value)}.")


def _quoted(value: Any) -> str:
    """How a value is written in Python; of a long one only the beginning."""
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ... ({len(text):,} characters)"


def _choice(value: Any, choices: tuple, path: str) -> Any:
    if value in choices:
        return value
    listed = ", ".join(choices)
    hint = suggest(str(value), choices)
    hint = f" {hint}" if hint.startswith("did") else ""
    raise ConfigError(f"{path} takes one of {listed}; found {_quoted(value)}.{hint}")


def _tuple(value: Any, kind: Any, path: str) -> tuple:
    if isinstance(value, str):
        value = [part for part in value.strip("()[] ").replace(",", " ").split() if part]
    if not isinstance(value, list | tuple):
        raise _fail(path, value, f"a list of {kind.__name__}")
    return tuple(coerce(item, kind, f"{path}[{i}]") for i, item in enumerate(value))


def _optional(value: Any, kinds: tuple, path: str) -> Any:
    if value is None or value == "none":
        return None
    return coerce(value, next(kind for kind in kinds if kind is not type(None)), path)


def _number_or_text(value: Any, path: str) -> float | str:
    """A float where the value is a number or the text of one, else the text."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return value
    return _float(value, path)


def _bool(value: Any, path: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _TRUTH:
        return _TRUTH[value.lower()]
    raise _fail(path, value, "true or false")


def _int(value: Any, path: str) -> int:
    number = _number(value, path, "an integer")
    if number != int(number):
        raise _fail(path, value, "an integer (a fraction would be lost)")
    return int(number)


def _float(value: Any, path: str) -> float:
    try:
        return float(_number(value, path, "a number"))
    except OverflowError:
        raise _fail(path, value, "a number below 1e308") from None


def _number(value: Any, path: str, expected: str) -> int | float:
    if isinstance(value, str):
        try:
            value = (
                int(value.replace("_", "")) if value.strip("+-_0123456789") == "" else float(value)
            )
        except (ValueError, OverflowError):
            raise _fail(path, value, expected) from None
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise _fail(path, value, expected)
    if value != value or value in (float("inf"), float("-inf")):
        raise _fail(path, value, f"{expected} that is finite")
    return int(value) if isinstance(value, numbers.Integral) else float(value)


def _str(value: Any, path: str) -> str:
    if isinstance(value, str):
        return value
    raise _fail(path, value, "a text")


def _json_object(value: Any, path: str) -> str:
    """The object as text, its keys in order: what means the same is written the same."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            _check_json(part, path, name)
    elif isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = parse_json(value.encode(errors="replace"))
    if not isinstance(value, Mapping):
        rule = 'a JSON object such as {"render_mode": "rgb_array"}'
        raise ConfigError(f"{path} must be {rule}, found {_quoted(value)}.")
    return json.dumps(value, sort_keys=True)


def _check_json(part: Any, path: str, name: Any) -> None:
    """Raises ConfigError for what JSON loses: arrays, tuples, objects, keys that are no text."""
    ok = isinstance(name, str)
    if isinstance(part, Mapping):
        for key, inner in part.items():
            _check_json(inner, path, key)
    elif isinstance(part, list):
        for inner in part:
            _check_json(inner, path, name)
    else:
        ok = ok and (part is None or type(part) in (bool, int, float, str))
    if not ok:
        raise ConfigError(
            f"{path} takes what JSON can hold, and {name!r} is {type(part).__name__} {part!r}: "
            "hand over functools.partial(make_env, ...) instead."
        )
