"""SIGINT and SIGTERM as a question that the loop answers between two turns."""

import signal
import threading
from types import FrameType

from reverie.train.errors import Stopped


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
