"""Trials as tasks of Ray, on the cluster that this machine belongs to or on one of its own."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reverie.config.schema import Config
from reverie.envs.ray import passed
from reverie.sweeps.backend import RUNNER, AbstractBackend, command, need
from reverie.sweeps.room import cores_of, devices

THREADS = "OMP_NUM_THREADS"
"""A variable that Ray sets and a run by hand does not have."""


class Ray(AbstractBackend):
    """Raises SweepError where Ray is not installed."""

    interval = 0.2
    lasting = False

    def __init__(
        self,
        folder: Path,
        config: Config | None,
        *,
        jobs: int = 0,
        retries: int = 1,
        runner: Sequence[str] = RUNNER,
    ):
        self._ray: Any = need("ray", "ray", "the back end ray")
        self._folder, self._retries, self._runner = folder, retries, tuple(runner)
        self._most, self._refs = jobs, dict[str, Any]()
        self._own = not self._ray.is_initialized()
        if self._own:
            self._ray.init(log_to_driver=False, logging_level="ERROR")
        graphic = config is not None and config.device.kind in ("auto", "gpu") and bool(devices())
        there = graphic and self._ray.cluster_resources().get("GPU", 0) > 0
        self._run = self._ray.remote(_run).options(
            num_cpus=cores_of(config) if config else 1,
            num_gpus=1 if there else 0,
            max_retries=retries,
        )

    def room(self, names: Sequence[str]) -> int:
        """All, or as many as were allowed: Ray queues them."""
        return (self._most or 1000) - len(names)

    def start(self, names: Sequence[str]) -> None:
        """Hand them to Ray."""
        variables = passed()
        threads = os.environ.get(THREADS, "")
        for name in names:
            words = command(self._folder, name, self._retries, self._runner)
            self._refs[name] = self._run.remote(words, variables, threads)

    def alive(self, name: str) -> bool:
        """Whether its task waits or runs."""
        ref = self._refs.get(name)
        return ref is not None and not self._ray.wait([ref], timeout=0)[0]

    def jobs(self) -> dict[str, str]:
        """None: Ray ends tasks with the process that asked for them."""
        return {}

    def close(self) -> None:
        """Leave the cluster."""
        if self._own:
            self._ray.shutdown()


def _run(words: Sequence[str], given: dict[str, str], threads: str) -> int:
    """The task: the trial's process, with the sweep's variables. Returns its exit code."""
    variables = {key: value for key, value in os.environ.items() if key != THREADS}
    variables |= given | ({THREADS: threads} if threads else {})
    return subprocess.run(words, env=variables).returncode
