"""The store on disk, at the cost of what changed.

A file holds one group of columns of one block of slots, or a block of a table of the other parts
(units, keys): safetensors, named by group, block and the digest of its content. A name therefore
never stands for two contents: nothing that an earlier manifest refers to is ever modified, a file
that appears is complete, and damage is noticed.
"""

import errno
import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors.numpy

from reverie.files import check_folder, replace, sync_folder
from reverie.files import read as read_plain
from reverie.replay.errors import ReplayError
from reverie.replay.rows import BFLOAT16, Column
from reverie.replay.store import Store

_OURS = re.compile(r"(fixed|mutable|table)-\d{6}-[0-9a-f]{32}\.safetensors(\.tmp)?")


TABLE = "table:"
"""Begins the name of a table among the groups of a manifest."""

TABLE_BYTES = 1 << 20
"""Size of a file of a table: it is written again if any of its bytes changed."""


class Entry(NamedTuple):
    """One file of a manifest."""

    name: str
    nbytes: int


class Archive:
    """Writes the changed blocks of a store into a folder and reads them back."""

    def __init__(self, store: Store):
        self._store = store
        self._entries: dict[str, dict[int, Entry]] = {group: {} for group in store.groups}

    def save(
        self, folder: Path, tables: Mapping[str, np.ndarray] | None = None
    ) -> dict[str, list[list[Any]]]:
        """The list `[block, file name, bytes]` of every group and table, after writing what is not
        yet in `folder`. A block is written only if it changed or its file is gone.

        Raises ReplayError if the disk is full or refuses; earlier files are untouched then, and
        the next save tries again.
        """
        try:
            check_folder(folder)
            folder.mkdir(parents=True, exist_ok=True)
            sizes = {item.name: item.stat().st_size for item in folder.iterdir()}
            entries = self._write_changed(folder, sizes)
            listed = {
                TABLE + name: _write_table(folder, sizes, array)
                for name, array in sorted((tables or {}).items())
            }
            sync_folder(folder)
        except OSError as error:
            raise ReplayError(_disk_sentence(folder, error)) from error
        self._settle(entries)
        return {
            group: [[block, *entry] for block, entry in sorted(blocks.items())]
            for group, blocks in (entries | listed).items()
        }

    def load(self, folder: Path, files: dict[str, list[list[Any]]]) -> dict[str, np.ndarray]:
        """Fill the store with the files of a manifest; its tables.

        Raises ReplayError, naming the file, if one is missing, truncated, damaged or of another
        layout; the store holds an undefined mixture then.
        """
        entries = {
            group: {int(block): Entry(str(name), int(nbytes)) for block, name, nbytes in listed}
            for group, listed in files.items()
        }
        for blocks in entries.values():
            for entry in blocks.values():
                _check_size(folder, entry)
        tables = {name: blocks for name, blocks in entries.items() if name.startswith(TABLE)}
        entries = {group: blocks for group, blocks in entries.items() if group not in tables}
        self._store.fill[:] = 0
        for group, blocks in entries.items():
            for block, entry in blocks.items():
                self._fill_block(group, block, _read(folder, entry), folder / entry.name)
        self._settle(entries)
        return {
            name.removeprefix(TABLE): _read_table(folder, blocks) for name, blocks in tables.items()
        }

    def _write_changed(self, folder: Path, sizes: dict[str, int]) -> dict[str, dict[int, Entry]]:
        entries = {group: dict(blocks) for group, blocks in self._entries.items()}
        for group, blocks in entries.items():
            for block in np.flatnonzero(self._store.fill).tolist():
                entry = blocks.get(block)
                there = entry is not None and sizes.get(entry.name) == entry.nbytes
                if not there or self._store.dirty[group][block]:
                    blocks[block] = self._write_block(folder, group, block)
        return entries

    def _write_block(self, folder: Path, group: str, block: int) -> Entry:
        tensors = {name: _plain(part) for name, part in self._parts(group, block).items()}
        data = safetensors.numpy.save(tensors)
        entry = Entry(f"{group}-{block:06d}-{_digest(data)}.safetensors", len(data))
        _write(folder / entry.name, data)
        return entry

    def _parts(self, group: str, block: int) -> dict[str, np.ndarray]:
        """Views `[streams, used slots, …]` of the used part of a block."""
        first = block * self._store.block
        last = first + int(self._store.fill[block])
        return {name: self._store.arrays[name][:, first:last] for name in self._store.groups[group]}

    def _fill_block(self, group: str, block: int, data: bytes, path: Path) -> None:
        tensors = safetensors.numpy.load(data)
        used = {tensor.shape[1] for tensor in tensors.values()}
        first = block * self._store.block
        if tensors.keys() != set(self._store.groups[group]) or len(used) != 1:
            raise ReplayError(_foreign_sentence(path))
        self._store.fill[block] = used.pop()
        for name, part in self._parts(group, block).items():
            column = self._store.columns[name]
            if tensors[name].shape != part.shape or first >= self._store.slots:
                raise ReplayError(_foreign_sentence(path))
            part[...] = _typed(tensors[name], column)

    def _settle(self, entries: dict[str, dict[int, Entry]]) -> None:
        """From now on these files say what the store holds."""
        self._entries = entries
        for dirty in self._store.dirty.values():
            dirty[:] = False


