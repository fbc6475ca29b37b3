"""One process at a time in a run folder.

The folder itself is locked, so that deleting a file in it lets nobody else in. `.lock` names the
process, and is locked too: for version 0.1, which locks only that, and for file systems (NFS) that
lock files but no folders.
"""

import errno
import fcntl
import os
from pathlib import Path

from reverie.folder.errors import RunError

NAME = ".lock"
TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
"""What the system says where another process holds a lock."""
_PLAIN = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class Lock:
    """A run folder that belongs to this process until `close`.

    Raises OSError if the folder cannot be opened or written, RunError if another process runs in
    it.
    """

    def __init__(self, logdir: Path):
        self.notices: list[str] = []
        self._handles = [os.open(logdir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)]
        try:
            flags = os.O_RDWR | os.O_CREAT | _PLAIN
            self._handles.append(os.open(logdir / NAME, flags, 0o644))
            self._take(logdir)
            os.ftruncate(self._handles[1], 0)
            os.pwrite(self._handles[1], str(os.getpid()).encode(), 0)
        except BaseException:
            self.close()
            raise

    def _take(self, logdir: Path) -> None:
        failed = []
        for handle in self._handles:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno in TAKEN:
                    raise RunError(self._taken(logdir)) from error
                failed.append(error)
        if len(failed) == len(self._handles):
            self.notices.append(
                f"the file system of {logdir} cannot lock files ({failed[0].strerror}): the run "
                "goes on, but a second process in this folder would not be noticed. Make sure that "
                "there is none, or choose a --logdir on another disk."
            )

    def _taken(self, logdir: Path) -> str:
        owner = os.pread(self._handles[1], 20, 0).decode(errors="replace").strip()
        process = f"another process ({owner})" if owner.isdigit() else "another process"
        return (
            f"{process} is running in {logdir}: wait for it, stop it, or choose another --logdir."
        )

    def close(self) -> None:
        """Let others in."""
        while self._handles:
            os.close(self._handles.pop())

    def __enter__(self) -> "Lock":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
