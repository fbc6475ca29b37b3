"""A start that fails leaves no folder that was not there before."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from reverie.folder.errors import RunError
from reverie.folder.run_folder import claim


@contextlib.contextmanager
def taken_back(logdir: Path) -> Iterator[None]:
    """Removes the run folder `logdir`, and parents made for it, where what is done within fails
    before `config.json` is written: from there on it is a run, and stays."""
    made = [path for path in (logdir, *logdir.parents) if not path.exists()]
    try:
        yield
    except BaseException:
        if made and logdir.is_dir():
            _remove(logdir)
        for path in made:
            with contextlib.suppress(OSError):
                path.rmdir()  # only where it is empty
        raise


def _remove(logdir: Path) -> None:
    """Deletes what a start left, unless it is a run or another process has taken the folder."""
    with contextlib.suppress(RunError, OSError), claim(logdir):
        if not (logdir / "config.json").exists():
            shutil.rmtree(logdir, ignore_errors=True)