def _write_table(folder: Path, sizes: dict[str, int], array: np.ndarray) -> dict[int, Entry]:
    """The files of a table, cut along its first axis, after writing those that are missing."""
    step = max(1, TABLE_BYTES // max(1, array[:1].nbytes))
    entries = {}
    for block, begin in enumerate(range(0, max(1, len(array)), step)):
        data = safetensors.numpy.save({"table": np.ascontiguousarray(array[begin : begin + step])})
        entry = Entry(f"table-{block:06d}-{_digest(data)}.safetensors", len(data))
        if sizes.get(entry.name) != entry.nbytes:
            _write(folder / entry.name, data)
        entries[block] = entry
    return entries


def _read_table(folder: Path, blocks: dict[int, Entry]) -> np.ndarray:
    parts = [_read(folder, entry) for _, entry in sorted(blocks.items())]
    return np.concatenate([safetensors.numpy.load(data)["table"] for data in parts])


def check(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Raises ReplayError, naming the file, unless all files of a manifest are there and whole."""
    for listed in manifest["files"].values():
        for _, name, nbytes in listed:
            entry = Entry(str(name), int(nbytes))
            _check_size(folder, entry)
            _read(folder, entry)


def prune(folder: Path, manifests: Iterable[dict[str, Any]]) -> int:
    """Delete the replay files of `folder` that none of these manifests names, temporary ones
    included, and return how many bytes that freed. Files of others are left alone.

    Call it after the checkpoint of the newest manifest has become visible. Raises ReplayError if
    the folder cannot be changed.
    """
    kept = {
        name
        for manifest in manifests
        for listed in manifest["files"].values()
        for _, name, _ in listed
    }
    freed = 0
    try:
        check_folder(folder)
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if _OURS.fullmatch(path.name) and path.name not in kept:
                freed += path.lstat().st_size
                path.unlink()
    except OSError as error:
        raise ReplayError(f"cannot tidy the replay folder {folder}: {error.strerror}.") from error
    return freed


def _plain(part: np.ndarray) -> np.ndarray:
    """The same bytes in a dtype that safetensors' numpy front end can read back."""
    part = np.ascontiguousarray(part)
    return part.view(np.uint16) if part.dtype == BFLOAT16 else part


def _typed(tensor: np.ndarray, column: Column) -> np.ndarray:
    return tensor.view(BFLOAT16) if column.dtype == BFLOAT16 else tensor


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _check_size(folder: Path, entry: Entry) -> None:
    path = folder / entry.name
    if not _OURS.fullmatch(entry.name):
        raise ReplayError(f"{entry.name!r} is not the name of a replay file. {_ADVICE}")
    try:
        check_folder(folder)
        found = path.lstat().st_size
    except OSError as error:
        raise ReplayError(
            f"replay file {path} cannot be read ({error.strerror}): {_ADVICE}"
        ) from error
    if found != entry.nbytes:
        raise ReplayError(
            f"replay file {path} is truncated or foreign: it has {found} bytes, the checkpoint "
            f"expects {entry.nbytes}. {_ADVICE}"
        )


def _read(folder: Path, entry: Entry) -> bytes:
    path = folder / entry.name
    try:
        data = read_plain(path, entry.nbytes)
    except OSError as error:
        raise ReplayError(
            f"replay file {path} cannot be read ({error.strerror}): {_ADVICE}"
        ) from error
    if _digest(data) not in entry.name:
        raise ReplayError(
            f"replay file {path} is damaged: its content does not match the digest in its name. "
            f"{_ADVICE}"
        )
    return data


_ADVICE = (
    "put back the file, resume from an older checkpoint, or start again with another --logdir."
)


def _foreign_sentence(path: Path) -> str:
    return f"replay file {path} has another layout than this run. {_ADVICE}"


def _write(path: Path, data: bytes) -> None:
    replace(path, data, partial=path.with_name(path.name + ".tmp"))


def _disk_sentence(folder: Path, error: OSError) -> str:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    what = "the disk is full" if full else str(error.strerror)
    remedy = "free space" if full else "make the folder writable"
    return (
        f"cannot save the replay in {folder}: {what}. Earlier checkpoints are intact; {remedy} "
        f"and run the same command again."
    )
