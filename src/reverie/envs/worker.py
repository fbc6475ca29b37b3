"""What runs in an environment process: a loop that answers commands from a socket.

Commands and answers are one letter, a length and so many bytes of pickle; observations, actions
and rewards travel by the board. The process ignores SIGINT and SIGTERM (the parent decides) and
leaves when the socket closes, however the parent ended.
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
from reverie.envs.base import Env, EnvError

HEAD = struct.Struct("<cQ")
"""Letter and payload length in bytes."""
MAKE, LAYOUT, RESET, STEP, REPLAY, RENDER, CLOSE = b"m", b"l", b"r", b"s", b"p", b"v", b"c"
"""Commands of the parent."""
DONE, WRONG, CRASHED, ALIVE = b"k", b"e", b"x", b"h"
"""Answers: done; EnvError (payload: its text); any other exception (traceback); still replaying."""
BEAT = 1.0
"""Seconds between two signs of life while a long episode is replayed."""


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
    """Serve one environment until the parent says so or is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    faulthandler.enable()  # the log shows where a simulator died
    threading.Thread(target=_leave_with_parent, args=(life_fd,), daemon=True).start()
    link = socket.socket(fileno=link_fd)
    seat = Server(memory_fd)
    code = 0
    try:
        while seat.answer(link):
            pass
    except (EOFError, OSError):
        code = 1
    finally:
        seat.close()
        sys.stdout.flush()
        os._exit(code)  # simulators' exit handlers print, hang, or both


def _leave_with_parent(life_fd: int) -> None:
    """End a process that is stuck in its simulator when the parent is gone."""
    os.read(life_fd, 1)  # nothing is ever written: returns when the other end closes
    time.sleep(5.0)
    os._exit(1)


class Server:
    """One environment and its row of the board."""

    def __init__(self, memory_fd: int):
        self._memory_fd = memory_fd
        self._env: Env | None = None
        self._board: boards.Board | None = None
        self._index = 0

    def answer(self, link: socket.socket) -> bool:
        """Wait for a command, obey it and answer. False: it was the last."""
        letter, payload = receive(link)
        if letter == CLOSE:
            return False
        try:
            result = self._obey(letter, payload, link)
        except EnvError as error:
            send(link, WRONG, str(error))
        except Exception:
            text = traceback.format_exc()
            sys.stderr.write(text)
            sys.stderr.flush()
            send(link, CRASHED, text)
        else:
            send(link, DONE, result)
        return True

    def _obey(self, letter: bytes, payload: Any, link: socket.socket) -> Any:
        env: Any = self._env
        board: Any = self._board
        match letter:
            case b"s":
                boards.step(env, board, self._index)
            case b"r":
                boards.reset(env, board, self._index, *payload)
            case b"p":
                boards.replay(env, board, self._index, *payload, beat=Beat(link))
            case b"v":
                return env.render()
            case b"m":
                env = self._env = pickle.loads(payload)()
                return env.obs_specs, env.action_specs, env.log_specs, env.notices
            case b"l":
                layout, self._index = payload
                memory = boards.map_memory(self._memory_fd, layout, grow=False)
                self._board = boards.make_board(layout, memory)
        return None

    def close(self) -> None:
        """Close the environment; a simulator that fails to do so is leaving anyway."""
        if self._env is not None:
            with contextlib.suppress(Exception):
                self._env.close()


class Beat:
    """Sends a sign of life at most once a second."""

    def __init__(self, link: socket.socket):
        self._link, self._then = link, time.monotonic()

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self._then >= BEAT:
            self._then = now
            send(self._link, ALIVE)
