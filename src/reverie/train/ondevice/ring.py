"""The rows of a replay as arrays of the device: one (E, slots, …) a column.

Row r of stream s lies in slot r mod slots of ring s, as in `replay.keep.Ring`: the host's arrays
and these have the same layout, and which rows a sequence has is the host's decision (`script.py`).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from reverie.replay.rows import Columns
from reverie.replay.sampler import WEIGHT

Ring = dict[str, Array]
"""Columns by name."""


class Windows(NamedTuple):
    """Sequences of rows, by stream and first row."""

    stream: Int[Array, " B"]
    row: Int[Array, " B"]


def add(ring: Ring, rows: Mapping[str, Array], inserted: Int[Array, ""]) -> Ring:
    """One more row (E, …) of every stream, which had `inserted` rows before."""
    found = {}
    for name, column in ring.items():
        value = rows[name].astype(column.dtype)[:, None]
        slot = inserted % column.shape[1]
        found[name] = jax.lax.dynamic_update_slice_in_dim(column, value, slot, axis=1)
    return found


def sequences(
    ring: Ring, windows: Windows, length: int, weight: Array | None = None
) -> dict[str, Array]:
    """The rows (B, L, …) of these windows, with what is first and last at their edges (see
    `Replay.draw`); all of them must be there."""
    slots = ring["is_first"].shape[1]
    slot = (windows.row[:, None] + jnp.arange(length)[None]) % slots
    place = windows.stream[:, None], slot
    rows = {k: column.at[place].get(mode="promise_in_bounds") for k, column in ring.items()}
    rows["is_last"] = rows["is_last"].at[:, :-1].max(rows["is_first"][:, 1:])
    rows["is_first"] = rows["is_first"].at[:, 0].set(True)
    return rows if weight is None else rows | {WEIGHT: weight}


def write(
    ring: Ring,
    windows: Windows,
    written: Mapping[str, Array],
    *,
    offset: int,
    inserted: Int[Array, ""],
    on: Bool[Array, ""],
) -> Ring:
    """Results (B, T, …) of an update in the rows from `offset` on of its windows, where `on`.

    Rows that have gone since are left out; where windows overlap, the last one wins.
    """
    if not written:
        return ring
    slots = ring["is_first"].shape[1]
    length = next(iter(written.values())).shape[1]
    row = windows.row[:, None] + (offset + jnp.arange(length))[None]
    live = (row >= inserted - slots) & on
    alone = ~_covered(row[:, 0], windows.stream, row)
    slot = jnp.where(live & alone, row % slots, slots)
    place = windows.stream[:, None], slot  # a slot beyond the last one is left out
    found = dict(ring)
    for name, value in written.items():
        found[name] = ring[name].at[place].set(value.astype(ring[name].dtype), mode="drop")
    return found


def _covered(first: Int[Array, " B"], stream: Int[Array, " B"], row: Int[Array, "B T"]) -> Array:
    """Whether a later one of the windows, whose written rows begin at `first`, holds the same row;
    (B, T)."""
    number = jnp.arange(len(first))
    later = (number[None] > number[:, None]) & (stream[None] == stream[:, None])
    ahead = row[:, :, None] - first[None, None]
    return (later[:, None] & (ahead >= 0) & (ahead < row.shape[1])).any(2)


def shapes(columns: Columns, streams: int, slots: int) -> dict[str, jax.ShapeDtypeStruct]:
    """Shapes of the columns of a ring."""
    return {
        name: jax.ShapeDtypeStruct((streams, slots, *column.shape), column.dtype)
        for name, column in columns.items()
    }


def block(ring: Ring, first: Int[Array, ""], *, size: int, names: tuple[str, ...]) -> Ring:
    """`size` slots of every stream from `first` on, of the named columns."""
    return {n: jax.lax.dynamic_slice_in_dim(ring[n], first, size, axis=1) for n in names}
