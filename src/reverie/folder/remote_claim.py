"""One process at a time writes to a URL, as far as a store without locks can tell."""

import json
import os
import socket
import threading
import time
import uuid
from typing import Any

from reverie import files
from reverie.folder.errors import RunError
from reverie.folder.remote import Remote

NAME = "claim.json"
BEAT = 60.0
"""Seconds between two signs of life."""
PATIENCE = 600.0
"""Seconds without one after which a claim is over (a process that is known to be dead: at once)."""


_held: set[str] = set()
"""Claims of this process: one that it could not delete at the end is none any more."""


class Claim:
    """What names this process at the URL, renewed by a thread between `take` and `release`."""

    def __init__(self, remote: Remote):
        self._remote, self._token = remote, uuid.uuid4().hex
        self._over, self.lost = threading.Event(), ""
        self._thread = threading.Thread(target=self._beat, name="reverie-claim", daemon=True)

    def take(self) -> None:
        """Raises RunError where another process has it, or the URL cannot be read or written."""
        with self._remote.reached("cannot be read"):
            there = self._there()
        if there is not None and _lives(there):
            raise RunError(self._taken(there))
        with self._remote.reached("cannot be written"):
            self._write()
            there = self._there()
        if there is None or there.get("token") != self._token:
            raise RunError(self._taken(there or {}))
        _held.add(self._token)
        self._thread.start()

    def check(self) -> None:
        """Raises RunError where another process has taken over."""
        with self._remote.reached("cannot be read"):
            there = self._there()
        if there is not None and there.get("token") != self._token:
            self.lost = self._taken(there)
        if self.lost:
            raise RunError(self.lost)

    def release(self) -> None:
        """Let others in. What the store refuses now ends with the patience."""
        self._over.set()
        _held.discard(self._token)
        if self._thread.ident is not None:
            self._thread.join()
        try:
            there = self._there()
            if there is not None and there.get("token") == self._token:
                self._remote.delete(NAME)
        except Exception:  # whatever a file system's package raises
            return

    def _there(self) -> dict[str, Any] | None:
        data = self._remote.read(NAME)
        if data is None:
            return None
        try:
            found = files.parse_json(data)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def _write(self) -> None:
        told = {"token": self._token, "host": socket.gethostname(), "process": os.getpid()}
        self._remote.write(NAME, json.dumps(told | {"seconds": time.time()}).encode())

    def _beat(self) -> None:
        while not self._over.wait(BEAT):
            try:
                self.check()
                self._write()
            except RunError:
                if self.lost:
                    return
            except Exception:  # the next beat, or the next checkpoint, tells
                continue

    def _taken(self, there: dict[str, Any]) -> str:
        when = _seconds(there)
        ago = f", last seen {max(0.0, time.time() - when):.0f} s ago" if when else ""
        return (
            f"another process ({there.get('process')} on {there.get('host')}{ago}) writes to "
            f"{self._remote.url}: wait for it, stop it, or choose another --logdir. If it was "
            f"killed there, its claim ends {PATIENCE / 60:.0f} minutes after it was last seen."
        )


def _seconds(there: dict[str, Any]) -> float:
    """When a claim was renewed, seconds since 1970; 0.0 where it does not say."""
    value = there.get("seconds")
    return float(value) if isinstance(value, int | float) else 0.0


def _lives(there: dict[str, Any]) -> bool:
    """Whether the process of a claim may still write."""
    process = there.get("process")
    if process == os.getpid() and there.get("host") == socket.gethostname():
        return there.get("token") in _held
    if there.get("host") == socket.gethostname() and isinstance(process, int) and process > 0:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
    return time.time() - _seconds(there) < PATIENCE
