"""The rows of a replay as arrays of the device: one (E, slots, …) a column.

Row r of stream s lies in slot r mod slots of ring s, as in `replay.keep.Ring`: the host's arrays
and these have the same layout, and which rows a sequence has is the host's decision (`script.py`).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

from reverie.replay.rows import Columns
from reverie.replay.sampler import WEIGHT

Ring = dict[str, Array]
"""Columns by name; floats of 16 bits as their bits: XLA for CPUs computes with them in 32, and
would convert a whole column to change a row of it."""


class Windows(NamedTuple):
    """Sequences of rows, by stream and first row."""

    stream: Any  # (B,), on the host or the device
    row: Any


def stored(dtype: Any) -> Any:
    """The dtype in which a column of `dtype` lies in a ring."""
    half = jnp.issubdtype(dtype, jnp.floating) and np.dtype(dtype).itemsize == 2
    return np.dtype(np.uint16) if half else np.dtype(dtype)


def _bits(value: Array, dtype: Any) -> Array:
    """`value`, of a column of `dtype`, as a ring holds it."""
    value = value.astype(dtype)
    return value if stored(dtype) == dtype else jax.lax.bitcast_convert_type(value, jnp.uint16)


def _value(bits: Array, dtype: Any) -> Array:
    return bits if bits.dtype == dtype else jax.lax.bitcast_convert_type(bits, dtype)


def add(
    ring: Ring,
    columns: Columns,
    rows: Mapping[str, Array],
    inserted: Int[Array, ""],
    on: Bool[Array, ""] | None = None,
) -> Ring:
    """One more row (E, …) of every stream, which had `inserted` rows before; none where `on` is
    given and not set."""
    found = {}
    for name, column in ring.items():
        value, slots = _bits(rows[name], columns[name].dtype), column.shape[1]
        slot = inserted % slots
        if on is None:
            value = value[:, None]
            found[name] = jax.lax.dynamic_update_slice_in_dim(column, value, slot, axis=1)
        else:
            slot = jnp.where(on, slot, slots)  # beyond the last one: left out
            found[name] = column.at[:, slot].set(value, mode="drop")
    return found


def sequences(
    ring: Ring, columns: Columns, windows: Windows, length: int, weight: Array | None = None
) -> dict[str, Array]:
    """The rows (B, L, …) of these windows, with what is first and last at their edges (see
    `Replay.draw`); all of them must be there."""
    slots = ring["is_first"].shape[1]
    slot = (windows.row[:, None] + jnp.arange(length)[None]) % slots
    place = windows.stream[:, None], slot
    bits = {k: column.at[place].get(mode="promise_in_bounds") for k, column in ring.items()}
    rows = {k: _value(part, columns[k].dtype) for k, part in bits.items()}
    rows["is_last"] = rows["is_last"].at[:, :-1].max(rows["is_first"][:, 1:])
    rows["is_first"] = rows["is_first"].at[:, 0].set(True)
    return rows if weight is None else rows | {WEIGHT: weight}


def write(
    ring: Ring,
    columns: Columns,
    windows: Windows,
    written: Mapping[str, Array],
    *,
    offset: int,
    inserted: Int[Array, ""],
    on: Bool[Array, ""],
    after: Mapping[str, Array],
) -> Ring:
    """Results (B, T, …) of an update in the rows from `offset` on of its windows, where `on`.

    Rows that have gone since are left out; where windows overlap, the last one wins. `after`: rows
    that are read before; saying so keeps XLA from copying the ring for them.
    """
    if not written:
        return ring
    slots = ring["is_first"].shape[1]
    length = next(iter(written.values())).shape[1]
    row = windows.row[:, None] + (offset + jnp.arange(length))[None]
    live = (row >= inserted - slots) & on
    alone = ~_covered(row[:, 0], windows.stream, row)
    slot = jnp.where(live & alone, row % slots, slots)  # beyond the last one: left out
    found = dict(ring)
    for name, value in written.items():
        bits = _bits(value, columns[name].dtype)
        nothing = jnp.minimum((after[name] == 0).sum(), 0)  # 0, which XLA cannot know
        place = windows.stream[:, None], slot + nothing
        found[name] = ring[name].at[place].set(bits, mode="drop")
    return found


def _covered(first: Int[Array, " B"], stream: Int[Array, " B"], row: Int[Array, "B T"]) -> Array:
    """Whether a later one of the windows, whose written rows begin at `first`, holds the same row;
    (B, T)."""
    number = jnp.arange(len(first))
    later = (number[None] > number[:, None]) & (stream[None] == stream[:, None])
    ahead = row[:, :, None] - first[None, None]
    return (later[:, None] & (ahead >= 0) & (ahead < row.shape[1])).any(2)


def block(ring: Ring, first: Int[Array, ""], *, size: int, names: tuple[str, ...]) -> Ring:
    """`size` slots of every stream from `first` on, of the named columns."""
    return {n: jax.lax.dynamic_slice_in_dim(ring[n], first, size, axis=1) for n in names}
