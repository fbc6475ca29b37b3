"""The files of a shared agent, and where they may be written. Needs no JAX."""

import os
from pathlib import Path
from typing import NamedTuple

from reverie import files
from reverie.folder import shared
from reverie.folder.errors import RunError


class Bundle(NamedTuple):
    """The files of a shared agent by name, and what it has not, a sentence each."""

    contents: dict[str, bytes]
    notes: list[str]


def write(made: Bundle, folder: Path) -> None:
    """Write the files into a new or empty folder; config.json appears last.

    Raises RunError where there is something in it, or the disk refuses.
    """
    check_free(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in sorted(made.contents, key=lambda name: name == shared.CONFIG):
            files.write(folder / name, made.contents[name])
    except OSError as error:
        raise RunError(
            f"the folder {folder} cannot be written ({error.strerror or error}): name another one."
        ) from error


def check_free(folder: Path) -> None:
    """Raises RunError unless `folder` is not there yet, or empty."""
    if os.path.lexists(folder) and not (
        folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir())
    ):
        raise RunError(f"{folder} is there already and not an empty folder: name a new one.")
