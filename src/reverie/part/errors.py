"""What a wrong configuration says: the error class, and the hint with the nearest spelling."""

import difflib
from collections.abc import Iterable


class ConfigError(ValueError):
    """A configuration that cannot be run: the message says what was found and what to write."""


def suggest(word: str, known: Iterable[str]) -> str:
    """Half a sentence that follows the name of an unknown `word`, ending in a full stop.

    It names the nearest of `known`, or lists all of them where none is near.
    """
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known: {', '.join(names) or 'none'}."


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The same as a sentence of its own, ' Did you mean X?', or '' where nothing is near."""
    hint = suggest(word, known)
    return f" D{hint[1:]}" if hint.startswith("did") else ""
