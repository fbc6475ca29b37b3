"""What `--vary KEY=...` offers: choices, or a range that a search draws from; and seeds."""

import operator
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from reverie.part.errors import ConfigError

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
RANGE = re.compile(rf"({NUMBER})\.\.({NUMBER})(:log)?")


@dataclass(frozen=True)
class Range:
    """All numbers from `low` to `high`, both included."""

    low: float
    high: float
    log: bool = False  # drawn evenly in the logarithm
    whole: bool = False  # integers only

    def text(self) -> str:
        """As it is written after `KEY=`."""
        return f"{self.low:g}..{self.high:g}{':log' if self.log else ''}"


Values = tuple[str, ...] | Range
"""What one option may be: texts as they stand after `--KEY=`, or a range."""


def read_vary(words: Sequence[str]) -> dict[str, Values]:
    """Values by option of words such as `optim.lr=4e-5,1e-4`.

    Raises ConfigError for a word of another form, and an option that is given twice.
    """
    found: dict[str, Values] = {}
    for word in words:
        key, equals, text = word.partition("=")
        key = _key(key)
        if not equals or not key or not text:
            raise ConfigError(
                f"--vary takes KEY=VALUE,VALUE such as optim.lr=4e-5,1e-4, found {word!r}."
            )
        if key in found:
            raise ConfigError(f"--vary names {key} twice; write its values after one another.")
        found[key] = _of_text(key, text)
    return found


def of_python(vary: Mapping[str, Any]) -> dict[str, Values]:
    """The same of a dictionary: a list of values each, whose items may be lists (also empty ones),
    or a range as text. Raises ConfigError for another kind of value."""
    if not isinstance(vary, Mapping):
        raise ConfigError(f'vary takes a table such as {{"optim.lr": [4e-5]}}, found {vary!r}.')
    found: dict[str, Values] = {}
    for key, values in vary.items():
        name = _key(str(key))
        if isinstance(values, str):
            found[name] = _of_text(name, values)
        elif isinstance(values, Iterable) and not isinstance(values, Mapping | Set):
            found[name] = _choices(name, [as_text(value) for value in values])
        else:
            raise ConfigError(f"vary.{name} takes a list of values, found {values!r}.")
    return found


def seeds_of_python(found: Any) -> dict[str, Any]:
    """How many seeds there are or which they are (`seeds`), or the one that there is (`seed`).

    Raises ConfigError for what is neither a whole number nor several of them.
    """
    several = isinstance(found, Iterable)
    try:
        given = tuple(found) if several else (found,)
        which = tuple(operator.index(seed) for seed in given if not isinstance(seed, bool))
    except TypeError:
        given, which = (), ()
    if not which or len(which) < len(given):
        raise ConfigError(f"seeds takes a whole number, or several of them, found {found!r}.")
    return {"seed": which[0]} if several and len(which) == 1 else {"seeds": which}


def as_text(value: Any) -> str:
    """A value as it is written after `--KEY=`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ",".join(as_text(item) for item in value)
    return str(value)


def _key(text: str) -> str:
    return text.strip().removeprefix("--").replace("-", "_")


def _of_text(key: str, text: str) -> Values:
    """What stands after `KEY=`, on the command line or in a file."""
    values = text.split(",")
    if not all(map(str.strip, values)):
        raise ConfigError(f"--vary {key} has an empty value; write KEY=VALUE,VALUE.")
    return _range(key, text) or _choices(key, values)


def _choices(key: str, values: Sequence[str]) -> tuple[str, ...]:
    texts = tuple(value.strip() for value in values)
    if not texts:
        raise ConfigError(f"vary.{key} takes a list of values, found none.")
    for text in texts:
        if texts.count(text) > 1:
            raise ConfigError(f"--vary {key} names {text or 'nothing'} twice; keep one of them.")
    return texts


def _range(key: str, text: str) -> Range | None:
    """The range that `text` means; None where it means choices."""
    match = RANGE.fullmatch(text.strip())
    if match is None:
        if ".." in text and "/" not in text:
            raise ConfigError(
                f"--vary {key} takes a range as LOW..HIGH or LOW..HIGH:log, found {text!r}."
            )
        return None
    low, high = float(match[1]), float(match[2])
    if not low < high:
        raise ConfigError(f"--vary {key} has an empty range, {text}: LOW must be below HIGH.")
    if match[3] and low <= 0:
        raise ConfigError(f"--vary {key}: a range in the logarithm begins above 0, found {text}.")
    whole = not re.search(r"[.eE]", match[1] + match[2])
    return Range(low, high, bool(match[3]), whole)
