"""Draws that choose a unit (an episode) first, and rows inside it second."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from reverie.replay.draw import AbstractDraw, Pool
from reverie.replay.errors import ReplayError
from reverie.replay.keep import Spans, Ticket
from reverie.replay.softmax import choose, softmax

UnitLaw = Callable[[int, Spans, Pool, np.random.Generator], Int[np.ndarray, " N"]]
"""Chooses units, by their number in `Spans`; the oldest is 0."""


class Piece(NamedTuple):
    """Rows of one unit, as DreamerV2 draws them."""

    start: int
    length: int


class PieceRule(NamedTuple):
    """How a piece lies in its unit."""

    shortest: int
    """Rows of a piece at least (DreamerV2's minlen), as far as the unit has them."""
    longest: int
    """Rows of a piece at most (maxlen)."""
    ends: int
    """So many of the drawn starts lie beyond the last one and mean that one: the end of a unit,
    where the reward is, comes more often. 0: every start is equally likely."""

    def piece(self, rows: int, jitter: float, start: float) -> Piece:
        """The piece of a unit of `rows` rows for two numbers in [0, 1).

        Length max(shortest, min(rows, longest) − ⌊jitter · shortest⌋), start the lesser of
        ⌊start · (rows − length + 1 + ends)⌋ and rows − length.
        Source: golden/dreamerv2/README.md §6.
        """
        most = min(rows, self.longest)
        length = max(min(self.shortest, most), most - int(jitter * self.shortest))
        first = int(start * (rows - length + 1 + self.ends))
        return Piece(min(first, rows - length), length)


class Episodes(AbstractDraw):
    """Sequences of pieces of units.

    Without `join` a piece is as long as a sequence and shorter units are never drawn. With it the
    pieces follow `rule`, and a sequence is filled with one after the other; the last is cut. Each
    piece begins with `is_first`, so that none inherits the state of another.

    Source: golden/dreamerv2/README.md §6, spec/continual-dreamer.md §3.
    Deviation: what is cut off is not carried into the next sequence, where DreamerV2 lets it begin
    from the state of a foreign row.
    """

    def __init__(self, law: UnitLaw, rule: PieceRule, *, join: bool):
        self._law, self._rule, self._join = law, rule, join

    def draw(self, num: int, pool: Pool, rng: np.random.Generator) -> Ticket:
        spans = pool.keep.spans()
        if not self._join:
            return self._windows(num, spans, pool, rng)
        stream = np.zeros((num, pool.length), np.int64)
        row = np.zeros((num, pool.length), np.int64)
        filled = np.zeros(num, np.int64)
        while (filled < pool.length).any():
            open_ = np.flatnonzero(filled < pool.length)
            units = self._law(len(open_), spans, pool, rng)
            jitter, start = rng.random((2, len(open_)))
            for b, unit, j, s in zip(open_, units, jitter, start, strict=True):
                piece = self._rule.piece(int(spans.rows[unit]), j, s)
                end = min(pool.length, filled[b] + piece.length)
                part = slice(filled[b], end)
                stream[b, part] = spans.stream[unit]
                row[b, part] = spans.first[unit] + piece.start + np.arange(end - filled[b])
                filled[b] = end
        return Ticket(stream, row)

    def probability(self, ticket: Ticket, pool: Pool) -> None:
        """Not known: a sequence may be laid out of several pieces."""

    def effective(self, pool: Pool) -> None:
        """Not known: it depends on how pieces overlap."""

    def _windows(self, num: int, spans: Spans, pool: Pool, rng: np.random.Generator) -> Ticket:
        long = spans.rows >= pool.length
        if not long.any():
            raise ReplayError(
                f"no unit holds {pool.length} rows, as a sequence takes; the longest holds "
                f"{spans.rows.max(initial=0)}: set --replay.join, or a shorter --train.length."
            )
        spans = Spans(*(part[long] for part in spans))
        unit = self._law(num, spans, pool, rng)
        room = spans.rows[unit] - pool.length
        first = (rng.random(num) * (room + 1 + self._rule.ends)).astype(np.int64)
        return Ticket(spans.stream[unit], spans.first[unit] + np.minimum(first, room))


def by_ordinal(law: Callable[[Float[np.ndarray, " N"], int], Int[np.ndarray, " N"]]) -> UnitLaw:
    """The law of `ages.py` over units instead of windows."""
    return lambda num, spans, pool, rng: law(rng.random(num), len(spans.rows))


def uniform(num: int, spans: Spans, pool: Pool, rng: np.random.Generator) -> np.ndarray:
    """Every unit is equally likely."""
    return rng.integers(len(spans.rows), size=num)


def by_return(width: float) -> UnitLaw:
    """P(unit) ∝ exp(return / width), `width` in units of the return.

    Source: continual-dreamer.md §3.6 (temperature 1, raw returns).
    """

    def law(num: int, spans: Spans, pool: Pool, rng: np.random.Generator) -> np.ndarray:
        if pool.returns is None:
            raise ReplayError("softmax over units needs returns: --replay.score.signal return.")
        last = pool.keep.find(spans.stream, spans.first + spans.rows - 1)
        returns = pool.returns[last].astype(np.float64)
        return choose(softmax(returns, width), rng.random(num))

    return law


def mixed(laws: Sequence[UnitLaw], shares: Sequence[float]) -> UnitLaw:
    """Each unit is chosen by law k with probability `shares[k]`."""
    edges = np.cumsum(shares)[:-1]

    def law(num: int, spans: Spans, pool: Pool, rng: np.random.Generator) -> np.ndarray:
        which = np.searchsorted(edges, rng.random(num), side="right")
        units = np.zeros(num, np.int64)
        for k, part in enumerate(laws):
            units[which == k] = part(int((which == k).sum()), spans, pool, rng)
        return units

    return law
