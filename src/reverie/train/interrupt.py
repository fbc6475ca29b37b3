"""SIGINT and SIGTERM: at once while a program starts, then a question between two turns."""

import os
import signal
import threading
from types import FrameType

from reverie.folder.errors import Stopped


def starting() -> None:
    """From now on SIGINT ends the process with one line and exit code 130, until `started`.

    Imports are no place for a KeyboardInterrupt: compiled modules turn it into errors of their own
    or swallow it. Nothing is open yet that would have to be put away. A program that ignores SIGINT
    (one in the background of a shell) goes on ignoring it.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # see `machine/allocator.py`


def started() -> None:
    """The work begins: SIGINT is a KeyboardInterrupt again."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(*_: object) -> None:
    os.write(2, b"reverie: interrupted.\n")
    os._exit(130)


class Interrupt:
    """Within the context, the first SIGINT or SIGTERM only sets `asked` to its number.

    A second one raises Stopped at once, wherever the program is. Outside the main thread, where
    Python delivers no signals, it does nothing.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self):
        self.asked = 0
        self._before: dict[int, object] = {}

    def __enter__(self) -> "Interrupt":
        if threading.current_thread() is threading.main_thread():
            self._before = {s: signal.signal(s, self._note) for s in self.SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _note(self, number: int, _: FrameType | None) -> None:
        if self.asked:
            raise Stopped(number, "at once; the checkpoints before it are intact")
        self.asked = number
