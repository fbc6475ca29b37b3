"""Where environments sit: one in this process, or one or several in a process of their own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from reverie.envs import board as boards
from reverie.envs import worker
from reverie.envs.base import Env, EnvError
from reverie.envs.worker import Order

START = 60.0
"""Shortest patience with a process that is starting, seconds."""
TAIL = 2000
"""Bytes of the log that are quoted when a process dies without a word."""


class Crash(Exception):
    """An environment died, hung or raised; the message says how. Others can take the seat.

    `alive`: it raised, and its process still takes orders.
    """

    def __init__(self, message: str, *, alive: bool = False):
        super().__init__(message)
        self.alive = alive


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
    """An environment in this process; orders are carried out when their answer is wanted."""

    def __init__(self, make_one: Callable[[], Env]):
        self._make_one = make_one
        self._env: Any = None
        self._board: Any = None
        self._todo: list[Order] = []

    def ask(self, orders: list[Order]) -> None:
        """Remember the orders."""
        self._todo = orders

    def answer(self) -> list[Any]:
        """Carry the orders out."""
        index = -1
        try:
            results = []
            for letter, index, payload in self._todo:
                results.append(self._obey(letter, index, payload))
            return results
        except EnvError as error:
            raise EnvError(f"Environment {index}: {error}") from None
        except Exception:
            raise Crash(traceback.format_exc(), alive=True) from None

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
                self._env = self._make_one()
                env = self._env
                return env.obs_specs, env.action_specs, env.log_specs, env.notices
            case worker.LAYOUT:
                self._board = payload
        return None

    def leave(self) -> None:
        """There is no process to wait for."""

    def close(self, *, patience: float) -> None:
        """Close the environment."""
        if self._env is not None:
            with contextlib.suppress(Exception):
                self._env.close()
            self._env = None


class Process:
    """Environments in a fresh Python process (never a fork: forked simulators hang).

    Args:
        recipe: cloudpickled function that makes an environment.
        memory: file that will hold the board.
        log: file that takes what the simulator prints.
        timeout: seconds after which an unanswered order counts as hung.
    """

    def __init__(self, recipe: bytes, memory: BinaryIO, log: BinaryIO, *, timeout: float):
        self._recipe, self._log, self._timeout = recipe, log, timeout
        self._starting, self._asked = True, 0
        self._round: list[Order] = []  # a step of every environment: by far the commonest
        self._link, theirs = socket.socketpair()
        life_theirs, self._life = os.pipe()
        fds = (theirs.fileno(), memory.fileno(), life_theirs)
        code = f"from reverie.envs.worker import main; main{fds}"
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", code],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=fds,
                env=_surroundings(),
                process_group=0,  # Ctrl-C reaches the parent only
            )
        finally:
            theirs.close()
            os.close(life_theirs)

    def ask(self, orders: list[Order]) -> None:
        """Send the orders. A dead process is reported by `answer`."""
        self._asked = len(orders)
        if orders[0][0] == worker.MAKE:
            self._round = [(worker.STEP, index, None) for _, index, _ in orders]
            orders = [(worker.MAKE, index, self._recipe) for _, index, _ in orders]
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
        letter = worker.ALIVE
        while letter == worker.ALIVE:
            try:
                letter, payload = worker.receive(self._link)
            except TimeoutError:
                raise Crash(f"no answer for {timeout:g} seconds (env.timeout)") from None
            except (EOFError, OSError):
                raise Crash(self._obituary()) from None
        self._starting = False
        if letter == worker.WRONG:
            raise EnvError("Environment {}: {}".format(*payload))
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
        return f"its process ended ({how}). Last words:\n{tail(self._log)}"

    def leave(self) -> None:
        """Ask the process to leave."""
        with contextlib.suppress(OSError):
            self._link.settimeout(0.1)
            worker.send(self._link, worker.CLOSE)

    def close(self, *, patience: float) -> None:
        """Ask the process to leave, then kill it; it is always waited for."""
        self.leave()
        self._link.close()
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)  # its own children too
            self.process.wait()
        if self._life >= 0:
            os.close(self._life)
            self._life = -1


def _threads() -> dict[str, str]:
    """One arithmetic thread a process: E environments must not start E times all cores."""
    return dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def _surroundings() -> dict[str, str]:
    """The environment variables of a worker: ours, our import path, one arithmetic thread."""
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    return {**_threads(), **os.environ, "PYTHONPATH": path}


def open_log(path: Path | str | None) -> BinaryIO:
    """The file that takes what simulators print: `path` (appended to), or one without a name."""
    if path is None:
        return tempfile.TemporaryFile()
    return Path(path).open("a+b")


def tail(log: BinaryIO) -> str:
    """The last 2000 bytes of a log, as text."""
    size = os.fstat(log.fileno()).st_size
    return os.pread(log.fileno(), TAIL, max(0, size - TAIL)).decode(errors="replace")
