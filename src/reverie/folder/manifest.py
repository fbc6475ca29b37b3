"""The manifest of a checkpoint: what its files must hold, written last.

`manifest.json` names every other file of the checkpoint with its size and digest, and how much of
the run's `metrics.jsonl` the checkpoint rests on. It carries its own digest (see `digest.py`).
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reverie import files
from reverie.folder import digest
from reverie.folder.digest import Damage

NAME = "manifest.json"
FORMAT = 1
LARGEST = 1 << 16
"""Most bytes of a manifest that are read."""


def make(contents: Mapping[str, bytes], beside: Mapping[str, Any]) -> bytes:
    """The manifest of files with these contents; `beside`: `offset` and `digest` of files of the
    run folder."""
    listed = {name: [len(data), digest.of(data)] for name, data in contents.items()}
    return digest.seal({"format": FORMAT, "files": listed, "beside": dict(beside)})


def read(path: Path) -> dict[str, Any] | None:
    """The manifest of the checkpoint `path`; None where it has none (as in version 0.1).

    Raises Damage where it is damaged.
    """
    file = path / NAME
    if not os.path.lexists(file):
        return None
    with files.open_to_read(file) as opened:
        data = opened.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise Damage(f"{NAME} is damaged: it has more than {LARGEST} bytes")
    digest.check_seal(data, NAME)
    return files.parse_json(data)


def check(path: Path, manifest: Mapping[str, Any], name: str) -> None:
    """Raises Damage unless the file `name` of the checkpoint `path` holds what was written."""
    if name not in manifest["files"]:
        raise Damage(f"{NAME} does not name {name}")
    size, expected = manifest["files"][name]
    with files.open_to_read(path / name) as file:
        found = os.fstat(file.fileno()).st_size
        if found != size:
            raise Damage(f"{name} is damaged: it has {found:,} bytes, {size:,} were written")
        if digest.of_file(file, size) != expected:
            raise Damage(f"{name} is damaged: its content does not match its digest")


def prefix_of(manifest: Mapping[str, Any] | None, name: str) -> tuple[int, str] | None:
    """Bytes of the run folder's file `name` that the checkpoint rests on, and their digest; None
    where the manifest does not say."""
    found = (manifest or {}).get("beside", {}).get(name, {})
    return (int(found["offset"]), str(found["digest"])) if "digest" in found else None
