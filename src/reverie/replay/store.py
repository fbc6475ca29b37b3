"""The columns in host memory: put, gather and overwrite rows by place.

The store knows places, not time: which row lies in which place is the business of `keep.py`. It
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
    """One array `[streams, slots, *shape]` a column, committed page by page as rows arrive; slot i
    of stream s is place s·slots + i.

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
        self._flat = {
            name: array.reshape(streams * slots, *array.shape[2:])
            for name, array in self.arrays.items()
        }

    def put(self, place: Int[np.ndarray, " E"], rows: Mapping[str, Shaped[np.ndarray, "E ..."]]):
        """Write whole rows into these places; arrays have the stored shapes and dtypes."""
        for name, value in rows.items():
            self._flat[name][place] = value
        slot = place % self.slots
        blocks, used = slot // self.block, slot % self.block + 1
        np.maximum.at(self.fill, blocks, used)
        for dirty in self.dirty.values():
            dirty[blocks] = True

    def gather(
        self, place: Int[np.ndarray, "*N"], names: Iterable[str] | None = None
    ) -> dict[str, Shaped[np.ndarray, "..."]]:
        """Copies of the rows in these places: the named columns, or all of them."""
        names = self.columns if names is None else names
        return {name: np.take(self._flat[name], place, axis=0) for name in names}

    def flat(self, name: str) -> Shaped[np.ndarray, "P ..."]:
        """The column `name` by place; whoever writes into it says so (`touch`)."""
        return self._flat[name]

    def touch(self, place: Int[np.ndarray, " N"]) -> None:
        """Mutable columns of these places were changed through `flat`."""
        self.dirty[MUTABLE][place % self.slots // self.block] = True

    def overwrite(
        self, place: Int[np.ndarray, " N"], values: Mapping[str, Shaped[np.ndarray, "N ..."]]
    ):
        """Replace mutable columns in these places. Where a place comes twice, the last wins."""
        for name, value in values.items():
            self._flat[name][place] = value
        self.touch(place)


def _split(columns: Columns, mutable: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """Names of the columns by group; an empty group is left out."""
    for name in sorted(mutable - columns.keys()):
        raise ReplayError(f"no column {name!r} that could be mutable; {nearest(name, columns)}")
    groups = {
        FIXED: tuple(name for name in columns if name not in mutable),
        MUTABLE: tuple(name for name in columns if name in mutable),
    }
    return {group: names for group, names in groups.items() if names}
