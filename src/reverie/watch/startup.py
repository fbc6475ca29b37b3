"""What a start is busy with, before there is anything else to show."""

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator, Sequence

from reverie.watch import terminal

SILENT = ("--help", "-h", "--log.progress=none")
"""Words of a command that is to say nothing of its start."""

WIDTH = 14


@contextlib.contextmanager
def phase(
    text: str, *, shown: bool, write: Callable[[str], object] = terminal.say
) -> Iterator[None]:
    """Say what is begun, and behind it how long it took; a line of its own, whatever happens."""
    if not shown:
        yield
        return
    begin = time.monotonic()
    write(f"{text:<{WIDTH}}")
    try:
        yield
        write(f"{time.monotonic() - begin:.1f} s")
    finally:
        write("\n")


def wanted(words: Sequence[str]) -> bool:
    """Whether the command `words` is to say what its start is busy with."""
    pairs = itertools.pairwise(words)
    return not set(words) & set(SILENT) and ("--log.progress", "none") not in pairs
