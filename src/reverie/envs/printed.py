"""What simulators print: passed on to a file of bounded size, its end kept for last words.

A process prints into a pipe that a thread of ours empties, so that neither a flood nor a full disk
reaches the simulator or the run.
"""

import contextlib
import logging
import os
import stat
import threading
from pathlib import Path
from typing import Protocol

LIMIT = 1_000_000
"""Bytes of a log file at most; when they are used up, the older half is dropped."""
TAIL = 4000
"""Bytes of each process that are kept for its last words."""
PART = 1 << 16
"""Bytes that are read at once."""
DROPPED = b"... older lines were dropped here ...\n"

log = logging.getLogger("reverie.envs")


class Prints(Protocol):
    """Whoever takes what simulators print."""

    def write(self, data: bytes) -> None:
        """Take `data`. Never raises."""
        ...


class PrintLog:
    """A file of at most LIMIT bytes. Never raises: a disk that refuses costs the text only.

    Args:
        path: the file, appended to; None keeps nothing. What is no plain file is left alone.
    """

    def __init__(self, path: Path | str | None):
        self._lock, self._told, self._fd = threading.Lock(), False, -1
        if path is None:
            return
        try:
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._fd = os.open(path, flags | os.O_NONBLOCK, 0o644)
            if not stat.S_ISREG(os.fstat(self._fd).st_mode):
                raise OSError(f"{path} is no plain file")
        except OSError as error:
            self._complain(error)
            self.close()

    def write(self, data: bytes) -> None:
        """Append `data`, of at most half of LIMIT bytes."""
        with self._lock:
            if self._fd < 0:
                return
            try:
                if os.fstat(self._fd).st_size + len(data) > LIMIT:
                    self._drop_older_half()
                while data:
                    data = data[os.write(self._fd, data) :]
            except OSError as error:
                self._complain(error)

    def _drop_older_half(self) -> None:
        size = os.fstat(self._fd).st_size
        keep = LIMIT // 2 - PART
        kept = os.pread(self._fd, keep, max(0, size - keep))
        os.ftruncate(self._fd, 0)
        os.write(self._fd, DROPPED + kept)

    def _complain(self, error: OSError) -> None:
        if not self._told:
            self._told = True
            reason = error.strerror or str(error)
            log.warning("What simulators print is not kept (%s); the run goes on.", reason)

    def close(self) -> None:
        """Close the file. May be called twice."""
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
            self._fd = -1


class Printed:
    """The pipe that takes what one process prints.

    Hand `fd` to the process, then call `begin`.
    """

    def __init__(self, log: Prints):
        self._log, self._tail = log, b""
        self._read, self.fd = os.pipe()
        self._thread = threading.Thread(target=self._empty, name="reverie-printed", daemon=True)

    def begin(self) -> None:
        """Read until all who may print have closed their end; the process has its own by now."""
        os.close(self.fd)
        self._thread.start()

    def _empty(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._read, PART):
                self._log.write(data)
                self._tail = (self._tail + data)[-TAIL:]
        os.close(self._read)

    def tail(self, *, patience: float) -> str:
        """The last 4000 bytes as text, after at most `patience` seconds of waiting for the end."""
        self._thread.join(patience)
        return self._tail.decode(errors="replace")
