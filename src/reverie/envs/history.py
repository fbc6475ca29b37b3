"""What is kept of an open episode, so that it can be rebuilt: its actions and its last row."""

import numpy as np

from reverie.envs.base import Action
from reverie.records import Specs, Step


class History:
    """Rows of actions, appended one by one into arrays that double when they are full."""

    def __init__(self, specs: Specs):
        self._arrays = {k: np.zeros((64, *s.shape), s.dtype) for k, s in specs.items()}
        self._count = 0

    def append(self, batch: Action, index: int) -> None:
        """Add row `index` of a batch of actions (E, *shape)."""
        for key, array in self._arrays.items():
            if self._count == len(array):
                array = self._arrays[key] = np.concatenate([array, np.zeros_like(array)])
            array[self._count] = batch[key][index]
        self._count += 1

    def clear(self) -> None:
        """Forget all rows."""
        self._count = 0

    def load(self, rows: Action) -> None:
        """Replace all rows by `rows` (N, *shape)."""
        self._arrays = {
            key: np.concatenate([np.asarray(rows[key], array.dtype), np.zeros_like(array)])
            for key, array in self._arrays.items()
        }
        self._count = len(next(iter(rows.values())))

    def rows(self) -> Action:
        """A copy of all rows, key -> (N, *shape)."""
        return {key: array[: self._count].copy() for key, array in self._arrays.items()}


FLAGS = ("reward", "is_first", "is_last", "is_terminal")
"""What a row holds besides its observation and its log."""


def row_of(row: Step, index: int) -> dict[str, np.ndarray]:
    """One environment's part of a row: `obs/KEY`, `log/KEY`, reward and flags, each a copy."""
    arrays = {f"obs/{key}": array[index] for key, array in row.obs.items()}
    arrays |= {f"log/{key}": array[index] for key, array in row.log.items()}
    arrays |= {name: getattr(row, name)[index] for name in FLAGS}
    return {key: np.array(value) for key, value in arrays.items()}


def stack_rows(rows: list[dict[str, np.ndarray]]) -> Step:
    """The batched row of several environments' parts."""
    batch = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
    obs = {key.removeprefix("obs/"): x for key, x in batch.items() if key.startswith("obs/")}
    log = {key.removeprefix("log/"): x for key, x in batch.items() if key.startswith("log/")}
    return Step(obs, **{name: batch[name] for name in FLAGS}, log=log)


def equal_rows(one: dict[str, np.ndarray], two: dict[str, np.ndarray]) -> bool:
    """True if both show the same, bit by bit; `is_first` is not compared, the actions tell it."""
    keys = one.keys() - {"is_first"}
    return keys <= two.keys() and all(np.array_equal(one[key], two[key]) for key in keys)
