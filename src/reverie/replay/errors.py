"""The one error of this station, and the nearest valid spelling of a name."""

import difflib
from collections.abc import Iterable


class ReplayError(ValueError):
    """Replay cannot do this: the message says what was found, what was expected, what to do."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for an unknown `name`: the closest of `known`, or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names) or 'none'}."
