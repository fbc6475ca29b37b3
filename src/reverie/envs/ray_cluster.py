"""A cluster of Ray: which one, how it is joined, and what its processes take from this one."""

import importlib
import os
import signal
import socket
import threading
from typing import Any

from reverie.envs.base import EnvError
from reverie.envs.faults import short

ADDRESS = "RAY_ADDRESS"
"""Ray's own variable that names a cluster."""
REACH = 10.0
"""Seconds that an address gets to answer."""
PASSED = ("JAX_", "XLA_", "MUJOCO_", "SDL_", "PYTHONPATH", "REVERIE_")
"""Beginnings of the variables that processes take from the run, wherever they are started."""


def passed() -> dict[str, str]:
    """The variables of this process that hold on every machine of a cluster."""
    return {key: value for key, value in os.environ.items() if key.startswith(PASSED)}


def connect(what: str) -> Any:
    """The package ray, which `what` needs, connected to a cluster.

    That is the one which RAY_ADDRESS names, else one that runs on this machine, else one of our
    own, which ends with this process. Raises EnvError where Ray is missing or not reached.
    """
    try:
        ray = importlib.import_module("ray")
    except ImportError as error:
        raise EnvError(f"{what} needs the package ray: pip install 'reverie[ray]'.") from error
    if ray.is_initialized():
        return ray
    address = os.environ.get(ADDRESS, "")
    _reach(address)
    on_term = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(log_to_driver=False, logging_level="ERROR", include_dashboard=False)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        raise EnvError(
            f"no Ray cluster could be joined or started ({short(str(error))}); {ADDRESS} is "
            f"{address or 'not set'}."
        ) from error
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, on_term or signal.SIG_DFL)  # a stop is the run's affair
    return ray


def _reach(address: str) -> None:
    """Ray itself waits for minutes where nobody answers, and says it in many lines."""
    if address in ("", "auto", "local"):
        return
    host, _, port = address.split("://", 1)[-1].rpartition(":")
    if not host or not port.isdecimal():
        raise EnvError(
            f"{ADDRESS} is {address!r}, expected HOST:PORT, ray://HOST:PORT, auto or local."
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), REACH).close()
    except (OSError, OverflowError) as error:
        raise EnvError(
            f"the Ray cluster at {address} ({ADDRESS}) was not reached within {REACH:g} seconds "
            f"({error}): start it there (ray start --head), correct the address, or unset "
            f"{ADDRESS} for a cluster on this machine."
        ) from error
