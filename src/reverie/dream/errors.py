"""What goes wrong in the inspector."""

from typing import Any


class DreamError(ValueError):
    """A request that cannot be answered: the message says what was found and what to do."""


def is_whole(value: Any, least: int, most: int) -> bool:
    """Whether `value` is a whole number within these bounds; truth values are none."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def check_whole(name: str, value: Any, least: int, most: int, *, where: str = "") -> int:
    """`value`, where it is a whole number within these bounds. Raises DreamError."""
    if not is_whole(value, least, most):
        raise DreamError(f"{name} is {value!r}, expected {least} ... {most}{where}.")
    return value
