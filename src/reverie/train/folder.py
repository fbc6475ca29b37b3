"""The run folder: who owns it, whether it fits the configuration, what it records."""

import errno
import fcntl
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from reverie.config import edit
from reverie.config.schema import Config
from reverie.part.errors import ConfigError
from reverie.train.errors import RunError

FREE = (
    "device.cache",
    "device.kind",
    "device.memory",
    "device.preallocate",
    "env.parallel",
    "env.restarts",
    "env.timeout",
    "env.workers",
    "explore.collect",
    "explore.evaluate",
    "explore.every",
    "explore.task",
    "explore.until",
    "log.",
    "logdir",
    "replay.gigabytes",
    "steps",
    "train.keep",
    "train.save_every",
)
"""Settings that may change between the parts of one run (prefixes of dotted paths)."""


def logdir_of(config: Config) -> Path:
    """The run folder that `config` means."""
    if config.logdir:
        return Path(config.logdir).expanduser()
    task = config.task.replace(":", "_").replace("/", "_")
    return Path("runs") / f"{task}-{config.agent}-{config.seed}"


def claim(logdir: Path):
    """Create the folder and lock it for this process; the open lock file.

    Raises RunError if it cannot be written or another process runs in it.
    """
    try:
        logdir.mkdir(parents=True, exist_ok=True)
        lock = (logdir / ".lock").open("a+b", buffering=0)
    except OSError as error:
        raise RunError(cannot_write(logdir, error)) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        owner = lock.read().decode(errors="replace").strip() or "unknown"
        lock.close()
        raise RunError(
            f"another process ({owner}) is running in {logdir}: wait for it, stop it, or choose "
            "another --logdir."
        ) from error
    try:
        lock.truncate(0)
        lock.write(str(os.getpid()).encode())
    except OSError as error:
        lock.close()
        raise RunError(cannot_write(logdir, error)) from error
    return lock


def cannot_write(logdir: Path, error: OSError) -> str:
    """The sentence about a run folder that refuses to be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"the disk of the run folder {logdir} is full: free some space there, or choose "
            "another --logdir."
        )
    return (
        f"the run folder {logdir} cannot be written ({error.strerror}): choose another --logdir "
        "or make it writable."
    )


def check_config(logdir: Path, config: Config) -> None:
    """Raises RunError if the folder belongs to a run with other settings than `config`."""
    path = logdir / "config.json"
    if path.is_file():
        check_same(logdir, read_config(path), config)


def write_config(logdir: Path, config: Config, facts: Sequence[tuple[str, str]]) -> None:
    """Record the resolved configuration, the versions, the command, and planned `facts`.

    Raises RunError if the folder cannot be written.
    """
    path = logdir / "config.json"
    record = {
        "config": edit.to_json(config),
        "versions": versions(),
        "command": sys.argv,
        "facts": [list(fact) for fact in facts],
    }
    partial = path.with_suffix(".partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            file.write(json.dumps(record, indent=1) + "\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise RunError(cannot_write(logdir, error)) from error


def read_config(path: Path) -> Config:
    """The configuration stored in a run folder. Raises RunError if it cannot be read."""
    try:
        return edit.from_json(json.loads(path.read_text(encoding="utf-8"))["config"])
    except (OSError, ValueError, KeyError, TypeError, ConfigError) as error:
        raise RunError(
            f"{path} is not the configuration of a run of this version "
            f"({type(error).__name__}: {error}); choose another --logdir."
        ) from error


def check_same(logdir: Path, old: Config, new: Config) -> None:
    """Raises RunError naming the settings in which two configurations of one run disagree."""
    differences = {
        path: pair for path, pair in edit.diff(old, new).items() if not path.startswith(FREE)
    }
    if differences:
        told = "; ".join(f"{p} is {a!r} there and {b!r} here" for p, (a, b) in differences.items())
        raise RunError(
            f"the run folder {logdir} belongs to another configuration: {told}. Give the same "
            "options to resume it, or another --logdir for a new run."
        )


def versions() -> dict[str, str]:
    """Versions that numbers may depend on."""
    names = ("reverie", "jax", "jaxlib", "equinox", "optax", "numpy", "gymnasium")
    simulators = ("ale-py", "dm-control", "mujoco", "minigrid")
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in (*names, *simulators):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
