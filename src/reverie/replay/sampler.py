"""Everything between what is kept and what is trained on: draws, scores, fresh windows."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Shaped

from reverie.part.needs import RETURNS
from reverie.replay import tree
from reverie.replay.draw import Pool, Uniform
from reverie.replay.episodes import RETURN, Returns
from reverie.replay.keep import AbstractKeep, Change, Ticket, spread
from reverie.replay.options import ReplayConfig
from reverie.replay.rows import Column, Columns
from reverie.replay.scores import VALUE, VISITS, Scores
from reverie.replay.signal import AbstractStepSignal
from reverie.replay.statistics import DrawHistogram
from reverie.replay.unseen import WAITING, Fresh

SCORE = "score"
"""Key of the scores among what an update writes back."""


WEIGHT = "weight"
"""Key of the importance weights [B] in a batch, where the strategy has them."""


def score_columns(config: ReplayConfig) -> Columns:
    """The columns that the strategy keeps beside those of a row; sequences do not hold them."""
    wanted: dict[str, str] = {}
    if isinstance(config.signal, AbstractStepSignal):
        wanted |= {VALUE: "float32", VISITS: "uint32"}
    if RETURNS in config.signal.offers():
        wanted |= {RETURN: "float32"}
    if config.fresh:
        wanted |= {WAITING: "bool"}
    return {name: Column((), np.dtype(dtype)) for name, dtype in wanted.items()}


def kernels_of(name: str) -> tree.TreeKernels:
    """The loops that `replay.kernels` asks for. Raises ImportError without Numba."""
    if name == "numpy" or (name == "auto" and not tree.compilable()):
        return tree.NUMPY
    return tree.compiled_kernels()


class Drawn(NamedTuple):
    """One batch of windows."""

    ticket: Ticket
    fresh: int
    """How many of them came first: from the online queue and the fresh share."""
    weight: Float[np.ndarray, " B"] | None
    """Importance weights, the largest 1; None where the strategy has none."""


class Sampler:
    """Draws windows, and keeps what draws depend on.

    `Replay` tells it what happened (`follow`), asks it for windows (`draw`) and hands it what
    updates found out (`commit`). Only `draw` of the fresh share and `commit` change anything;
    `peek` does not.
    """

    def __init__(
        self,
        config: ReplayConfig,
        *,
        length: int,
        streams: int,
        arrays: Mapping[str, Shaped[np.ndarray, " P"]],
        touch: Callable[[Int[np.ndarray, " N"]], None] = lambda place: None,
    ):
        """Args:
        config: the strategy.
        length: rows L of a window.
        streams: environments E.
        arrays: the columns `score_columns` by place; written in place.
        touch: told of places whose columns changed outside of a write-back.
        """
        self._config, self.length = config, length
        self._draw, self._importance = config.draw, config.importance
        self.scores = None
        if isinstance(config.signal, AbstractStepSignal):
            self.scores = Scores(
                arrays[VALUE],
                arrays[VISITS],
                length=length,
                signal=config.signal,
                kernels=kernels_of(config.kernels),
            )
        self._fresh = Fresh(arrays[WAITING], length=length) if WAITING in arrays else None
        self._returns = Returns(arrays[RETURN], streams=streams) if RETURN in arrays else None
        self._touch = touch
        self.histogram = DrawHistogram()

    @property
    def weighted(self) -> bool:
        """Whether draws come with importance weights."""
        return self._importance.active

    @property
    def nbytes(self) -> int:
        """Bytes of bookkeeping beside the columns of the store."""
        parts = [part.nbytes for part in (self.scores, self._fresh) if part is not None]
        return sum(parts)

    def follow(self, change: Change, keep: AbstractKeep, rows: Mapping[str, Any]) -> None:
        """Take notice of the rows that were just added, one a stream, and of what they replaced."""
        if self.scores is not None:
            self.scores.follow(change, keep)
        if self._returns is not None:
            self._touch(self._returns.follow(change, keep, rows))
        if self._fresh is not None:
            self._fresh.follow(change)

    def draw(
        self, num: int, keep: AbstractKeep, rng: np.random.Generator, *, first: Ticket, clock: int
    ) -> Drawn:
        """`num` windows: `first`, then the fresh share, then the strategy's own draw.

        Args:
            num: windows, at least as many as `first` has.
            keep: the store's retention.
            rng: the randomness of this batch.
            first: windows that are trained on in any case (the online queue).
            clock: batches drawn before, the time of the importance weights.
        """
        pool = self._pool(keep)
        new = _nothing()
        if self._fresh is not None:
            self._fresh.take(first, keep)
            left = num - len(first.row)
            new = self._fresh.draw(min(left, int(self._config.fresh * num + 1e-9)), keep, rng)
        ticket = join(first, new, self.length)
        rest = self._draw.draw(num - len(ticket.row), pool, rng)
        if self._fresh is not None:
            self._fresh.take(rest, keep)
        ticket, known = join(ticket, rest, self.length), len(ticket.row)
        if self._fresh is not None:
            self._touch(_places(spread(ticket, self.length), keep))
        return Drawn(ticket, known, self._importance.weights(self._draw, ticket, pool, clock))

    def peek(self, num: int, keep: AbstractKeep, length: int, rng: np.random.Generator) -> Ticket:
        """`num` windows for a report: uniform whatever the strategy, so that reports can be
        compared, and without any effect."""
        return Uniform().draw(num, Pool(keep, keep, length, None), rng)

    def commit(
        self, rows: Ticket, raw: Float[np.ndarray, "B T"] | None, keep: AbstractKeep
    ) -> None:
        """What an update found out about the rows [B, T] it trained on."""
        if self.scores is not None:
            self.scores.commit(rows, raw, keep)

    def put(self, rows: Ticket, score: Float[np.ndarray, "B T"], keep: AbstractKeep) -> None:
        """New scores for rows [B, T] that were not trained on."""
        if self.scores is not None:
            self.scores.put(rows, score, keep)
            self._touch(_places(rows, keep))

    def settle(self, keep: AbstractKeep) -> None:
        """Bring the columns up to date, as a checkpoint needs them. Changes no later number."""
        if self.scores is not None:
            self.scores.settle(keep)
        if self._fresh is not None:
            self._fresh.settle()

    def stats(self, keep: AbstractKeep) -> dict[str, float]:
        """Metrics without `replay/`; those of draws cover the time since the previous call."""
        values, pool = self.histogram.report(), self._pool(keep)
        if keep.num_windows(self.length):
            values["effective"] = self._draw.effective(pool)
        return values if self.scores is None else values | self.scores.stats()

    def state(self) -> dict[str, Any]:
        """What `load` needs beside the columns, as JSON values."""
        return {
            "scores": None if self.scores is None else self.scores.state(),
            "returns": None if self._returns is None else self._returns.state(),
            "portrait": self.histogram.state(),
        }

    def load(self, state: Mapping[str, Any], keep: AbstractKeep) -> None:
        """Continue from a state and from loaded columns."""
        if self.scores is not None:
            self.scores.load(state["scores"], keep)
        if self._returns is not None:
            self._returns.load(state["returns"])
        if self._fresh is not None:
            self._fresh.rebuild(keep)
        self.histogram.load(state["portrait"])

    def _pool(self, keep: AbstractKeep) -> Pool:
        if self.scores is not None:
            self.scores.settle(keep)
        values = None if self._returns is None else self._returns.value
        return Pool(keep, keep, self.length, self.scores, values, self._config.unit.minlen)


def join(first: Ticket, rest: Ticket, length: int) -> Ticket:
    """Both tickets as one; row by row where one of them is laid out of pieces."""
    if first.row.ndim != rest.row.ndim:
        if not len(first.row):
            return rest
        first, rest = spread(first, length), spread(rest, length)
    return Ticket(*(np.concatenate(pair) for pair in zip(first, rest, strict=True)))


def _nothing() -> Ticket:
    return Ticket(np.zeros(0, np.int64), np.zeros(0, np.int64))


def _places(rows: Ticket, keep: AbstractKeep) -> Int[np.ndarray, " N"]:
    place = keep.find(*rows)
    return place[place >= 0]
