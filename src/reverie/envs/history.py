"""What is kept of open episodes, so that they can be rebuilt: their actions and last rows."""

import numpy as np

from reverie.envs.base import Action
from reverie.records import Specs, Step


class History:
    """The actions of E environments since their resets.

    Batches are appended to arrays (T, E, *shape) that all environments share; each remembers
    where its episode begins. When they are full, what no open episode reaches is thrown away, and
    where that is less than half, the arrays double.
    """

    def __init__(self, specs: Specs, num: int):
        self._arrays = {k: np.zeros((64, num, *s.shape), s.dtype) for k, s in specs.items()}
        self._begin = np.zeros(num, np.int64)
        self._count, self._room = 0, 64

    def append(self, batch: Action) -> None:
        """Add a batch of actions (E, *shape)."""
        if self._count == self._room:
            self._make_room()
        for key, array in self._arrays.items():
            array[self._count] = batch[key]
        self._count += 1

    def _make_room(self) -> None:
        gone = int(self._begin.min())
        for key, array in self._arrays.items():
            kept = array[gone:]
            rest = array.shape[0] * (1 if gone > len(array) // 2 else 2) - len(kept)
            blank = np.zeros((rest, *array.shape[1:]), array.dtype)
            self._arrays[key] = np.concatenate([kept, blank])
            self._room = len(kept) + rest
        self._begin -= gone
        self._count -= gone

    def clear(self, index: int) -> None:
        """Forget the actions of environment `index`."""
        self._begin[index] = self._count

    def load(self, rows: list[Action]) -> None:
        """Replace all actions by those of each environment, key -> (N, *shape)."""
        lengths = [len(next(iter(part.values()))) for part in rows]
        self._count = max(lengths)
        self._begin[:] = self._count - np.array(lengths)
        self._room = 64 + self._count
        for key, old in self._arrays.items():
            array = np.zeros((self._room, *old.shape[1:]), old.dtype)
            for index, part in enumerate(rows):
                array[self._begin[index] : self._count, index] = part[key]
            self._arrays[key] = array

    def rows(self, index: int) -> Action:
        """A copy of the actions of environment `index`, key -> (N, *shape)."""
        span = slice(self._begin[index], self._count)
        return {key: array[span, index].copy() for key, array in self._arrays.items()}


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
