"""The run folder: who owns it, whether it fits the configuration, what it records."""

import fcntl
import importlib.metadata
import json
import os
import platform
import sys
from pathlib import Path

from reverie.config import edit
from reverie.config.schema import Config, ConfigError
from reverie.train.errors import RunError

FREE = ("log.", "device.", "train.save_every", "train.keep", "logdir", "steps", "env.parallel")
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
        lock = (logdir / ".lock").open("a+")
    except OSError as error:
        raise RunError(
            f"the run folder {logdir} cannot be written ({error.strerror}): choose another "
            "--logdir or make it writable."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        raise RunError(
            f"another process ({owner}) is running in {logdir}: wait for it, stop it, or choose "
            "another --logdir."
        ) from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def settle_config(logdir: Path, config: Config) -> None:
    """Check the folder's configuration against `config`, then write the resolved one.

    Raises RunError if the folder belongs to a run with other settings.
    """
    path = logdir / "config.json"
    if path.is_file():
        check_same(logdir, read_config(path), config)
    record = {"config": edit.to_json(config), "versions": versions(), "command": sys.argv}
    partial = path.with_suffix(".partial")
    try:
        partial.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror}.") from error


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
