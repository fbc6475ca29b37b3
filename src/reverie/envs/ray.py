"""Environments as actors of Ray: the seats on this side."""

import contextlib
import logging
import sys
import time
from typing import Any

from reverie.envs import board as boards
from reverie.envs import worker
from reverie.envs.base import EnvError
from reverie.envs.board import Board
from reverie.envs.faults import Crash, short
from reverie.envs.printed import PrintLog
from reverie.envs.ray_cluster import connect, passed
from reverie.envs.ray_host import Answer, Host
from reverie.envs.seats import KILLED, REPORT, START
from reverie.envs.worker import Order

EACH = 16
"""Environments of an actor, where the number of actors is not given."""
SIGN = 5.0
"""Seconds that an actor gets for a sign of life."""

log = logging.getLogger("reverie.envs")


def check_backend(backend: str, *, parallel: bool, compiled: bool) -> None:
    """Raises EnvError where the environments cannot run in `backend`."""
    if backend not in ("local", "ray"):
        raise EnvError(f"backend must be local or ray, got {backend!r}.")
    if backend == "ray" and compiled:
        raise EnvError(
            "env.backend ray is for simulators; JAX-native environments are stepped together where "
            "the agent learns: leave env.backend at local."
        )
    if backend == "ray" and not parallel:
        raise EnvError("env.backend ray does without env.parallel false: leave one of them out.")


class Actor:
    """Environments in an actor of Ray (`ray_host.py`), on whatever machine Ray chooses.

    Actors take no CPUs from Ray's account, as processes here take none: the cluster's machines get
    equal numbers, and an actor never waits for a place.

    Args:
        recipe: cloudpickled function that makes an environment.
        printed: file that takes what the simulators print.
        folder: where the environments work, if their machine has it.
        timeout: seconds after which an unanswered order counts as hung.
    """

    def __init__(self, recipe: bytes, printed: PrintLog, folder: str, *, timeout: float):
        self._ray, self._printed, self._timeout = connect("env.backend ray"), printed, timeout
        self._first, self._count, self._starting = 0, 0, True
        self._asked: list[Order] = []
        self._answer: Any = None
        self._board: Board | None = None
        kind = self._ray.remote(
            num_cpus=0, scheduling_strategy="SPREAD", concurrency_groups={"signs": 1}
        )
        told = {"path": list(sys.path), "variables": passed(), "timeout": timeout}
        self._host = kind(Host).remote(recipe, folder, **told)

    def ask(self, orders: list[Order]) -> None:
        """Send the orders, and the actions that they need. A lost actor is reported by `answer`."""
        letters = {letter for letter, *_ in orders}
        if worker.MAKE in letters:
            self._first, self._count = orders[0][1], len(orders)
        self._asked = orders
        mine = [(letter, index - self._first, payload) for letter, index, payload in orders]
        if worker.LAYOUT in letters:
            layout, self._board = orders[0][2]
            mine = [(worker.LAYOUT, 0, layout._replace(num=self._count))]
        own = slice(self._first, self._first + self._count)
        action = {}
        if worker.STEP in letters and self._board is not None:
            action = {key: array[own] for key, array in self._board.action.items()}
        self._answer = self._host.obey.remote(mine, action)

    def answer(self) -> list[Any]:
        """Wait for the answer, and write its rows to the board."""
        letter, payload, rows, printed = self._received()
        self._starting = False
        self._printed.write(printed)
        if letter == worker.WRONG:
            raise EnvError(payload)
        if letter == worker.CRASHED:
            raise Crash(payload[0], alive=payload[1])
        if rows is not None and self._board is not None:
            written = [index for _, index, _ in self._asked]
            boards.write_rows(self._board, written, rows)
        return payload

    def _received(self) -> Answer:
        """The answer as it came. The process watches its time; the actor shows that it lives."""
        timeout = max(self._timeout, START) if self._starting else self._timeout
        asked, told = time.monotonic(), 0.0
        while not self._ray.wait([self._answer], timeout=timeout)[0]:
            sign = self._host.sign.options(concurrency_group="signs").remote()
            if not self._ray.wait([sign], timeout=SIGN)[0]:
                raise Crash(f"no answer for {timeout:g} seconds (env.timeout)")
            if time.monotonic() - asked > told + REPORT:
                told = time.monotonic() - asked
                log.warning("Environments have been at work on one order for %.0f seconds.", told)
        try:
            return self._ray.get(self._answer)
        except self._ray.exceptions.RayError as error:
            raise Crash(f"its Ray actor was lost: {_reason(error)}") from None

    def leave(self) -> None:
        """Ask the process to leave."""
        with contextlib.suppress(Exception):
            if self._ray.is_initialized():
                self._host.leave.options(concurrency_group="signs").remote()

    def close(self, *, patience: float) -> None:
        """End the process, then the actor."""
        with contextlib.suppress(Exception):
            if self._ray.is_initialized():  # or a call would start a cluster
                ended = self._host.close.options(concurrency_group="signs").remote(patience)
                self._printed.write(self._ray.get(ended, timeout=patience + KILLED))
        with contextlib.suppress(Exception):
            if self._ray.is_initialized():
                self._ray.kill(self._host)


def _reason(error: Exception) -> str:
    """The sentences of Ray about a lost actor, without the table of its numbers."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if not line.split(":")[0].replace("_", "").isidentifier()]
    return short(" ".join(told or lines))
