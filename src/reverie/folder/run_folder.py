"""The run folder: who owns it, whether it fits the configuration, what it records."""

import errno
import importlib.metadata
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reverie import files
from reverie.config import edit
from reverie.config.reader import DEVICE
from reverie.config.schema import Config
from reverie.folder import address, digest, divergence, shared
from reverie.folder.errors import RunError
from reverie.folder.lock import Lock
from reverie.part.errors import ConfigError
from reverie.part.saved import NotAllowed, modules_of

MACHINE = (
    *DEVICE,
    "env.backend",
    "env.parallel",
    "env.restarts",
    "env.timeout",
    "env.workers",
    "log.progress",
    "logdir",
    "replay.gigabytes",
    "steps",
    "train.chunk",
)
"""Settings that may change between the parts of one run: how far, where and how fast it goes.
Nothing is said of them. (These and `FREE` are prefixes of dotted paths.)"""

FREE = (
    "explore.collect",
    "explore.evaluate",
    "explore.every",
    "explore.task",
    "explore.until",
    "log.",
    "train.eval_",
    "train.keep",
    "train.log_every",
    "train.loop",
    "train.report_",
    "train.save_every",
    "train.video_every",
)
"""Settings that may change too, and whose changes config.json records: what is evaluated, logged
and saved, and who acts."""


def logdir_of(config: Config) -> Path:
    """The run folder that `config` means, as an absolute path: simulators change the folder.

    Of a URL the folder on this machine where its run is worked on. Raises ConfigError for a URL
    that names no folder.
    """
    if address.is_url(config.logdir):
        return address.working_folder(address.checked(config.logdir))
    if config.logdir:
        return Path(config.logdir).expanduser().absolute()
    task = config.task.replace(":", "_").replace("/", "_")
    return Path("runs").absolute() / f"{task}-{config.agent}-{config.seed}"


def place_of(config: Config) -> str:
    """What config.json calls the run folder: its absolute path, or the URL that was given."""
    if address.is_url(config.logdir):
        return address.checked(config.logdir)
    return str(logdir_of(config))


def claim(logdir: Path) -> Lock:
    """Create the folder and lock it for this process.

    Raises RunError if it cannot be written, another process runs in it, or it is a shared agent.
    """
    if shared.is_shared(logdir):
        raise RunError(shared.no_run(logdir))
    try:
        logdir.mkdir(parents=True, exist_ok=True)
        return Lock(logdir)
    except OSError as error:
        raise RunError(cannot_write(logdir, error)) from error


