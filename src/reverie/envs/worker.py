"""What runs in an environment process: a loop that answers commands from a socket.

A process holds one environment or several, which it steps one by one. A message is one letter, a
length and so many bytes of pickle: the parent sends a list of orders, one answer comes back to all
of them. Observations, actions and rewards travel by the board. The process takes no notice of
SIGINT and SIGTERM (the parent decides; what it starts obeys them as usual) and leaves when the
socket closes, however the parent ended. What its environments started ends with it.
"""

import contextlib
import faulthandler
import os
import pickle
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from typing import Any

from reverie.envs import board as boards
from reverie.envs import identity
from reverie.envs.base import Env, EnvError
from reverie.envs.family import MARK, end_family
from reverie.envs.faults import describe

HEAD = struct.Struct("<cQ")
"""Letter and payload length in bytes."""
ORDERS, ROUND, CLOSE = b"o", b"a", b"c"
"""Messages of the parent: a list of orders; one step of every environment; leave."""
MAKE, LAYOUT, RESET, STEP, REPLAY, RENDER = b"m", b"l", b"r", b"s", b"p", b"v"
"""What an environment can be ordered to do."""
DONE, WRONG, CRASHED, ALIVE = b"k", b"e", b"x", b"h"
"""Answers: done (results, where there are any); EnvError (text); any other exception (what it was
and where); still at work."""
INDEX, KIND = "REVERIE_ENV_INDEX", "REVERIE_ENV_KIND"
"""Variables that tell a function which environment it makes: its number, "train" or "eval"."""
BEAT = 1.0
"""Seconds between two signs of life during a long list of orders or a long episode's replay."""

Order = tuple[bytes, int, Any]
"""What to do (STEP …), the number of the environment, and what it takes."""


def send(link: socket.socket, letter: bytes, payload: Any = None) -> None:
    """Send one message; None costs no pickling."""
    body = b"" if payload is None else pickle.dumps(payload, pickle.HIGHEST_PROTOCOL)
    link.sendall(HEAD.pack(letter, len(body)) + body)


def receive(link: socket.socket) -> tuple[bytes, Any]:
    """Wait for one message. Raises EOFError when the other side is gone, TimeoutError."""
    letter, length = HEAD.unpack(_exactly(link, HEAD.size))
    return letter, pickle.loads(_exactly(link, length)) if length else None


def _exactly(link: socket.socket, count: int) -> bytes:
    parts = []
    while count:
        part = link.recv(min(count, 1 << 20))
        if not part:
            raise EOFError("the other side closed the connection")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def main(link_fd: int, memory_fd: int, life_fd: int) -> None:
    """Serve the environments until the parent says so or is gone."""
    mark = os.environ.get(MARK, "none")
    for number in SIGNALS:
        signal.signal(number, _unmoved)  # not SIG_IGN, which programs that we start would inherit
    os.register_at_fork(after_in_child=_usual_signals)
    faulthandler.enable()  # the log shows where a simulator died
    threading.Thread(target=_leave_with_parent, args=(life_fd, mark), daemon=True).start()
    link = socket.socket(fileno=link_fd)
    seat = Server(memory_fd)
    try:
        while seat.answer(link):
            pass
    except (EOFError, OSError):
        pass  # the parent is gone
    finally:
        seat.close()
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
        _end(mark)


SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _unmoved(number: int, _: Any) -> None:
    """The parent decides."""


def _usual_signals() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)


def _end(mark: str) -> None:
    """End this process and all that it started, without simulators' exit handlers: they print,
    hang, or both."""
    end_family(os.getpid(), mark)
    os._exit(1)


def _leave_with_parent(life_fd: int, mark: str) -> None:
    """End a process that is stuck in its simulator when the parent is gone."""
    os.read(life_fd, 1)  # nothing is ever written: returns when the other end closes
    time.sleep(5.0)
    _end(mark)


def tell(index: int, kind: str) -> None:
    """Let the variables INDEX and KIND say which environment is made next."""
    os.environ |= {INDEX: str(index), KIND: kind}


class Server:
    """The environments of one process, by number, and their rows of the board."""

    def __init__(self, memory_fd: int):
        self._memory_fd = memory_fd
        self._envs: dict[int, Env] = {}
        self._names: dict[int, str] = {}
        self._round: list[Order] = []
        self._board: boards.Board | None = None

    def answer(self, link: socket.socket) -> bool:
        """Wait for orders, obey them and answer. False: they were the last."""
        letter, orders = receive(link)
        if letter == CLOSE:
            return False
        if letter == ROUND:
            orders = self._round
        beat, results, index = Beat(link), [], -1
        try:
            for letter, index, payload in orders:
                results.append(self._obey(letter, index, payload, beat))
                beat()
        except EnvError as error:
            send(link, WRONG, f"{self._names.get(index, 'An environment')}: {error}")
        except BaseException as error:  # sys.exit() of a simulator too
            with contextlib.suppress(BaseException):
                sys.stderr.write(traceback.format_exc())
                sys.stderr.flush()
            send(link, CRASHED, describe(error))
        else:
            send(link, DONE, results if any(x is not None for x in results) else None)
        return True

    def _obey(self, letter: bytes, index: int, payload: Any, beat: "Beat") -> Any:
        env: Any = self._envs.get(index)
        board: Any = self._board
        match letter:
            case b"s":
                boards.step(env, board, index)
            case b"r":
                boards.reset(env, board, index, *payload)
            case b"p":
                boards.replay(env, board, index, *payload, beat=beat)
            case b"v":
                return env.render()
            case b"m":
                recipe, self._names[index], number, kind = payload
                tell(number, kind)
                env = self._envs[index] = pickle.loads(recipe)()
                identity.take(env, self._names[index])
                self._round.append((STEP, index, None))
                return env.obs_specs, env.action_specs, env.log_specs, env.notices, env.own_spaces
            case b"l" if board is None:
                memory = boards.map_memory(self._memory_fd, payload, grow=False)
                self._board = boards.make_board(payload, memory)
        return None

    def close(self) -> None:
        """Close the environments; a simulator that fails to do so is leaving anyway."""
        for env in self._envs.values():
            with contextlib.suppress(BaseException):
                env.close()


class Beat:
    """Sends a sign of life at most once a second."""

    def __init__(self, link: socket.socket):
        self._link, self._then = link, time.monotonic()

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self._then >= BEAT:
            self._then = now
            send(self._link, ALIVE)
