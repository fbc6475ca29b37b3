"""Where environments sit: one in this process, or one or several in a process of their own."""

import contextlib
import itertools
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from reverie.envs import board as boards
from reverie.envs import identity, worker
from reverie.envs.base import Env, EnvError
from reverie.envs.family import MARK, end_family
from reverie.envs.faults import Crash, by_signal, contained, describe, last_words
from reverie.envs.printed import Printed, PrintLog, Prints
from reverie.envs.worker import Order

START = 60.0
"""Shortest patience with a process that is starting, seconds."""
KILLED = 5.0
"""Seconds that the system gets to end a process that was killed."""
REPORT = 60.0
"""Seconds between two messages about a long wait."""

log = logging.getLogger("reverie.envs")
_numbers = itertools.count()


class Seat(Protocol):
    """Environments that take orders (`worker.STEP` …) and answer them, one list at a time."""

    def ask(self, orders: list[Order]) -> None:
        """Give orders without waiting for them."""
        ...

    def answer(self) -> list[Any]:
        """Wait for the results, in the order of the orders. Raises Crash, or EnvError that names
        the environment; the orders after the one that failed are not carried out."""
        ...

    def leave(self) -> None:
        """Begin to close, where that takes time: many seats do so side by side."""
        ...

    def close(self, *, patience: float) -> None:
        """End the environments; kill their process after `patience` seconds. Never raises."""
        ...


class Local:
    """An environment in this process; orders are carried out when their answer is wanted.

    `printed` takes the tracebacks of crashes.
    """

    def __init__(self, make_one: Callable[[], Env], printed: PrintLog):
        self._make_one, self._name, self._printed = make_one, "An environment", printed
        self._env: Any = None
        self._board: Any = None
        self._todo: list[Order] = []

    def ask(self, orders: list[Order]) -> None:
        """Remember the orders."""
        self._todo = orders

    def answer(self) -> list[Any]:
        """Carry the orders out. Whatever the environment raises is a crash; a signal's passes."""
        try:
            results = []
            for letter, index, payload in self._todo:
                results.append(self._obey(letter, index, payload))
            return results
        except EnvError as error:
            raise EnvError(f"{self._name}: {error}") from None
        except BaseException as error:
            if by_signal(error):
                raise
            self._printed.write(traceback.format_exc().encode(errors="replace"))
            raise Crash(describe(error), alive=True) from None

    def _obey(self, letter: bytes, index: int, payload: Any) -> Any:
        match letter:
            case worker.STEP:
                boards.step(self._env, self._board, index)
            case worker.RESET:
                boards.reset(self._env, self._board, index, *payload)
            case worker.REPLAY:
                boards.replay(self._env, self._board, index, *payload, beat=lambda: None)
            case worker.RENDER:
                return self._env.render()
            case worker.MAKE:
                self._name, *told = payload
                env = self._made(*told)
                return env.obs_specs, env.action_specs, env.log_specs, env.notices, env.own_spaces
            case worker.LAYOUT:
                self._board = payload
        return None

    def _made(self, index: int, kind: str) -> Env:
        before = {key: os.environ.get(key) for key in (worker.INDEX, worker.KIND)}
        worker.tell(index, kind)
        try:
            env = self._make_one()
        finally:
            for key in before:
                del os.environ[key]
            os.environ |= {key: value for key, value in before.items() if value is not None}
        identity.take(env, self._name)
        self._env = env
        return env

    def leave(self) -> None:
        """There is no process to wait for."""

    def close(self, *, patience: float) -> None:
        """Close the environment."""
        env, self._env = self._env, None
        if env is not None:
            identity.leave(env)
            with contextlib.suppress(Exception), contained():
                env.close()