def cannot_write(logdir: Path, error: OSError) -> str:
    """The sentence about a run folder that refuses to be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"the disk of the run folder {logdir} is full: free some space there, or choose "
            "another --logdir."
        )
    what = str(error) if isinstance(error, files.NotPlain) else error.strerror
    return (
        f"the run folder {logdir} cannot be written ({what}): choose another --logdir "
        "or make it writable."
    )


Changes = dict[str, list[Any]]
"""Settings that were changed on the way: dotted path -> [before, now]."""


def check_config(logdir: Path, config: Config) -> Changes:
    """The settings of a run that `config` changes and that are worth recording: those of `FREE`,
    and after a stop on its numbers those that mend it (see `divergence.py`).

    Raises RunError if the folder belongs to a run with other settings than `config`.
    """
    path = logdir / "config.json"
    if not os.path.lexists(path):
        return {}
    mending = divergence.MENDING if divergence.stopped(logdir) else ()
    return check_same(logdir, read_config(path, modules_of(config)), config, mending)


def check_source(logdir: Path, source: str) -> None:
    """Raises RunError if the default folder `logdir` was learned on another callable.

    `source` is the `identity` of the callable; '' where the task's name alone decides.
    """
    try:
        data = (logdir / "config.json").read_bytes()
        there = digest.sealed(data, "config.json", digest.CONFIG).get("source", "")
    except (OSError, ValueError, TypeError, digest.Damage):
        return  # no run yet, or one that `check_config` speaks of
    if source and there != source:
        raise RunError(
            f"the default run folder {logdir} belongs to another environment of that name "
            f"({there or 'its folder does not say which'}; here {source}): give logdir, this "
            "folder to go on with its agent, or another one for a new run."
        )


def refused(error: OSError) -> str:
    """The sentence about a refusal of the system that nobody nearer to it foresaw."""
    where = f" ({error.filename})" if error.filename else ""
    return (
        f"the run cannot go on: {error.strerror or error}{where}. Checkpoints before this are "
        "intact; put that right, then give the same command again to resume."
    )


def write_config(
    logdir: Path,
    config: Config,
    facts: Sequence[tuple[str, str]],
    change: Mapping[str, Any] | None = None,
    *,
    source: str = "",
    init: Mapping[str, Any] | None = None,
    group: Mapping[str, Any] | None = None,
) -> None:
    """Record the resolved configuration, the versions, the command, planned `facts`, the
    `identity` of a callable that makes the environments (`source`), and, after those recorded
    before, a `change` of settings on the way; `init`: the weights that it began from;
    `group`: the seeds that it is learned with in one process.

    Raises RunError if the folder cannot be written.
    """
    path = logdir / "config.json"
    try:
        before = read_changes(path) if path.is_file() else []
    except OSError as error:
        raise RunError(cannot_write(logdir, error)) from error
    changes = [*before, *([change] if change else ())]
    record = {
        "config": edit.to_json(config),
        "versions": versions(),
        "command": sys.argv,
        "facts": [list(fact) for fact in facts],
        "source": source,
    }
    record |= {"changes": changes} if changes else {}
    record |= {"init": dict(init)} if init else {}
    record |= {"group": dict(group)} if group else {}
    try:
        files.replace(path, digest.seal(record), partial=path.with_suffix(".partial"))
    except OSError as error:
        raise RunError(cannot_write(logdir, error)) from error


def read_changes(path: Path) -> list[dict[str, Any]]:
    """Changes of settings on the way that a config.json records: `step`, and the settings."""
    found = _record(path).get("changes", [])
    return found if isinstance(found, list) else []


def read_init(path: Path) -> dict[str, Any]:
    """The weights that the run of a config.json began from, as recorded; {} for fresh ones."""
    return _origin(path, "init")


def read_group(path: Path) -> dict[str, Any]:
    """The group of seeds that the run of a config.json belongs to, as recorded; {} for none."""
    try:
        return _origin(path, "group")
    except (OSError, ValueError, digest.Damage):
        return {}  # `check_config` speaks of it


def _origin(path: Path, name: str) -> dict[str, Any]:
    found = _record(path).get(name, {}) if path.is_file() else {}
    return found if isinstance(found, dict) else {}


def _record(path: Path) -> dict[str, Any]:
    return digest.sealed(files.read(path, files.CONFIG_BYTES), path.name, digest.CONFIG)


def read_config(path: Path, allow: Sequence[str] = ()) -> Config:
    """The configuration stored in a run folder.

    Raises RunError if it cannot be read, or names a part of a package that `allow` does not name.
    """
    try:
        data = files.read(path, files.CONFIG_BYTES)
        tree = digest.sealed(data, path.name, digest.CONFIG)["config"]
        return edit.from_json(tree, allow=allow)
    except digest.Damage as error:
        raise RunError(f"{path.parent / str(error)}. {_REMEDY}") from error
    except NotAllowed as error:
        raise RunError(f"{path}: {error}") from error
    except (OSError, ValueError, KeyError, TypeError, ConfigError) as error:
        raise RunError(
            f"{path} is not the configuration of a run of this version "
            f"({type(error).__name__}: {error}); choose another --logdir."
        ) from error


_REMEDY = (
    "Put the original back; if it was changed on purpose, delete its line with the digest; or "
    "choose another --logdir."
)


def check_same(logdir: Path, old: Config, new: Config, mending: Sequence[str] = ()) -> Changes:
    """The settings of `FREE` and `mending` in which two configurations of one run disagree.

    Raises RunError naming settings that may not change and do.
    """
    differences = {
        path: list(pair)
        for path, pair in edit.diff(old, new).items()
        if not path.startswith(MACHINE)
    }
    refused = {
        path: pair
        for path, pair in differences.items()
        if not path.startswith(FREE) and path not in mending
    }
    if refused:
        told = "; ".join(f"{p} is {a!r} there and {b!r} here" for p, (a, b) in refused.items())
        raise RunError(
            f"the run folder {logdir} belongs to another configuration: {told}. Give the same "
            "options to resume it, or another --logdir for a new run, which --init lets start from "
            "the weights of this one."
        )
    return differences


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
