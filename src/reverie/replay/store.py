"""The columns in host memory: put, gather and overwrite rows by (stream, slot).

The store knows places, not time: which row lies in which slot is the business of `keep.py`. It
notes per block of slots what changed since the last save (`files.py`).
"""

from collections.abc import Iterable, Mapping

import numpy as np
from jaxtyping import Int, Shaped

from reverie.replay.errors import ReplayError, nearest
from reverie.replay.rows import Columns

FIXED = "fixed"
MUTABLE = "mutable"


class Store:
    """One array `[streams, slots, *shape]` a column, committed page by page as rows arrive.

    Columns form two groups: `fixed` ones are written when the row is put, `mutable` ones may be
    overwritten later. `dirty[group][b]` says that block b (slots b·block … (b+1)·block − 1 of
    every stream) changed since it was last cleared; `fill[b]` is the number of its slots per
    stream that were ever used.
    """

    def __init__(
        self, columns: Columns, *, streams: int, slots: int, block: int, mutable: Iterable[str]
    ):
        """Raises ReplayError if a mutable name is not a column."""
        self.columns = columns
        self.streams = streams
        self.slots = slots
        self.block = block
        self.groups = _split(columns, frozenset(mutable))
        self.arrays = {
            name: np.zeros((streams, slots, *column.shape), column.dtype)
            for name, column in columns.items()
        }
        blocks = -(-slots // block)
        self.dirty = {group: np.zeros(blocks, bool) for group in self.groups}
        self.fill = np.zeros(blocks, np.int64)
        self._streams = np.arange(streams)
        self._flat = {
            name: array.reshape(streams * slots, *array.shape[2:])
            for name, array in self.arrays.items()
        }

    def put(self, slot: Int[np.ndarray, " E"], rows: Mapping[str, Shaped[np.ndarray, "E ..."]]):
        """Write one whole row of every stream; arrays have the stored shapes and dtypes."""
        for name, value in rows.items():
            self.arrays[name][self._streams, slot] = value
        blocks, used = slot // self.block, slot % self.block + 1
        np.maximum.at(self.fill, blocks, used)
        for dirty in self.dirty.values():
            dirty[blocks] = True

    def gather(
        self, stream: Int[np.ndarray, " B"], slot: Int[np.ndarray, "B L"]
    ) -> dict[str, Shaped[np.ndarray, "B L ..."]]:
        """Copies of the rows at these places, for every column."""
        index = stream[:, None] * self.slots + slot
        return {name: np.take(array, index, axis=0) for name, array in self._flat.items()}

    def overwrite(
        self,
        stream: Int[np.ndarray, " N"],
        slot: Int[np.ndarray, " N"],
        values: Mapping[str, Shaped[np.ndarray, "N ..."]],
    ):
        """Replace mutable columns at these places. Where a place comes twice, the last wins."""
        index = stream * self.slots + slot
        for name, value in values.items():
            self._flat[name][index] = value
        self.dirty[MUTABLE][slot // self.block] = True


def _split(columns: Columns, mutable: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """Names of the columns by group; an empty group is left out."""
    for name in sorted(mutable - columns.keys()):
        raise ReplayError(f"no column {name!r} that could be mutable; {nearest(name, columns)}")
    groups = {
        FIXED: tuple(name for name in columns if name not in mutable),
        MUTABLE: tuple(name for name in columns if name in mutable),
    }
    return {group: names for group, names in groups.items() if names}
