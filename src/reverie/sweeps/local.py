"""Trials as processes of this machine, as many as fit."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from reverie.sweeps import record
from reverie.sweeps.backend import RUNNER, AbstractBackend, command
from reverie.sweeps.room import Room


class Local(AbstractBackend):
    """Each trial is a session of its own: a signal to the sweep does not reach it by itself."""

    interval = 0.1
    lasting = False

    def __init__(
        self, folder: Path, room: Room, *, retries: int = 1, runner: Sequence[str] = RUNNER
    ):
        self._folder, self._room = folder, room
        self._retries, self._runner = retries, tuple(runner)
        self._processes: dict[str, subprocess.Popen] = {}
        self._devices: dict[str, tuple[str, ...]] = {}

    def room(self, names: Sequence[str]) -> int:
        """What is left of the jobs that fit."""
        return self._room.jobs(self._folder, names) - len(names)

    def start(self, names: Sequence[str]) -> None:
        """Start their processes."""
        for name in names:
            words = command(self._folder, name, self._retries, self._runner)
            with record.path(self._folder, name, "log").open("ab") as log:
                self._processes[name] = subprocess.Popen(
                    words,
                    env=os.environ | self._variables(name),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )

    def _variables(self, name: str) -> Mapping[str, str]:
        """The variable that gives a trial the devices which the fewest others use."""
        if not self._room.devices:
            return {}
        under_way = [self._devices[n] for n, p in self._processes.items() if p.poll() is None]
        taken = [device for those in under_way for device in those]
        free = sorted(self._room.devices, key=taken.count)
        self._devices[name] = tuple(free[: self._room.each.devices])
        return {"CUDA_VISIBLE_DEVICES": ",".join(self._devices[name])}

    def alive(self, name: str) -> bool:
        """Whether its process runs."""
        process = self._processes.get(name)
        return process is not None and process.poll() is None

    def withdraw(self, names: Sequence[str]) -> None:
        """Not needed: what has not begun ends as soon as it begins."""

    def jobs(self) -> dict[str, str]:
        """None: a process is found by the lock that it holds."""
        return {}

    def close(self) -> None:
        """Nothing is held."""