class Process:
    """Environments in a fresh Python process (never a fork: forked simulators hang).

    The process leads a session of its own: a Ctrl-C reaches the parent only, and what the
    environments start ends with it.

    Args:
        recipe: cloudpickled function that makes an environment.
        memory: file that will hold the board.
        printed: takes what the simulator prints.
        folder: where the process works.
        timeout: seconds after which an unanswered order counts as hung.
    """

    def __init__(
        self, recipe: bytes, memory: BinaryIO, printed: Prints, folder: str, *, timeout: float
    ):
        self._recipe, self._timeout = recipe, timeout
        self._starting, self._asked = True, 0
        self._round: list[Order] = []  # a step of every environment: by far the commonest
        self._mark, self._printed = f"{os.getpid()}-{next(_numbers)}", Printed(printed)
        self._link, theirs = socket.socketpair()
        life_theirs, self._life = os.pipe()
        fds = (theirs.fileno(), memory.fileno(), life_theirs)
        code = f"from reverie.envs.worker import main; main{fds}"
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", code],
                stdin=subprocess.DEVNULL,
                stdout=self._printed.fd,
                stderr=self._printed.fd,
                pass_fds=fds,
                cwd=folder,
                env=_surroundings(folder) | {MARK: self._mark},
                start_new_session=True,
            )
        except OSError as error:
            self._link.close()
            os.close(self._life)
            raise EnvError(f"no process can be started for the environment ({error}).") from error
        finally:
            theirs.close()
            os.close(life_theirs)
            self._printed.begin()

    def ask(self, orders: list[Order]) -> None:
        """Send the orders. A dead process is reported by `answer`."""
        self._asked = len(orders)
        if orders[0][0] == worker.MAKE:
            self._round = [(worker.STEP, index, None) for _, index, _ in orders]
            orders = [(worker.MAKE, index, (self._recipe, *told)) for _, index, told in orders]
        with contextlib.suppress(OSError):
            self._link.settimeout(self._timeout)
            if orders == self._round:
                worker.send(self._link, worker.ROUND)
            else:
                worker.send(self._link, worker.ORDERS, orders)

    def answer(self) -> list[Any]:
        """Wait for the answer; signs of life start the clock again."""
        timeout = max(self._timeout, START) if self._starting else self._timeout
        self._link.settimeout(timeout + worker.BEAT)  # an order may begin just before a beat is due
        letter, asked, told = worker.ALIVE, time.monotonic(), 0.0
        while letter == worker.ALIVE:
            try:
                letter, payload = worker.receive(self._link)
            except TimeoutError:
                raise Crash(f"no answer for {timeout:g} seconds (env.timeout)") from None
            except (EOFError, OSError):
                raise Crash(self._obituary()) from None
            if letter == worker.ALIVE and time.monotonic() - asked > told + REPORT:
                told = time.monotonic() - asked
                log.warning("Environments have been at work on one order for %.0f seconds.", told)
        self._starting = False
        if letter == worker.WRONG:
            raise EnvError(payload)
        if letter == worker.CRASHED:
            raise Crash(payload, alive=True)
        return payload or [None] * self._asked

    def _obituary(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1.0)
        code = self.process.poll()
        how = f"exit status {code}"
        if code is not None and code < 0:
            how = f"killed by {signal.Signals(-code).name}"
        end_family(self.process.pid, self._mark)
        words = last_words(self._printed.tail(patience=1.0))
        return f"its process ended ({how}); its last words: {words}"

    def leave(self) -> None:
        """Ask the process to leave."""
        with contextlib.suppress(OSError):
            self._link.settimeout(0.1)
            worker.send(self._link, worker.CLOSE)

    def close(self, *, patience: float) -> None:
        """Ask the process to leave, then kill it and all that it started."""
        self.leave()
        self._link.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(patience)
        end_family(self.process.pid, self._mark)
        try:
            self.process.wait(KILLED)
        except subprocess.TimeoutExpired:
            log.warning("Process %d does not end though it was killed.", self.process.pid)
        self._printed.tail(patience=1.0)
        if self._life >= 0:
            os.close(self._life)
            self._life = -1


def _threads() -> dict[str, str]:
    """One arithmetic thread a process: E environments must not start E times all cores."""
    return dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def _surroundings(folder: str) -> dict[str, str]:
    """The environment variables of a worker: ours, our import path, one arithmetic thread."""
    path = os.pathsep.join(str(Path(folder, entry)) for entry in sys.path)
    return {**_threads(), **os.environ, "PYTHONPATH": path}
