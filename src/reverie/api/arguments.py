"""Paths and names as Python gives them."""

import os
from collections.abc import Sequence
from pathlib import Path

from reverie.part.errors import ConfigError


def path_of(value: str | os.PathLike, name: str) -> Path:
    """`value` as a path. Raises ConfigError that names the argument."""
    if not isinstance(value, str | os.PathLike):
        raise ConfigError(f"{name} takes a folder's path, found {value!r}.")
    return Path(value)


def folder_of(value: str | os.PathLike, name: str = "logdir") -> Path:
    """The same, where `~` is the user's home."""
    return path_of(value, name).expanduser()


def or_empty(name: str | Path | None) -> str:
    """The command line's word for "none named"; a preset's file by its path."""
    return "" if name is None else os.fspath(name) if isinstance(name, Path) else name


def names_of(allow: str | Sequence[str]) -> tuple[str, ...]:
    """One name or several, as several."""
    return (allow,) if isinstance(allow, str) else tuple(allow)
