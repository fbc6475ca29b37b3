"""What every step and every window is worth: written by updates, read by draws.

Bookkeeping a window: 8 bytes of weight, 4 of score, 4 of its power, 4 of visits.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from reverie.part.part import name_of
from reverie.replay.errors import ReplayError
from reverie.replay.keep import NOTHING, AbstractKeep, Change, Ticket, spread
from reverie.replay.signal import AbstractSignal, AbstractStepSignal
from reverie.replay.tree import NUMPY, Moments, SumTree, TreeKernels

VALUE, VISITS = "score/value", "score/visits"
"""Columns that a replay with scores stores beside those of a row; sequences do not hold them."""

Raw = Float[np.ndarray, "B T"]

CHUNK = 8192
"""Windows that are weighed at once when everything is rebuilt."""

QUANTILES = (0.05, 0.5, 0.95, 1.0)

BACKLOG = 256
"""Changes of the store that wait for the next draw or write, at most."""


class Scores:
    """Scores of steps, times they were trained on, and weights of windows, all by place.

    A window's weight is always the aggregate of its steps' scores to the power `exponent`: what
    `commit` changes is carried to every window that contains it, and nothing else is touched. A
    window that cannot be drawn weighs 0. A step that no update has seen has the initial score of
    the moment when it entered.

    `value` and `visits` are the whole memory: everything else follows from them (`rebuild`).
    """

    def __init__(
        self,
        value: Float[np.ndarray, " P"],
        visits: Int[np.ndarray, " P"],
        *,
        length: int,
        signal: AbstractStepSignal,
        kernels: TreeKernels = NUMPY,
    ):
        """Args:
        value: scores by place; the caller's array, written in place.
        visits: times trained on by place, likewise.
        length: rows L of a window.
        signal: how scores and windows are formed, and the initial value.
        kernels: loops of the sum tree.
        """
        self.value, self.visits, self.length = value, visits, length
        self.largest = signal.initial_value
        """The largest score ever written (the initial value before the first)."""
        self.tree = SumTree(len(value), kernels)
        self._power = np.zeros(len(value), np.float32)
        self._moments = Moments(len(value))
        self._initial = signal.initial_value
        self._signal = signal
        self._changes: list[Change] = []

    @property
    def nbytes(self) -> int:
        """Bytes of bookkeeping, without what the caller holds besides."""
        return self.value.nbytes + self.visits.nbytes + self._power.nbytes + self.tree.nbytes

    def follow(self, change: Change, keep: AbstractKeep) -> None:
        """Take notice of rows and windows that came and went; the work waits (`settle`)."""
        self._changes.append(change)
        if len(self._changes) > BACKLOG:
            self.settle(keep)

    def settle(self, keep: AbstractKeep) -> None:
        """Bring scores and weights up to date with what `follow` was told."""
        if not self._changes:
            return
        freed = np.concatenate([NOTHING, *(c.freed for c in self._changes if len(c.freed))])
        admitted = np.concatenate([change.admitted for change in self._changes])
        self.visits[freed] = 0  # dead rows are no longer among those seen
        self._moments.touch(freed)
        self.value[admitted], self.visits[admitted] = self._initial, 0
        self._power[admitted] = self.value[admitted] ** self._signal.exponent
        self._moments.touch(admitted)
        place, opened = last_events(self._changes)
        self.tree.set(place[~opened], np.zeros(len(place) - opened.sum()))
        self._weigh(keep.address(place[opened]), keep)
        self._changes = []

    def commit(self, rows: Ticket, raw: Raw | None, keep: AbstractKeep) -> None:
        """Count a visit of each row, give it its new score, and weigh its windows anew.

        Rows that died since the draw are left out. Where a row comes several times every one
        counts as a visit, and the last score stays.

        Args:
            rows: trained rows, two axes [B, T]; sequences may be laid out of several pieces.
            raw: what the update returned for them, float32; None keeps the scores.
            keep: the store's retention.

        Raises ReplayError for a score that is negative or not finite.
        """
        self.settle(keep)
        place = keep.find(*rows)
        live = place >= 0
        place = place[live]
        np.add.at(self.visits, place, np.uint32(1))
        if raw is not None:
            self._put(place, self._signal.combine(raw[live], self.visits[place]))
            self._reweigh(rows, keep)
        self._refresh()

    def stats(self) -> dict[str, float]:
        """Quantiles of the weights of the windows that can be drawn, and the initial score."""
        weights = self.tree.weights
        weights = weights[weights > 0]
        if not len(weights):
            return {}
        names = ("weight_low", "weight_median", "weight_high", "weight_max")
        values = dict(zip(names, np.quantile(weights, QUANTILES).tolist(), strict=True))
        return values | {"initial": self._initial}

    def put(self, rows: Ticket, score: Float[np.ndarray, "B T"], keep: AbstractKeep) -> None:
        """Give rows a score without a visit (a sweep).

        Raises ReplayError for a score that is negative or not finite.
        """
        self.settle(keep)
        place = keep.find(*rows)
        self._put(place[place >= 0], score[place >= 0])
        self._reweigh(rows, keep)
        self._refresh()

    def rebuild(self, keep: AbstractKeep) -> None:
        """Weights of all windows from `value` and `visits`, which were loaded."""
        self._changes = []
        self._power[:] = self.value**self._signal.exponent
        self._moments = Moments(len(self.value))
        self.tree.set(np.arange(len(self.value)), np.zeros(len(self.value)))
        num = keep.num_windows(self.length)
        for begin in range(0, num, CHUNK):
            ordinal = np.arange(begin, min(begin + CHUNK, num))
            self._weigh_runs(keep.locate(ordinal, self.length), keep)

    def state(self) -> dict[str, Any]:
        """What `load` needs beside `value` and `visits`, as JSON values."""
        return {"initial": self._initial, "largest": self.largest}

    def load(self, state: Mapping[str, Any], keep: AbstractKeep) -> None:
        """Continue from a state and from loaded `value` and `visits`."""
        self._initial, self.largest = float(state["initial"]), float(state["largest"])
        self.rebuild(keep)

    def _put(self, place: Int[np.ndarray, " N"], score: Float[np.ndarray, " N"]) -> None:
        if not (np.isfinite(score).all() and (score >= 0).all()):
            bad = score[~(np.isfinite(score) & (score >= 0))][0]
            name = name_of(AbstractSignal, self._signal)
            raise ReplayError(
                f"the score {name!r} of a step is {bad}; a score must be finite and at least 0."
            )
        self.value[place] = score
        self._power[place] = self.value[place] ** self._signal.exponent
        self._moments.touch(place)
        self.largest = max(self.largest, float(score.max(initial=0.0)))

    def _windows(self, power: Float[np.ndarray, "R N"]) -> Float[np.ndarray, "R M"]:
        return self._signal.windows(power.astype(np.float64), self.length)

    def _weigh(self, windows: Ticket, keep: AbstractKeep) -> None:
        """Weigh these windows, which can be drawn, from their steps."""
        if not len(windows.row):
            return
        place = keep.find(*spread(windows, self.length))
        weight = self._windows(self._power[place])
        self.tree.set(place[:, 0], weight[:, 0])

    def _weigh_runs(self, windows: Ticket, keep: AbstractKeep) -> None:
        """`_weigh` for many windows, most of which follow each other."""
        order = np.lexsort((windows.row, windows.stream))
        stream, row = windows.stream[order], windows.row[order]
        breaks = np.flatnonzero((np.diff(row) != 1) | (np.diff(stream) != 0)) + 1
        for part in np.split(np.arange(len(row)), breaks):
            rows = row[part[0]] + np.arange(len(part) + self.length - 1)
            place = keep.find(np.full(len(rows), stream[part[0]]), rows)
            weight = self._windows(self._power[place][None])
            self.tree.set(place[: len(part)], weight[0])

    def _reweigh(self, rows: Ticket, keep: AbstractKeep) -> None:
        """Weigh every window that contains one of `rows`."""
        stream, first, count = runs_of(rows)
        row = first[:, None] + np.arange(1 - self.length, count + self.length - 1)
        stream = np.broadcast_to(stream[:, None], row.shape)
        place = keep.find(stream, row)
        weight = self._windows(self._power[place])
        num = weight.shape[1]
        can = keep.drawable(stream[:, :num], row[:, :num])
        self.tree.set(place[:, :num][can], weight[can])

    def _refresh(self) -> None:
        """The initial score of rows that arrive from now on."""
        match self._signal.initial:
            case "max":
                self._initial = self.largest
            case "mean":
                found = self._moments.mean_std(self.value, self.visits)
                if found is not None:
                    self._initial = max(0.0, found[0] + self._signal.initial_std * found[1])
            case "constant":
                pass


def last_events(
    changes: Sequence[Change],
) -> tuple[Int[np.ndarray, " N"], Bool[np.ndarray, " N"]]:
    """Every place where windows closed or opened once, and whether the last event opened it."""
    events = [(places, kind) for c in changes for kind, places in enumerate((c.closed, c.opened))]
    events = [(places, kind) for places, kind in events if len(places)]
    if not events:
        return NOTHING, NOTHING.astype(bool)
    parts, kinds = zip(*events, strict=True)
    kinds = np.repeat(np.array(kinds, bool), [len(part) for part in parts])
    place, kind = np.concatenate(parts)[::-1], kinds[::-1]
    place, where = np.unique(place, return_index=True)
    return place, kind[where]


def runs_of(rows: Ticket) -> tuple[Int[np.ndarray, " R"], Int[np.ndarray, " R"], int]:
    """Stream and first row of runs of neighbours that cover `rows` [B, T], and their length.

    Sequences of one piece are one run each. Where some have several pieces all runs are as long
    as the longest, and so cover other rows too.
    """
    stream, row = rows
    joined = (np.diff(row, axis=1) == 1) & (np.diff(stream, axis=1) == 0)
    if joined.all():
        return stream[:, 0], row[:, 0], row.shape[1]
    begins = np.pad(~joined, ((0, 0), (1, 0)), constant_values=True)
    where = np.flatnonzero(begins)
    length = np.diff(np.append(where, row.size)).max()
    return stream.reshape(-1)[where], row.reshape(-1)[where], int(length)
