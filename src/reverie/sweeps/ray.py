"""Trials as tasks of Ray, on the cluster that this machine belongs to or on one of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reverie.envs.base import EnvError
from reverie.envs.ray_cluster import connect, passed
from reverie.sweeps.backend import RUNNER, AbstractBackend, command
from reverie.sweeps.errors import SweepError
from reverie.sweeps.room import Needs, largest_bytes, too_few

THREADS = "OMP_NUM_THREADS"
"""A variable that Ray sets and a run by hand does not have."""


class Ray(AbstractBackend):
    """A trial takes what it needs, or the most that a machine of the cluster has, so that none
    waits for a machine that does not exist.

    Raises SweepError where Ray is not installed, no cluster is reached, or none of its machines
    has the devices of a trial.
    """

    interval = 0.2
    lasting = False

    def __init__(
        self,
        folder: Path,
        each: Needs | None,
        *,
        jobs: int = 0,
        retries: int = 1,
        runner: Sequence[str] = RUNNER,
    ):
        """`each`: what a trial takes; None: too little to be asked for."""
        self._ray, self._own = _joined()
        self._folder, self._retries, self._runner = folder, retries, tuple(runner)
        self._most, self._refs = jobs, dict[str, Any]()
        self._planned, self._plans = 0, each is not None
        needs = each or Needs()
        self._machine = _machine(self._ray.nodes(), needs.devices)
        self._options = {
            "num_cpus": min(needs.cores, self._machine["CPU"]),
            "num_gpus": needs.devices if self._machine.get("GPU", 0) else 0,
            "max_retries": retries,
        }

    def room(self, names: Sequence[str]) -> int:
        """All, or as many as were allowed: Ray queues them.

        Until the first one has planned its memory no second one is handed to Ray.
        """
        if self._plans and not self._planned:
            self._planned = largest_bytes(self._folder, names)
            if not self._planned and not self._most:
                return 1 - len(names)
        return (self._most or 1000) - len(names)

    def start(self, names: Sequence[str]) -> None:
        """Hand them to Ray."""
        variables = passed()
        threads = os.environ.get(THREADS, "")
        memory = min(self._planned, int(self._machine.get("memory", 0)))
        task = self._ray.remote(_run).options(**self._options, memory=memory or None)
        for name in names:
            words = command(self._folder, name, self._retries, self._runner)
            self._refs[name] = task.remote(words, variables, threads)

    def alive(self, name: str) -> bool:
        """Whether its task waits or runs."""
        ref = self._refs.get(name)
        return ref is not None and not self._ray.wait([ref], timeout=0)[0]

    def withdraw(self, names: Sequence[str]) -> None:
        """Not needed: what has not begun ends as soon as it begins."""

    def jobs(self) -> dict[str, str]:
        """None: Ray ends tasks with the process that asked for them."""
        return {}

    def close(self) -> None:
        """Leave the cluster."""
        if self._own:
            self._ray.shutdown()


def _joined() -> tuple[Any, bool]:
    """The package ray on a cluster, and whether this sweep is to leave it at its end."""
    try:
        before = sys.modules.get("ray")
        there = before is not None and before.is_initialized()
        return connect("the back end ray"), not there
    except EnvError as error:
        raise SweepError(str(error)) from error


def _machine(nodes: Sequence[Mapping[str, Any]], devices: int) -> dict[str, float]:
    """What the machine of a cluster has that a trial is measured by: of those with its devices
    the one with the most CPUs, of any where the cluster has no devices.

    Raises SweepError where no machine has so many devices, or none has a CPU to give.
    """
    there = [dict(node["Resources"]) for node in nodes if node["Alive"]]
    there = [found for found in there if found.get("CPU", 0) >= 1]
    if not there:
        raise SweepError("no machine of the Ray cluster gives CPUs (ray start --num-cpus N does).")
    most = max(int(found.get("GPU", 0)) for found in there)
    if most and devices > most:
        raise SweepError(too_few(devices, f"the largest machine of the Ray cluster has {most}"))
    fit = [found for found in there if int(found.get("GPU", 0)) >= min(devices, most)]
    return max(fit, key=lambda found: found["CPU"])


def _run(words: Sequence[str], given: dict[str, str], threads: str) -> int:
    """The task: the trial's process, with the sweep's variables. Returns its exit code."""
    variables = {key: value for key, value in os.environ.items() if key != THREADS}
    variables |= given | ({THREADS: threads} if threads else {})
    return subprocess.run(words, env=variables).returncode
