"""Numbers that a program takes as arguments, so that changing them compiles nothing anew."""

import copy
from collections.abc import Mapping
from typing import Any


def with_numbers(part: Any, numbers: Mapping[str, Any]) -> Any:
    """A copy of a frozen record whose fields at these dotted paths hold values of a trace.

    They were checked when `part` was made, and a traced value cannot be checked.
    """
    made = copy.copy(part)
    for path, value in numbers.items():
        name, _, rest = path.partition(".")
        inner = with_numbers(getattr(made, name), {rest: value}) if rest else value
        object.__setattr__(made, name, inner)
    return made
