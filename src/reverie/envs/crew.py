"""E environments in their seats: made, watched over, replaced when they fail, closed."""

import logging
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle

from reverie.envs import board as boards
from reverie.envs import worker
from reverie.envs.base import Env, EnvError
from reverie.envs.seats import Crash, Local, Process, Seat, open_log
from reverie.records import Specs

PATIENCE = 3.0
"""Seconds that closing environments get before they are killed, all together."""

log = logging.getLogger("reverie.envs")


class Crew:
    """E environments that write to one board; each takes one command at a time.

    `restarted` counts the environments that were replaced. All are closed at `close`, at
    collection, or at the end of the process, whichever comes first.
    """

    def __init__(
        self,
        make_one: Callable[[], Env],
        *,
        num: int,
        parallel: bool,
        timeout: float,
        restarts: int,
        log_file: Path | str | None,
    ):
        self.num, self.restarted = num, 0
        self.notices: list[str] = []
        self._make_one, self._timeout, self._restarts = make_one, timeout, restarts
        self._log, self._memory = open_log(log_file), boards.open_memory()
        self._recipe = self._pickled(make_one) if parallel else None
        self._seats: list[Seat] = []
        self._finalizer = weakref.finalize(self, _close_all, self._seats)
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _pickled(self, make_one: Callable[[], Env]) -> bytes | None:
        try:
            return cloudpickle.dumps(make_one)
        except Exception as error:
            self.notices.append(
                f"The environments run in this process, one by one: {make_one!r} cannot be sent "
                f"to another ({type(error).__name__}: {error})."
            )
            return None

    def _open(self) -> None:
        for _ in range(self.num):
            self._seats.append(self._new_seat())
            self._seats[-1].ask(worker.MAKE)
        made = [self._made(index) for index in range(self.num)]
        self.obs_specs: Specs = made[0][0]
        self.action_specs: Specs = made[0][1]
        self.log_specs: Specs = made[0][2]
        self.notices = [*made[0][3], *self.notices]
        for index, (obs, action, _, _) in enumerate(made):
            if obs != self.obs_specs or action != self.action_specs:
                raise EnvError(
                    f"Environment {index} differs from environment 0: it shows {obs} and acts in "
                    f"{action}, not {self.obs_specs} and {self.action_specs}."
                )
        self._layout = boards.Layout(self.obs_specs, self.action_specs, self.log_specs, self.num)
        memory = boards.map_memory(self._memory.fileno(), self._layout, grow=True)
        self.board = boards.make_board(self._layout, memory)
        for index in range(self.num):
            self._seat_down(index)

    def _new_seat(self) -> Seat:
        if self._recipe is None:
            return Local(self._make_one)
        return Process(self._recipe, self._memory, self._log, timeout=self._timeout)

    def _made(self, index: int) -> tuple[Specs, Specs, Specs, list[str]]:
        try:
            return self.answer(index)
        except Crash as crash:
            raise EnvError(f"Environment {index} could not be made: {crash}") from None

    def _seat_down(self, index: int) -> None:
        place = self.board if self._recipe is None else self._layout
        self.ask(index, worker.LAYOUT, (place, index))
        self.answer(index)

    def ask(self, index: int, letter: bytes, payload: Any = None) -> None:
        """Give environment `index` a command (`worker.STEP` …) without waiting for it."""
        if not self._seats:
            raise EnvError("The environments are closed.")
        self._seats[index].ask(letter, payload)

    def answer(self, index: int) -> Any:
        """Wait for the command's result.

        Raises EnvError that names the environment, or Crash, after which `replace` is due.
        """
        try:
            return self._seats[index].answer()
        except EnvError as error:
            raise EnvError(f"Environment {index}: {error}") from None

    def replace(self, index: int, crash: Crash) -> None:
        """Put a new environment, not yet reset, into the seat of one that crashed.

        Raises EnvError with the last crash if the allowed restarts are used up.
        """
        while True:
            self._seats[index].close(patience=0.0)
            self._count(index, crash)
            self._seats[index] = self._new_seat()
            try:
                self.ask(index, worker.MAKE)
                self.answer(index)
                return self._seat_down(index)
            except Crash as again:
                crash = again

    def _count(self, index: int, crash: Crash) -> None:
        if self.restarted >= self._restarts:
            raise EnvError(
                f"Environment {index} failed and all {self._restarts} restarts (env.restarts) are "
                f"used up: {crash}"
            )
        self.restarted += 1
        log.warning(
            "Environment %d failed and is restarted (%d of %d): %s",
            *(index, self.restarted, self._restarts, crash),
        )

    def close(self) -> None:
        """End all environments and their processes. May be called twice."""
        self._finalizer()
        self._log.close()
        self._memory.close()


def _close_all(seats: list[Seat]) -> None:
    for seat in seats:
        seat.ask(worker.CLOSE)
    end = time.monotonic() + PATIENCE
    for seat in seats:
        seat.close(patience=max(0.1, end - time.monotonic()))
    seats.clear()
