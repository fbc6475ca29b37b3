"""What a run folder holds, as numbers that can be compared to the last bit.

Nothing of the product is imported: metrics are read from `metrics.jsonl`, tensors and replay rows
from the newest checkpoint's safetensors. Where a redesign changes those files, this is the place to
follow it. An outcome is a dict of JSON values:

    rows      number of metric rows
    metrics   name -> one text a row: a number as float.hex(), "" where the row lacks the name
    learner   tensor -> [type, shape, digest] of parameters, moments and statistics
    replay    column -> [type, shape of a row, digest in order, digest of the sorted rows]
"""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

LEFT_OUT = ("time/", "system/")
"""Beginnings of names that differ between two identical runs."""

LEARNER = "/learner/state/"
"""Beginning of the learner's tensors in a checkpoint."""

Outcome = dict[str, Any]


class Tensor(NamedTuple):
    """A tensor of a safetensors file, without its meaning."""

    dtype: str
    shape: list[int]
    data: bytes


def outcome(run: Path) -> Outcome:
    """All numbers of a finished run."""
    rows = [kept(row) for row in map(json.loads, (run / "metrics.jsonl").open())]
    newest = max((path for path in (run / "checkpoints").iterdir()), key=age)
    names = dict.fromkeys(name for row in rows for name in row)
    return {
        "rows": len(rows),
        "metrics": {name: [text(row.get(name)) for row in rows] for name in names},
        "learner": learner(newest),
        "replay": replay(newest, run / "replay"),
    }


def kept(row: dict[str, Any]) -> dict[str, Any]:
    """A metric row without the names that depend on time and machine."""
    return {name: value for name, value in row.items() if not name.startswith(LEFT_OUT)}


def text(value: Any) -> str:
    """A value of a metric row, exact."""
    if value is None:
        return ""
    return float(value).hex() if isinstance(value, int | float) else repr(value)


def age(checkpoint: Path) -> tuple[int, int]:
    """Step and number of a checkpoint by its name, STEP or STEP-NUMBER."""
    step, _, number = checkpoint.name.partition("-")
    return int(step), int(number or 0)


def learner(checkpoint: Path) -> dict[str, list]:
    """Digest of every tensor of the learner's state."""
    tensors = safetensors(checkpoint / "arrays.safetensors")
    return {
        name.removeprefix(LEARNER): [tensor.dtype, tensor.shape, digest(tensor.data)]
        for name, tensor in sorted(tensors.items())
        if name.startswith(LEARNER)
    }


def replay(checkpoint: Path, files: Path) -> dict[str, list]:
    """Digests of every column of the replay: by place, and of its rows whatever their places."""
    manifest = json.loads((checkpoint / "state.json").read_text())["tree"]["replay"]["files"]
    columns: dict[str, list[Tensor]] = {}
    for group, blocks in sorted(manifest.items()):
        for _, name, _ in blocks if not group.startswith("table:") else ():
            for column, tensor in safetensors(files / name).items():
                columns.setdefault(column, []).append(tensor)
    return {name: column_digests(parts) for name, parts in sorted(columns.items())}


def column_digests(parts: list[Tensor]) -> list:
    """Type, shape of a row, and both digests of blocks (streams, slots, ...) of one column."""
    streams, shape = parts[0].shape[0], parts[0].shape[2:]
    blocks = [np.frombuffer(p.data, np.uint8).reshape(*p.shape[:2], -1) for p in parts]
    whole = np.concatenate(blocks, axis=1)
    rows = sorted(row.tobytes() for stream in range(streams) for row in whole[stream])
    return [parts[0].dtype, shape, digest(whole.tobytes()), digest(b"".join(rows))]


def safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file: 8 bytes of length, a JSON header, the data."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    return {
        name: Tensor(
            item["dtype"],
            item["shape"],
            data[start + item["data_offsets"][0] : start + item["data_offsets"][1]],
        )
        for name, item in header.items()
    }


def digest(data: bytes) -> str:
    """Sixteen hexadecimal digits that stand for `data`."""
    return hashlib.sha256(data).hexdigest()[:16]


def write(path: Path, found: Outcome) -> None:
    """Store an outcome; equal outcomes give equal files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(json.dumps(found).encode(), mtime=0))


def read(path: Path) -> Outcome:
    """A stored outcome."""
    return json.loads(gzip.decompress(path.read_bytes()))
