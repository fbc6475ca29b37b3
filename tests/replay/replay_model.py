"""Rows whose content tells where they came from, and a replay made of plain Python lists."""

import numpy as np
from ml_dtypes import bfloat16

SPECS = {
    "obs/image": ((2, 2, 3), "uint8"),
    "obs/place": ((2,), "int32"),
    "action/move": ((3,), "float32"),
    "reward": ((), "float32"),
    "is_first": ((), "bool"),
    "is_last": ((), "bool"),
    "is_terminal": ((), "bool"),
    "latent/deter": ((4,), bfloat16),
    "latent/stoch": ((2,), "uint8"),
}


def make_rows(t, streams, first=None):
    """Row t of every stream: `obs/place` is (stream, t), the rest follows from a generator."""
    rng = np.random.default_rng([t, streams])
    flags = rng.random((2, streams)) < 0.2
    return {
        "obs/image": rng.integers(256, size=(streams, 2, 2, 3), dtype=np.uint8),
        "obs/place": np.stack([np.arange(streams), np.full(streams, t)], 1).astype(np.int32),
        "action/move": rng.normal(size=(streams, 3)).astype(np.float32),
        "reward": rng.normal(size=streams).astype(np.float32),
        "is_first": flags[0] if first is None else np.full(streams, first),
        "is_last": flags[1],
        "is_terminal": np.zeros(streams, bool),
        "latent/deter": rng.normal(size=(streams, 4)).astype(bfloat16),
        "latent/stoch": rng.integers(32, size=(streams, 2), dtype=np.uint8),
    }


def fill(replay, num, start=0):
    """Add rows `start` … `start + num − 1`."""
    for t in range(start, start + num):
        replay.add(make_rows(t, replay.streams))


class Model:
    """The brute-force reference: every row ever added, one Python list a stream."""

    def __init__(self, streams, slots, length):
        self.slots, self.length = slots, length
        self.rows = [[] for _ in range(streams)]

    def add(self, rows):
        for stream, history in enumerate(self.rows):
            history.append({key: value[stream].copy() for key, value in rows.items()})

    @property
    def inserted(self):
        return len(self.rows[0])

    def live(self, row):
        return max(0, self.inserted - self.slots) <= row < self.inserted

    def windows(self):
        starts = [
            r for r in range(self.inserted) if self.live(r) and self.live(r + self.length - 1)
        ]
        return {(stream, row) for stream in range(len(self.rows)) for row in starts}

    def sequence(self, stream, row):
        part = self.rows[stream][row : row + self.length]
        out = {key: np.stack([r[key] for r in part]) for key in part[0]}
        for t in range(self.length - 1):
            out["is_last"][t] |= out["is_first"][t + 1]
        out["is_first"][0] = True
        return out

    def write(self, ticket, values, offset):
        late = 0
        num = next(iter(values.values())).shape[1]
        for b, (stream, row) in enumerate(zip(*ticket, strict=True)):
            for t in range(num):
                if not self.live(row + offset + t):
                    late += 1
                    continue
                for key, value in values.items():
                    self.rows[stream][row + offset + t][key] = value[b, t].copy()
        return late
