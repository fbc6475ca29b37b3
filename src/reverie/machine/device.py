"""The device of a run: what JAX must know before it starts, and whether it is there.

This module imports JAX only inside functions: the choice of the platform and of its memory are
environment variables that JAX reads once.
"""

import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from reverie.config.run import DeviceConfig
from reverie.machine import inherited, xla_flags
from reverie.part.errors import ConfigError

PLATFORMS = {"cpu": "cpu", "gpu": "cuda,cpu", "tpu": "tpu,cpu"}
"""What JAX_PLATFORMS says for each kind; the first one is where arrays live by default."""

PREALLOCATE = "XLA_PYTHON_CLIENT_PREALLOCATE"
MEMORY = "XLA_CLIENT_MEM_FRACTION"
OLD_MEMORY = "XLA_PYTHON_CLIENT_MEM_FRACTION"
"""Variables that JAX reads about a GPU's memory."""

WORTH_KEEPING = 0.02
"""Seconds of compiling from which on a program is kept; JAX's own 1.0 leaves out the dozens of
small ones that every start needs."""


def environment(device: DeviceConfig) -> dict[str, str]:
    """The environment variables that `device` asks for.

    `auto` leaves the platform to JAX (or to JAX_PLATFORMS, if the user has set it), and what is
    left at its default leaves memory to JAX's own variables where the user has set them.
    """
    chosen = {}
    if device.preallocate or PREALLOCATE not in os.environ:
        chosen[PREALLOCATE] = "true" if device.preallocate else "false"
    if device.kind != "auto":
        chosen["JAX_PLATFORMS"] = PLATFORMS[device.kind]
    if device.memory:
        chosen[MEMORY] = f"{device.memory:g}"
    return chosen


def prepare(device: DeviceConfig) -> str:
    """Starts JAX on the device that the configuration asks for, with its cache of programs.

    Call it before anything else touches a JAX array: a platform cannot change afterwards.

    Returns:
        The platform that computes: cpu, gpu or tpu.

    Raises:
        ConfigError: the device is not there, or JAX already runs on another one or with other
            flags.
    """
    chosen = environment(device)
    if MEMORY in chosen:
        os.environ.pop(OLD_MEMORY, None)  # JAX refuses both
    os.environ.update(chosen)
    early = "jax" in sys.modules
    inherited.check_variables()
    flags = _add_flags(device)
    inherited.import_jax()
    import jax

    if early and device.kind != "auto":
        jax.config.update("jax_platforms", PLATFORMS[device.kind])
    try:
        found = jax.default_backend()
    except Exception as error:  # an AssertionError without a word, for one
        raise ConfigError(_no_backend(device.kind, error)) from error
    if device.kind not in ("auto", found):
        raise ConfigError(_other(device.kind, found, early))
    if found != "gpu":
        _tell_idle(device, found)
    elif early and flags.options and not xla_flags.in_force():
        xla_flags.put(flags.before)
        raise ConfigError(_late(flags.options))
    _cache(device.cache)
    return found


def _add_flags(device: DeviceConfig) -> xla_flags.Wanted:
    """Adds what `device` needs to XLA_FLAGS, and says where the user's own flags win."""
    flags = xla_flags.wanted(device if device.kind in ("auto", "gpu") else DeviceConfig())
    for conflict in flags.conflicts:
        warnings.warn(conflict, stacklevel=3)
    if flags.options:
        xla_flags.put(flags.variable)
    return flags


def _tell_idle(device: DeviceConfig, found: str) -> None:
    """Says which options were set that matter on a GPU alone."""
    asked = {
        "command_buffers": device.command_buffers not in ("auto", "none"),
        "deterministic": device.deterministic,
        "memory": device.memory > 0,
        "preallocate": device.preallocate,
    }
    idle = [f"device.{name}" for name, there in asked.items() if there]
    if idle:
        sentence = f"{' and '.join(idle)}: of no effect on the {found}, for GPUs alone."
        warnings.warn(sentence, stacklevel=3)


def _late(added: Sequence[str]) -> str:
    return (
        f"{' and '.join(added)} comes too late: XLA has read its flags in this process. Choose it "
        "before the first array, or start a new process."
    )


def _other(kind: str, found: str, early: bool) -> str:
    """Why JAX computes on `found` although `kind` was asked for."""
    if early and _is_there(kind):
        return (
            f"device.kind is {kind!r}, but JAX already runs on {found!r} in this process: choose "
            "the device before the first array, or start a new process."
        )
    return _missing(kind, f"only {found}")


def _no_backend(kind: str, error: Exception) -> str:
    """Why JAX finds no device: the option asked for it, or a variable that was inherited did."""
    platforms = os.environ.get("JAX_PLATFORMS")
    if kind != "auto" or not platforms:
        return _missing(kind, str(error)) if kind != "auto" else inherited.blame(error)
    said = str(error).strip().splitlines()
    reason = f" ({said[0].partition(' (set ')[0].rstrip('.')})" if said else ""
    return (
        f"the variable JAX_PLATFORMS is {platforms!r}, but JAX finds no such device here{reason}: "
        "unset it, set it to cpu, or choose with --device.kind cpu."
    )


def _is_there(kind: str) -> bool:
    import jax

    try:
        return len(jax.devices(kind)) > 0
    except RuntimeError:
        return False


def _missing(kind: str, reason: str) -> str:
    extra = "; for an NVIDIA GPU install 'reverie[cuda]'" if kind == "gpu" else ""
    lines = reason.strip().splitlines()
    said = lines[0].partition(" (set ")[0].rstrip(".") if lines else "no reason given"
    return (
        f"device.kind is {kind!r}, but JAX finds no such device here ({said}){extra}, or pass "
        "--device.kind auto."
    )


def _cache(folder: str) -> None:
    """Points JAX to the folder of compiled programs; an unusable one costs compile time only.

    JAX_COMPILATION_CACHE_DIR is obeyed where the option is left at its default.
    """
    import jax

    name, inherit = "device.cache", os.environ.get("JAX_COMPILATION_CACHE_DIR")
    if inherit and folder == DeviceConfig().cache:
        name, folder = "the variable JAX_COMPILATION_CACHE_DIR,", inherit
    if not folder:
        return
    if "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS" not in os.environ:
        jax.config.update("jax_persistent_cache_min_compile_time_secs", WORTH_KEEPING)
    bucket = "://" in folder
    path = folder if bucket else str(Path(folder).expanduser().absolute())
    if bucket or _writable(Path(path)):
        jax.config.update("jax_compilation_cache_dir", path)
        return
    warnings.warn(
        f"{name} {path!r} cannot be written, so programs are compiled anew.", stacklevel=2
    )
    jax.config.update("jax_compilation_cache_dir", None)


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return os.access(folder, os.W_OK)
    except OSError:
        return False
