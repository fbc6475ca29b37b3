"""A callback that raised: one sentence, with the lines of its own code below it."""

import traceback

from reverie.folder.errors import RunError
from reverie.watch.text import visible

DEEPEST = 8
"""Lines of code of a traceback that are shown."""


class CallbackError(RunError):
    """A callback raised an exception; its cause is `__cause__`."""


def failure(name: str, event: str, step: int, error: Exception, then: str) -> CallbackError:
    """The error that stands for `error`, raised by the callback `name` in its method `event`.

    Args:
        then: what became of the run, as a sentence without its full stop.
    """
    said = " ".join(str(error).split())
    what = f"{type(error).__name__}: {said}" if said else type(error).__name__
    # The first entry is the call itself, which is ours.
    lines = traceback.format_list(traceback.extract_tb(error.__traceback__)[1:][-DEEPEST:])
    text = f"the callback {name} failed in {event} at step {step:,} ({what}); {then}."
    found = CallbackError(visible(f"{text}\n{''.join(lines)}".rstrip()))
    found.__cause__ = error
    return found
