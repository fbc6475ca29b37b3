"""Numbers that change while a run goes on, written as texts.

    linear(a, b, T)   from a to b over T steps, then b
    warmup(T, v)      from 0 to v over T steps, then v
    exp(a, b, half)   from a towards b; half of the way is done after `half` steps, and so on
    horizon(a, b, T)  1 − 1/h for a horizon h that goes from a to b over T steps

A plain number stays what it is. Steps are those of the agent. Source: the official DreamerV2 code.
"""

import re
from typing import NamedTuple

from reverie.part.errors import ConfigError, suggest

KINDS = {"linear": 3, "warmup": 2, "exp": 3, "horizon": 3}
"""Number of arguments of each kind."""

Scheduled = float | str
"""A constant or the text of a schedule."""

_FORM = re.compile(r"\s*([a-z_]+)\s*\(([^()]*)\)\s*")


class Schedule(NamedTuple):
    """A schedule taken apart."""

    kind: str
    arguments: tuple[float, ...]


def parse(text: str, path: str = "a schedule") -> Schedule:
    """The schedule that `text` describes.

    Raises ConfigError, naming `path`, where the kind is unknown (nearest named), the number of
    arguments is wrong, or an argument is no number or lies outside its range.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ConfigError(
            f"{path} takes a number or a schedule such as linear(1, 0.1, 10000), found {text!r}."
        )
    kind, inner = found.groups()
    if kind not in KINDS:
        raise ConfigError(
            f"{path}: there is no schedule {kind!r} in {text!r}; {suggest(kind, KINDS)}"
        )
    schedule = Schedule(kind, tuple(_number(part, text, path) for part in inner.split(",")))
    _check(schedule, text, path)
    return schedule


def _number(part: str, text: str, path: str) -> float:
    try:
        return float(part)
    except ValueError:
        raise ConfigError(f"{path}: {part.strip()!r} in {text!r} is no number.") from None


def _check(schedule: Schedule, text: str, path: str) -> None:
    kind, arguments = schedule
    if len(arguments) != KINDS[kind]:
        raise ConfigError(
            f"{path}: {kind} takes {KINDS[kind]} numbers, found {len(arguments)} in {text!r}."
        )
    duration = arguments[0] if kind == "warmup" else arguments[2]
    if duration <= 0:
        raise ConfigError(
            f"{path}: the number of steps in {text!r} must be above 0, found {duration:g}."
        )
    if kind == "horizon" and min(arguments[:2]) < 1:
        raise ConfigError(
            f"{path}: a horizon in {text!r} must be at least 1, found {min(arguments[:2]):g}."
        )


def extremes(value: Scheduled, path: str) -> tuple[float, float]:
    """The smallest and the largest number that `value` takes while a run goes on."""
    if isinstance(value, float | int):
        return float(value), float(value)
    kind, arguments = parse(value, path)
    if kind == "warmup":
        return min(0.0, arguments[1]), max(0.0, arguments[1])
    ends = arguments[:2] if kind != "horizon" else tuple(1.0 - 1.0 / h for h in arguments[:2])
    return min(ends), max(ends)


def scaled(value: Scheduled, factor: float) -> Scheduled:
    """What is `factor` times `value` at every step; not for discounts of horizons."""
    if isinstance(value, float | int):
        return factor * value
    kind, arguments = parse(value)
    if kind == "horizon":
        raise ValueError(f"1 - 1/h times {factor:g} is not told by a horizon h")
    steps = 0 if kind == "warmup" else 2
    told = [x if at == steps else factor * x for at, x in enumerate(arguments)]
    return f"{kind}({','.join(f'{x:g}' for x in told)})"
