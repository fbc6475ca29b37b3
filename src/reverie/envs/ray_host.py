"""What an actor of Ray holds: environments in a process of their own, beside the actor.

The process is the one that a run starts on its own machine (`seats.Process`), so that a crash, a
hang and a last word are what they are there. Orders come and rows go as messages of Ray.
"""

import os
import sys
import threading
from pathlib import Path
from typing import Any

from reverie.envs import board as boards
from reverie.envs import worker
from reverie.envs.base import EnvError
from reverie.envs.board import Board
from reverie.envs.faults import Crash
from reverie.envs.printed import DROPPED
from reverie.envs.seats import Process
from reverie.envs.worker import Order

MOST = 1 << 16
"""Bytes of the environments' prints that wait for the next answer."""
WRITING = (worker.STEP, worker.RESET, worker.REPLAY)
"""Orders that are answered by a row."""

Answer = tuple[bytes, Any, Board | None, bytes]
"""`worker.DONE`, `WRONG` or `CRASHED`; the results, the text of the EnvError, or that of the Crash
and whether the process is alive; the rows that were written; what was printed meanwhile."""


class Heard:
    """What the environments print, until an answer takes it along."""

    def __init__(self):
        self._lock, self._data = threading.Lock(), b""

    def write(self, data: bytes) -> None:
        """Keep `data`; of more than MOST bytes the older half goes, and that is said."""
        with self._lock:
            self._data += data
            if len(self._data) > MOST:
                self._data = DROPPED + self._data[-MOST // 2 :]

    def take(self) -> bytes:
        """All that was kept, once."""
        with self._lock:
            data, self._data = self._data, b""
        return data


class Host:
    """The actor: environments 0, 1, ... of its own process, and their board.

    Args:
        recipe: cloudpickled function that makes an environment.
        folder: where the process works, if the actor's machine has it.
        path: the import path of the run; what is missing here is added.
        variables: the run's environment variables that hold here too.
        timeout: seconds after which an unanswered order counts as hung.
    """

    def __init__(
        self,
        recipe: bytes,
        folder: str,
        *,
        path: list[str],
        variables: dict[str, str],
        timeout: float,
    ):
        os.environ |= variables
        sys.path += [entry for entry in path if entry not in sys.path]
        self._recipe, self._timeout = recipe, timeout
        self._folder = folder if Path(folder).is_dir() else "."
        self._memory, self._heard = boards.open_memory(), Heard()
        self._process: Process | None = None
        self._board: Any = None

    def obey(self, orders: list[Order], action: dict[str, Any]) -> Answer:
        """Carry out orders, whose numbers count this actor's environments from 0.

        `action`: of all of them, key -> array (k, *shape); empty where no order is a step.
        """
        for key, array in action.items():
            self._board.action[key][...] = array
        if orders[0][0] == worker.LAYOUT:
            memory = boards.map_memory(self._memory.fileno(), orders[0][2], grow=True)
            self._board = boards.make_board(orders[0][2], memory)
        try:
            process = self._started()
            process.ask(orders)
            results = process.answer()
        except EnvError as error:
            return worker.WRONG, str(error), None, self._heard.take()
        except Crash as crash:
            return worker.CRASHED, (str(crash), crash.alive), None, self._heard.take()
        rows = [index for letter, index, _ in orders if letter in WRITING]
        written = boards.rows_of(self._board, rows) if rows else None
        return worker.DONE, results, written, self._heard.take()

    def _started(self) -> Process:
        if self._process is None:
            where = self._memory, self._heard, self._folder
            self._process = Process(self._recipe, *where, timeout=self._timeout)
        return self._process

    def sign(self) -> None:
        """A sign of life."""

    def leave(self) -> None:
        """Ask the process to leave."""
        if self._process is not None:
            self._process.leave()

    def close(self, patience: float) -> bytes:
        """End the process; what it printed last."""
        if self._process is not None:
            self._process.close(patience=patience)
        return self._heard.take()
