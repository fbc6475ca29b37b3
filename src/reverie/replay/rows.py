"""What a row holds: columns by name, and the check of every array that arrives.

A row is one environment step of one stream [dreamerv3.md §4.1]: `obs/KEY`, `action/KEY` (chosen
*at* the row), `reward`, `is_first`, `is_last`, `is_terminal`, and `latent/NAME`,
what the dynamics store of their state.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

from reverie.part.errors import suggest
from reverie.records import Specs
from reverie.replay.errors import ReplayError

LATENT = "latent/"
"""How columns begin that hold the world model's states; updates overwrite them."""

REQUIRED = ("is_first", "is_last")
"""Columns that every layout has: sequences are assembled with them."""

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


class Column(NamedTuple):
    """Shape (without leading axes) and dtype of one stored array."""

    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def nbytes(self) -> int:
        """Bytes of one row."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize


Columns = dict[str, Column]


def row_specs(
    obs: Specs, action: Specs, latent: Mapping[str, tuple[tuple[int, ...], Any]]
) -> Columns:
    """Columns of the rows of an agent.

    Args:
        obs: observation keys.
        action: action keys; as stored, in the agent's units (continuous: [−1, 1]).
        latent: shape and dtype of what is stored of the world model's states, by name.
    """
    columns: dict[str, Any] = {f"obs/{key}": (spec.shape, spec.dtype) for key, spec in obs.items()}
    columns |= {f"action/{key}": (spec.shape, spec.dtype) for key, spec in action.items()}
    columns |= {"reward": ((), "float32")}
    columns |= dict.fromkeys(("is_first", "is_last", "is_terminal"), ((), "bool"))
    return make_columns(columns | {LATENT + name: kind for name, kind in latent.items()})


def make_columns(specs: Mapping[str, tuple[tuple[int, ...], Any]]) -> Columns:
    """`specs` (shape and dtype by name) in canonical form, sorted by name.

    Raises ReplayError if a required flag is missing or a column has a dtype without fixed size.
    """
    columns = {}
    for name in sorted(specs):
        shape, dtype = specs[name]
        columns[name] = Column(tuple(int(side) for side in shape), np.dtype(dtype))
        if columns[name].dtype.hasobject or columns[name].dtype.itemsize == 0:
            raise ReplayError(f"{name} has dtype {dtype}; a column needs a dtype of fixed size.")
    for name in REQUIRED:
        if columns.get(name) != Column((), np.dtype(bool)):
            found = columns.get(name, "nothing")
            raise ReplayError(f"rows need a column {name!r} of shape () and dtype bool; {found}.")
    return columns


def is_latent(name: str) -> bool:
    """Whether a column holds states of the world model."""
    return name.startswith(LATENT)


def row_bytes(columns: Columns) -> int:
    """Bytes of one row in all columns."""
    return sum(column.nbytes for column in columns.values())


def check_names(found: Iterable[str], expected: Iterable[str]) -> None:
    """Raises ReplayError unless both hold the same names; it lists what is missing and unknown."""
    found, expected = set(found), set(expected)
    if unknown := sorted(found - expected):
        hint = suggest(unknown[0], expected)
        raise ReplayError(f"rows have no column {unknown[0]!r}; {hint}")
    if missing := sorted(expected - found):
        raise ReplayError(f"a row came without {', '.join(missing)}; every column is needed.")


def fit(name: str, value: Any, column: Column, lead: tuple[int, ...]) -> np.ndarray:
    """`value` as an array of shape `(*lead, *column.shape)` in the dtype of the column.

    Floating numbers are rounded to the stored precision; integers are accepted only where every
    value of their dtype fits. Raises ReplayError for another shape or a dtype that could lose
    values.
    """
    array = np.asarray(value)
    if array.shape != lead + column.shape:
        raise ReplayError(
            f"{name} has shape {array.shape}; expected {lead + column.shape} "
            f"(leading {lead}, then one row of {column.shape})."
        )
    if array.dtype == column.dtype:
        return array
    if _is_float(array.dtype) and _is_float(column.dtype):
        return array.astype(column.dtype)
    if np.can_cast(array.dtype, column.dtype, "safe"):
        return array.astype(column.dtype)
    raise ReplayError(
        f"{name} has dtype {array.dtype}; the replay stores {column.dtype}, which cannot hold "
        f"every {array.dtype}: convert it before."
    )


def fit_written(
    values: Mapping[str, Any],
    columns: Columns,
    score: Any,
    *,
    batch: int,
    offset: int,
    length: int,
) -> tuple[dict[str, np.ndarray], int]:
    """Arrays [batch, N, …] that overwrite rows of sequences, in stored dtypes; and N.

    Args:
        values: arrays by column.
        columns: those that may be overwritten.
        score: what else covers the rows [batch, N], or None.
        batch: number of sequences.
        offset: their rows before the first written one.
        length: rows of each.

    Raises ReplayError as `fit` does, for another column, or for rows beyond the sequence.
    """
    for key in values:
        if key not in columns:
            raise ReplayError(f"column {key!r} is not mutable; {suggest(key, columns)}")
    arrays = [*values.values(), *([] if score is None else [score])]
    num = next((np.shape(value)[1] for value in arrays if np.ndim(value) > 1), 0)
    if not (offset >= 0 and num >= 1 and offset + num <= length):
        raise ReplayError(
            f"rows {offset} … {offset + num - 1} of a sequence cannot be written; it has rows "
            f"0 … {length - 1}."
        )
    return {key: fit(key, value, columns[key], (batch, num)) for key, value in values.items()}, num


def _is_float(dtype: np.dtype) -> bool:
    return dtype.kind == "f" or dtype == BFLOAT16
