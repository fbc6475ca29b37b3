"""What killed processes leave half written in a run folder."""

import shutil
from pathlib import Path

from reverie.folder.errors import RunError

PLACES = (
    (".", "config.partial"),
    (".", ".partial-*"),
    ("videos", ".partial-*"),
    ("checkpoints", ".partial-*"),
    ("replay", "*.safetensors.tmp"),
    ("replay", "share-*/*.safetensors.tmp"),
)
"""Folders of a run, and the names under which its files are written before they are whole."""


def remove(logdir: Path) -> None:
    """Delete half-written files of a run folder that this process has locked; links are not
    followed. Raises RunError if the folder cannot be changed."""
    try:
        for name, pattern in PLACES:
            folder = logdir / name
            if folder.is_dir() and not folder.is_symlink():
                for path in folder.glob(pattern):
                    _remove(path)
    except OSError as error:
        raise RunError(f"cannot tidy {logdir}: {error.strerror}.") from error


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
