"""Checkpoints that stay: `checkpoints/NAME/STEP`."""

import os
import shutil
from pathlib import Path

from reverie import files
from reverie.folder.errors import RunError
from reverie.train import checkpoint


def keep(path: Path, name: str) -> Path:
    """The complete checkpoint `path` again, as `NAME/STEP` beside the others, where `prune` does
    not come; the one kept there before goes. It shares its bytes with `path` where the disk can.

    Raises RunError if the disk refuses; the one before is still there then.
    """
    folder = path.with_name(name)
    final, partial = folder / path.name, folder / f".partial-{path.name}-{os.getpid()}"
    try:
        folder.mkdir(exist_ok=True)
        files.check_folder(folder)
        checkpoint.remove_all(folder.glob(".partial-*"))
        partial.mkdir()
        for file in sorted(path.iterdir()):
            _link(file, partial / file.name)
        files.sync_folder(partial)
        if os.path.lexists(final):
            checkpoint.set_aside(final)
        partial.rename(final)
        files.sync_folder(folder)
        for other in checkpoint.complete(folder):
            if other != final:
                checkpoint.set_aside(other)
        checkpoint.remove_all(folder.glob(".aside-*"))
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise RunError(checkpoint.disk_sentence(final, error)) from error
    return final


def _link(source: Path, target: Path) -> None:
    """A second name for a file, or a copy where the file system has none."""
    files.check_plain(source)
    try:
        target.hardlink_to(source)
    except OSError:
        with files.open_to_read(source) as there, files.create(target) as here:
            shutil.copyfileobj(there, here)
            here.flush()
            os.fsync(here.fileno())
