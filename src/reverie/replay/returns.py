"""The return of every finished episode, by the place of its rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from reverie.replay.keep import AbstractKeep, Change

RETURN = "score/return"
COLUMN = {RETURN: ((), "float32")}
"""Column that a replay with this signal stores beside those of a row."""


class Returns:
    """Undiscounted sums of rewards. A row of an episode that has not ended has return 0."""

    def __init__(self, value: Float[np.ndarray, " P"], *, streams: int):
        """`value`: returns by place; the caller's array, written in place."""
        self.value = value
        self._total = np.zeros(streams)
        self._begin = np.zeros(streams, np.int64)

    def follow(
        self, change: Change, keep: AbstractKeep, rows: Mapping[str, Any]
    ) -> Int[np.ndarray, " N"]:
        """Take in the rows that were just added, one a stream; the places that were written."""
        self.value[change.admitted] = 0.0
        newest = keep.inserted - 1
        first = np.asarray(rows["is_first"])
        self._total = np.where(first, 0.0, self._total) + np.asarray(rows["reward"], np.float64)
        self._begin = np.where(first, newest, self._begin)
        written = [change.admitted]
        for stream in np.flatnonzero(rows["is_last"]):
            row = np.arange(self._begin[stream], newest + 1)
            place = keep.find(np.full(len(row), stream), row)
            written.append(place[place >= 0])
            self.value[written[-1]] = self._total[stream]
        return np.concatenate(written)

    def state(self) -> dict[str, Any]:
        """What `load` needs beside `value`, as JSON values."""
        return {"total": self._total.tolist(), "begin": self._begin.tolist()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Continue from a state and from a loaded `value`."""
        self._total = np.array(state["total"], np.float64)
        self._begin = np.array(state["begin"], np.int64)
