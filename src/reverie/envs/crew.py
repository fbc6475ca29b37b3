"""E environments in their seats: made, watched over, replaced when they fail, closed.

A seat is a process, an actor of Ray, or this process. It may hold several environments (`groups`),
which then share their fate: when one of them crashes, all of the seat are made anew.
"""

import logging
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from reverie.envs import board as boards
from reverie.envs import worker
from reverie.envs.base import Env, EnvError
from reverie.envs.faults import Crash, contained
from reverie.envs.printed import PrintLog
from reverie.envs.ray import EACH, Actor
from reverie.envs.recipes import pickled
from reverie.envs.seats import Local, Process, Seat
from reverie.envs.worker import Order
from reverie.records import Specs

PATIENCE = 3.0
"""Seconds that closing environments get before they are killed, all of them together."""

log = logging.getLogger("reverie.envs")


class Crew:
    """E environments that write to one board; each seat takes one list of orders at a time.

    `kind` ("train", "eval") and the numbers from `first_index` on are what an environment is told
    of itself when it is made. `groups` holds the numbers of the environments of each seat.
    `restarted` counts the seats that were replaced. All are closed at `close`, at collection, or at
    the end of the process, whichever comes first.
    """

    def __init__(
        self,
        make_one: Callable[[], Env],
        *,
        num: int,
        parallel: bool,
        backend: str,
        workers: int,
        timeout: float,
        restarts: int,
        log_file: Path | str | None,
        kind: str,
        first_index: int,
    ):
        self.restarted = 0
        self._kind, self._first_index, self._folder = kind, first_index, _folder()
        self.notices: list[str] = []
        self._make_one, self._timeout, self._restarts = make_one, timeout, restarts
        self._printed, self._memory = PrintLog(log_file), boards.open_memory()
        self._far = backend == "ray"
        self._recipe = self._pickled(make_one) if parallel else None
        workers = workers or (-(-num // EACH) if self._far else 0)
        self.groups = share_out(num, workers if self._recipe is not None else 0)
        self._seats: list[Seat] = []
        self._finalizer = weakref.finalize(self, _close_all, self._seats)
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    @property
    def here(self) -> bool:
        """Whether the environments run in this process."""
        return self._recipe is None

    def _pickled(self, make_one: Callable[[], Env]) -> bytes | None:
        try:
            with contained():
                return pickled(make_one)
        except Exception as error:
            sent = f"({type(error).__name__}: {error})"
            if self._far:
                raise EnvError(
                    f"{make_one!r} cannot be sent to an actor of Ray {sent}: let it hold nothing "
                    "that belongs to this process, or leave env.backend at local."
                ) from error
            self.notices.append(
                f"The environments run in this process, one by one: {make_one!r} cannot be sent "
                f"to another {sent}."
            )
            return None

    def _open(self) -> None:
        for group in self.groups:
            self._seats.append(self._new_seat())
            self._seats[-1].ask(self._orders_to_make(group))
        made = [one for seat in range(len(self.groups)) for one in self._made(seat)]
        self.obs_specs: Specs = made[0][0]
        self.action_specs: Specs = made[0][1]
        self.log_specs: Specs = made[0][2]
        self.notices = [*made[0][3], *self.notices]
        self.own_spaces = made[0][4]
        for index, (obs, action, *_) in enumerate(made):
            if obs != self.obs_specs or action != self.action_specs:
                raise EnvError(
                    f"Environment {index} differs from environment 0: it shows {obs} and acts in "
                    f"{action}, not {self.obs_specs} and {self.action_specs}."
                )
        self._layout = boards.Layout(self.obs_specs, self.action_specs, self.log_specs, len(made))
        memory = boards.map_memory(self._memory.fileno(), self._layout, grow=True)
        self.board = boards.make_board(self._layout, memory)
        for seat in range(len(self.groups)):
            self._seat_down(seat)

    def _new_seat(self) -> Seat:
        if self._recipe is None:
            return Local(self._make_one, self._printed)
        if self._far:
            return Actor(self._recipe, self._printed, self._folder, timeout=self._timeout)
        where = self._memory, self._printed, self._folder
        return Process(self._recipe, *where, timeout=self._timeout)

    def _orders_to_make(self, group: tuple[int, ...]) -> list[Order]:
        """With what each environment is told of itself: its name, its number, what it is for."""
        return [
            (worker.MAKE, i, (self._named((i,)), self._first_index + i, self._kind)) for i in group
        ]

    def _named(self, group: tuple[int, ...]) -> str:
        noun = "valuation environment" if self._kind == "eval" else "nvironment"
        if len(group) == 1:
            return f"E{noun} {group[0]}"
        return f"One of the e{noun}s {group[0]} to {group[-1]}"

    def _made(self, seat: int) -> list[tuple[Specs, Specs, Specs, list[str], dict | None]]:
        try:
            return self.answer(seat)
        except Crash as crash:
            name = self._named(self.groups[seat])
            raise EnvError(f"{name} could not be made: {crash}") from crash

    def _seat_down(self, seat: int) -> None:
        place = self.board if self._recipe is None else self._layout
        both = (self._layout, self.board)
        self.ask(seat, [(worker.LAYOUT, self.groups[seat][0], both if self._far else place)])
        self.answer(seat)

    def ask(self, seat: int, orders: list[Order]) -> None:
        """Give the environments of a seat orders (`worker.STEP` …) without waiting for them."""
        if not self._seats:
            raise EnvError("The environments are closed.")
        self._seats[seat].ask(orders)

    def answer(self, seat: int) -> list[Any]:
        """Wait for the results, in the order of the orders.

        Raises EnvError that names the environment, or Crash, after which `replace` is due.
        """
        return self._seats[seat].answer()

    def replace(self, seat: int, crash: Crash) -> None:
        """Put new environments, not yet reset, into a seat of which one crashed.

        Raises EnvError with the last crash if the allowed restarts are used up.
        """
        group = self.groups[seat]
        while True:
            self._seats[seat].close(patience=PATIENCE if crash.alive else 0.0)
            self._count(group, crash)
            self._seats[seat] = self._new_seat()
            try:
                self.ask(seat, self._orders_to_make(group))
                self.answer(seat)
                return self._seat_down(seat)
            except Crash as again:
                crash = again

    def _count(self, group: tuple[int, ...], crash: Crash) -> None:
        if self.restarted >= self._restarts:
            raise EnvError(
                f"{self._named(group)} failed and all {self._restarts} restarts (env.restarts) are "
                f"used up: {crash}"
            ) from crash
        self.restarted += 1
        log.warning(
            "%s failed and will be restarted (%d of %d): %s",
            *(self._named(group), self.restarted, self._restarts, crash),
        )

    def close(self) -> None:
        """End all environments and their processes. May be called twice."""
        self._finalizer()
        self._printed.close()
        self._memory.close()


def share_out(num: int, seats: int) -> tuple[tuple[int, ...], ...]:
    """Neighbours together, as evenly as it goes; 0 seats: one for each of the environments."""
    parts = np.array_split(np.arange(num), min(num, seats) or num)
    return tuple(tuple(part.tolist()) for part in parts)


def _folder() -> str:
    """The current folder, where it still exists."""
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return "."


def _close_all(seats: list[Seat]) -> None:
    for seat in seats:
        seat.leave()
    end = time.monotonic() + PATIENCE
    for seat in seats:
        seat.close(patience=max(0.1, end - time.monotonic()))
    seats.clear()
