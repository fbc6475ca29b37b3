"""Several processes that learn one run: how they find each other (`jax.distributed`).

This module imports JAX only inside functions: they must meet before JAX starts its devices.
"""

import os
import re
import socket
import threading
import time
from collections.abc import Mapping
from typing import NamedTuple

from reverie.config.run import DeviceConfig
from reverie.machine import inherited
from reverie.machine.device import environment
from reverie.part.errors import ConfigError

ENV = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")
SLURM = ("SLURM_JOB_ID", "SLURM_STEP_NODELIST", "SLURM_NTASKS", "SLURM_PROCID")
PORTS = 2**12
"""Ports, the last there are, of which a job's number chooses one under SLURM; as JAX does."""

HEARTBEAT = 120
"""Seconds after which JAX ends a process because another one has died."""

PAUSE = 0.5
"""Seconds between two tries to reach the coordinator."""


class Place(NamedTuple):
    """One process among those that learn together."""

    address: str  # HOST:PORT of process 0
    count: int
    index: int


def place_of(device: DeviceConfig, variables: Mapping[str, str] = os.environ) -> Place | None:
    """Which process this is, by options, SLURM or the environment; None: it learns alone.

    Raises ConfigError for what is missing or cannot be.
    """
    match device.coordinator:
        case "":
            return None
        case "slurm":
            job, nodes, count, index = _told(variables, SLURM, "a job step that srun started")
            port = 65_536 - PORTS + int(job) % PORTS
            return _checked(f"{_first_host(nodes)}:{port}", count, index, "SLURM's variables")
        case "env":
            what = "the variables that JAX reads"
            where, count, index = _told(variables, ENV, what)
            return _checked(where, count, index, "the variables JAX_*")
        case address:
            here = "device.processes and device.process"
            return _checked(address, str(device.processes), str(device.process), here)


def _told(variables: Mapping[str, str], names: tuple[str, ...], what: str) -> list[str]:
    missing = [name for name in names if not variables.get(name)]
    if missing:
        raise ConfigError(
            f"--device.coordinator takes {what}: {', '.join(names)}; not set here: "
            f"{', '.join(missing)}. Set them, or give --device.coordinator HOST:PORT with "
            "--device.processes and --device.process."
        )
    return [variables[name] for name in names]


def _first_host(nodes: str) -> str:
    """`node[001-015],other` -> node001"""
    found = re.match(r"([^,\[]+)(?:\[([^,\-\]]+))?", nodes)
    return "".join(part or "" for part in found.groups()) if found else nodes


def _checked(address: str, count: str, index: str, source: str) -> Place:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise ConfigError(
            "the coordinator's address must be HOST:PORT, such as 10.0.0.1:12345, found "
            f"{address!r}."
        )
    known = re.fullmatch(r"\d+", count) and re.fullmatch(r"\d+", index)
    if not known or not 0 <= int(index) < int(count):
        raise ConfigError(
            f"{source} say process {index} of {count}: the number of processes must be at least 1, "
            "and they are numbered from 0 to one less."
        )
    return Place(address, int(count), int(index))


def join(device: DeviceConfig) -> None:
    """Meet the other processes of a run, where `device` asks for it. Call it before JAX computes.

    Raises ConfigError where they do not come in time: after how long, where, and what was tried.
    """
    place = place_of(device)
    if place is None:
        return
    os.environ.update(environment(device))
    inherited.start_jax()
    import jax

    if jax.distributed.is_initialized():
        return
    begin = time.monotonic()
    if place.index:
        _reach(place, device.wait)
    failed: list[Exception] = []
    thread = threading.Thread(target=_initialize, args=(place, failed), daemon=True)
    thread.start()
    thread.join(max(1.0, device.wait - (time.monotonic() - begin)))
    if failed:
        said = str(failed[0]).strip().splitlines()[0]
        raise ConfigError(f"{_who(place)} cannot begin at {place.address} ({said}).")
    if thread.is_alive():
        others = f"not all of the {place.count} processes came to {place.address}"
        raise ConfigError(
            f"{_who(place)} waited {device.wait:g} s, and {others}: start the others with the same "
            "command and their own --device.process, or give more --device.wait."
        )


def follows() -> bool:
    """Whether this is one of several processes, and not the first, which tells of the run."""
    import jax

    return jax.distributed.is_initialized() and jax.process_index() > 0


def _initialize(place: Place, failed: list[Exception]) -> None:
    import jax

    try:
        jax.distributed.initialize(
            *place,
            cluster_detection_method="deactivate",
            initialization_timeout=10**6,  # JAX would end the process, without a sentence
            heartbeat_timeout_seconds=HEARTBEAT,
        )
    except Exception as error:
        failed.append(error)


def _reach(place: Place, wait: float) -> None:
    """Wait until somebody listens at the address; JAX itself would end the process."""
    host, _, port = place.address.rpartition(":")
    begin, tries = time.monotonic(), 0
    while True:
        try:
            tries += 1
            with socket.create_connection((host.strip("[]"), int(port)), timeout=max(1.0, wait)):
                return
        except OSError as error:
            if time.monotonic() - begin + PAUSE > wait:
                raise ConfigError(
                    f"{_who(place)} did not reach the coordinator {place.address} within "
                    f"{wait:g} s: {tries} connections were tried, the last one failed with "
                    f"{error.strerror or error}. Start process 0 there, see that this machine may "
                    "reach that port, or give more --device.wait."
                ) from error
        time.sleep(PAUSE)


def _who(place: Place) -> str:
    return f"process {place.index} of {place.count}"
