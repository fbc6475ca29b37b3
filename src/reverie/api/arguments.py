"""Paths and names as Python gives them."""

import os
from collections.abc import Sequence
from pathlib import Path

from reverie.folder.address import local_path
from reverie.folder.mirror import run_path
from reverie.part.errors import ConfigError


def path_of(value: str | os.PathLike, name: str) -> Path:
    """`value` as a path. Raises ConfigError that names the argument."""
    if not isinstance(value, str | os.PathLike):
        raise ConfigError(f"{name} takes a folder's path, found {value!r}.")
    return Path(value)


def folder_of(value: str | os.PathLike, name: str = "logdir") -> Path:
    """The same, where `~` is the user's home. Raises ConfigError for a URL, too."""
    path_of(value, name)
    return local_path(value, name)


def run_of(value: str | os.PathLike, name: str = "logdir") -> Path:
    """A run folder to be read; a URL is fetched. Raises as `run_path` does."""
    path_of(value, name)
    return run_path(os.fspath(value))


def place_of(logdir: str | os.PathLike) -> str:
    """Where a run is written: a path or a URL, as text."""
    path_of(logdir, "logdir")
    return os.fspath(logdir)


def or_empty(name: str | Path | None) -> str:
    """The command line's word for "none named"; a preset's file by its path."""
    return "" if name is None else os.fspath(name) if isinstance(name, Path) else name


def names_of(allow: str | Sequence[str]) -> tuple[str, ...]:
    """One name or several, as several."""
    return (allow,) if isinstance(allow, str) else tuple(allow)
