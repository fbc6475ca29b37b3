"""Files of a run folder, opened only as what they should be: plain files and true folders.

A run folder may come from somebody else. A link in it could name any file of the reader, a pipe
would be waited for without end, a sparse file would fill the memory: whatever reads or writes a
file of a run folder goes through here.
"""

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

DEEPEST = 40
"""Levels of nested JSON that are read."""
TREE_BYTES = 1 << 28
"""Most bytes of a checkpoint's JSON."""
CONFIG_BYTES = 1 << 22
"""Most bytes of a config.json."""

_CLOSED = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_KINDS = {
    stat.S_IFLNK: "a link, and links inside a run folder are not followed",
    stat.S_IFIFO: "a pipe, not a plain file",
    stat.S_IFSOCK: "a socket, not a plain file",
    stat.S_IFCHR: "a device, not a plain file",
    stat.S_IFBLK: "a device, not a plain file",
    stat.S_IFDIR: "a folder, not a plain file",
}


class NotPlain(OSError):
    """Something else than the plain file or folder of that name, or one that is too large."""

    def __init__(self, path: Path | str, what: str):
        OSError.__init__(self, errno.EINVAL, what, str(path))

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"


def open_to_read(path: Path | str) -> BinaryIO:
    """A plain file for reading. Raises NotPlain for anything else, OSError where it is missing."""
    return os.fdopen(_open(path, os.O_RDONLY), "rb")


def open_to_append(path: Path | str) -> BinaryIO:
    """A plain file for reading and for writing at its end, made if there is none; unbuffered.

    Raises NotPlain for anything else, also where the file has a second name elsewhere.
    """
    handle = _open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
    if os.fstat(handle).st_nlink > 1:
        os.close(handle)
        raise NotPlain(
            path,
            "it has a second name elsewhere (a hard link), and writing would change that file "
            "too: put a copy of it in its place",
        )
    return os.fdopen(handle, "a+b", buffering=0)


def create(path: Path | str) -> BinaryIO:
    """A new file in place of what had that name: a link is removed, never followed."""
    Path(path).unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _CLOSED, 0o666)
    return os.fdopen(handle, "wb")


def write(path: Path, data: bytes) -> None:
    """A new file with this content, durable on return."""
    with create(path) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace(path: Path, data: bytes, *, partial: Path) -> None:
    """`data` under `path`, complete or not at all, also after a power cut; it is written as
    `partial` first, which does not stay where that fails."""
    try:
        write(partial, data)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(path: Path | str, most: int) -> bytes:
    """The content of a plain file. Raises NotPlain where it has more than `most` bytes."""
    with open_to_read(path) as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(most + 1) if size <= most else b""
    if max(size, len(data)) > most:
        raise NotPlain(path, f"it has {size:,} bytes, more than the {most:,} that are read")
    return data


def read_json(path: Path | str, most: int) -> Any:
    """The value that a plain file of JSON holds.

    Raises NotPlain as `read` does, ValueError where it is no JSON or nested too deeply.
    """
    return parse_json(read(path, most))


def parse_json(data: bytes) -> Any:
    """The value that JSON bytes hold. Raises ValueError where it is none or nested too deeply."""
    try:
        value = json.loads(data)
    except RecursionError:
        value = ...
    if value is ... or _deeper(value, DEEPEST):
        raise ValueError(f"nested more than {DEEPEST} levels deep")
    return value


def _deeper(value: Any, levels: int) -> bool:
    """Whether a JSON value has more than so many levels."""
    layer = [value]
    for _ in range(levels):
        layer = [
            part
            for item in layer
            if isinstance(item, dict | list)
            for part in (item.values() if isinstance(item, dict) else item)
        ]
        if not layer:
            return False
    return True


def check_plain(path: Path | str) -> None:
    """Raises NotPlain unless `path` is a plain file, OSError where it is missing."""
    _require(path, os.lstat(path), stat.S_IFREG)


def check_folder(path: Path | str) -> None:
    """Raises NotPlain where `path` is a link, which may lead to a folder elsewhere."""
    if Path(path).is_symlink():
        _require(path, os.lstat(path), stat.S_IFDIR)


def _open(path: Path | str, flags: int) -> int:
    """A descriptor of a plain file; devices and pipes are not even opened."""
    if os.path.lexists(path):
        check_plain(path)
    try:
        handle = os.open(path, flags | _CLOSED, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotPlain(path, f"it is {_KINDS[stat.S_IFLNK]}") from None
        raise
    try:
        _require(path, os.fstat(handle), stat.S_IFREG)
    except NotPlain:
        os.close(handle)
        raise
    return handle


def _require(path: Path | str, found: os.stat_result, kind: int) -> None:
    if stat.S_IFMT(found.st_mode) != kind:
        raise NotPlain(path, f"it is {_KINDS.get(stat.S_IFMT(found.st_mode), 'no plain file')}")
