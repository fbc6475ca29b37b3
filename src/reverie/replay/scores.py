"""What every step and every window is worth: written by updates, read by draws.

Bookkeeping a window: 8 bytes of weight, 4 of score, 4 of its power, 4 of visits.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from reverie.part.part import name_of
from reverie.replay.errors import ReplayError
from reverie.replay.keep import AbstractKeep, Change, Ticket
from reverie.replay.signal import AbstractSignal, AbstractStepSignal
from reverie.replay.tree import NUMPY, Moments, SumTree, TreeKernels

VALUE, VISITS = "score/value", "score/visits"
"""Columns that a replay with scores stores beside those of a row; sequences do not hold them."""

CHUNK = 2048
"""Windows that are weighed at once at most."""

QUANTILES = (0.05, 0.5, 0.95, 1.0)


class Scores:
    """Scores of steps, times they were trained on, and weights of windows, all by place.

    A window's weight is always the aggregate of its steps' scores to the power `exponent`: what
    `commit` changes is carried to every window that contains it. A window that cannot be drawn
    weighs 0. A step that no update has seen has the initial score of the moment when it entered.

    `value` and `visits` are the whole memory: everything else follows from them (`load`).
    """

    def __init__(
        self,
        value: Float[np.ndarray, " P"],
        visits: Int[np.ndarray, " P"],
        keep: AbstractKeep,
        *,
        length: int,
        signal: AbstractStepSignal,
        kernels: TreeKernels = NUMPY,
    ):
        """Args:
        value: scores by place; the caller's array, written in place.
        visits: times trained on by place, likewise.
        keep: the store's retention.
        length: rows L of a window.
        signal: how scores and windows are formed, and the initial value.
        kernels: loops of the sum tree.
        """
        self.value, self.visits, self.length = value, visits, length
        self.largest = self.initial = signal.initial_value
        """The largest score ever written; the score of rows that arrive from now on."""
        self.tree = SumTree(len(value), kernels)
        self.moments = Moments(len(value))
        self._power = np.zeros(len(value), np.float32)
        self._keep, self._signal = keep, signal

    @property
    def nbytes(self) -> int:
        """Bytes of bookkeeping, without what the caller holds besides."""
        return self.value.nbytes + self.visits.nbytes + self._power.nbytes + self.tree.nbytes

    def follow(self, change: Change) -> None:
        """Rows and windows came and went."""
        self.visits[change.freed] = 0  # dead rows are no longer among those seen
        self.visits[change.admitted] = 0
        self.moments.touch(change.freed)
        self._put(change.admitted, np.full(len(change.admitted), self.initial))
        self.tree.set(change.closed, np.zeros(len(change.closed)))
        self._weigh_all(len(change.opened), lambda at: self._keep.address(change.opened[at]))

    def commit(
        self, rows: Ticket, place: Int[np.ndarray, "B T"], raw: Float[np.ndarray, "B T"] | None
    ) -> None:
        """Count a visit of each row, give it its new score, and weigh its windows anew.

        Where a row comes several times every one counts as a visit, and the last score stays.

        Args:
            rows: trained rows; sequences may be laid out of several pieces.
            place: where they lie; −1 for rows that died since the draw, which are left out.
            raw: what the update returned for them, float32; None keeps the scores.

        Raises ReplayError for a score that is negative or not finite.
        """
        live = place >= 0
        np.add.at(self.visits, place[live], np.uint32(1))
        if raw is not None:
            place = place[live]
            self._write(rows, place, self._signal.combine(raw[live], self.visits[place]))
        self._refresh()

    def put(self, rows: Ticket, score: Float[np.ndarray, "B T"]) -> None:
        """Give rows a score without a visit (a sweep); dead ones are left out.

        Raises ReplayError for a score that is negative or not finite.
        """
        place = self._keep.find(*rows)
        self._write(rows, place[place >= 0], score[place >= 0])
        self._refresh()

    def stats(self) -> dict[str, float]:
        """Quantiles of the weights of the windows that can be drawn, and the initial score."""
        weights = self.tree.weights
        weights = weights[weights > 0]
        if not len(weights):
            return {}
        names = ("weight_low", "weight_median", "weight_high", "weight_max")
        values = dict(zip(names, np.quantile(weights, QUANTILES).tolist(), strict=True))
        return values | {"initial": self.initial}

    def rebuild(self) -> None:
        """Weights of all windows from `value` and `visits`."""
        self._power[:] = self.value**self._signal.exponent
        self.moments = Moments(len(self.value))
        self.tree.set(np.arange(len(self.value)), np.zeros(len(self.value)))
        num = self._keep.num_windows(self.length)
        self._weigh_all(num, lambda at: self._keep.locate(at, self.length))

    def state(self) -> dict[str, Any]:
        """What `load` needs beside `value` and `visits`, as JSON values."""
        return {"initial": self.initial, "largest": self.largest}

    def load(self, state: Mapping[str, Any]) -> None:
        """Continue from a state and from loaded `value` and `visits`."""
        self.initial, self.largest = float(state["initial"]), float(state["largest"])
        self.rebuild()

    def _write(
        self, rows: Ticket, place: Int[np.ndarray, " N"], score: Float[np.ndarray, " N"]
    ) -> None:
        """New scores in these places, those of the live ones of `rows`, and of their windows."""
        if not (np.isfinite(score).all() and (score >= 0).all()):
            bad = score[~(np.isfinite(score) & (score >= 0))][0]
            name = name_of(AbstractSignal, self._signal)
            raise ReplayError(
                f"the score {name!r} of a step is {bad}; a score must be finite and at least 0."
            )
        self._put(place, score)
        self.largest = max(self.largest, float(score.max(initial=0.0)))
        stream, row, num = runs_of(*rows)
        self._weigh(stream, row - self.length + 1, num + self.length - 1)

    def _put(self, place: Int[np.ndarray, " N"], score: Float[np.ndarray, " N"]) -> None:
        self.value[place] = score
        self._power[place] = self.value[place] ** self._signal.exponent
        self.moments.touch(place)

    def _weigh_all(self, num: int, windows: Callable[[np.ndarray], Ticket]) -> None:
        """Weigh windows 0 … `num` − 1, a part at a time."""
        for begin in range(0, num, CHUNK):
            part = windows(np.arange(begin, min(begin + CHUNK, num)))
            order = np.lexsort((part.row, part.stream))
            self._weigh(*runs_of(part.stream[order], part.row[order]))

    def _weigh(self, stream: Int[np.ndarray, " R"], first: Int[np.ndarray, " R"], num: int) -> None:
        """Weigh the windows that begin at `num` rows in a row, as far as they can be drawn."""
        row = first[:, None] + np.arange(num + self.length - 1)
        stream = np.broadcast_to(stream[:, None], row.shape)
        place = self._keep.find(stream, row)
        weight = self._signal.windows(self._power[place].astype(np.float64), self.length)
        can = self._keep.drawable(stream[:, :num], row[:, :num])
        self.tree.set(place[:, :num][can], weight[can])

    def _refresh(self) -> None:
        """The initial score of rows that arrive from now on."""
        match self._signal.initial:
            case "max":
                self.initial = self.largest
            case "mean":
                found = self.moments.mean_std(self.value, self.visits)
                if found is not None:
                    self.initial = max(0.0, found[0] + self._signal.initial_std * found[1])
            case "constant":
                pass


def runs_of(
    stream: Int[np.ndarray, "*N"], row: Int[np.ndarray, "*N"]
) -> tuple[Int[np.ndarray, " R"], Int[np.ndarray, " R"], int]:
    """Stream and first row of runs of neighbours that cover these rows, and their length.

    All runs are as long as the longest, and so may cover other rows too.
    """
    stream, row = stream.reshape(-1), row.reshape(-1)
    begins = np.append(True, (np.diff(row) != 1) | (np.diff(stream) != 0))
    where = np.flatnonzero(begins)
    length = np.diff(np.append(where, len(row))).max()
    return stream[where], row[where], int(length)
