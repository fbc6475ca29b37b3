"""Draws that choose a unit (an episode) first, and rows inside it second."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from reverie.replay.draw import AbstractDraw, Pool, effective_share
from reverie.replay.errors import ReplayError
from reverie.replay.keep import Spans, Ticket
from reverie.replay.softmax import choose, softmax

UnitLaw = Callable[[Spans, Pool], Float[np.ndarray, " U"]]
"""The probability of every unit in `Spans`, the oldest first."""


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

    def starts(self, rows: int) -> Float[np.ndarray, " R"]:
        """The probability that a piece of a unit of `rows` rows begins at each of them."""
        share = np.zeros(rows)
        for cut in range(self.shortest):
            length = self.piece(rows, (cut + 0.5) / self.shortest, 0.0).length
            share[: rows - length + 1] += last_more_often(rows - length, self.ends)
        return share / self.shortest


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
        chance = self._law(spans, pool)
        stream = np.zeros((num, pool.length), np.int64)
        row = np.zeros((num, pool.length), np.int64)
        filled = np.zeros(num, np.int64)
        while (filled < pool.length).any():
            open_ = np.flatnonzero(filled < pool.length)
            units = choose(chance, rng.random(len(open_)))
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

    def law(self, pool: Pool) -> Float[np.ndarray, " P"]:
        spans = pool.keep.spans()
        spans = spans if self._join else _long(spans, pool)
        law = np.zeros(pool.keep.places)
        for stream, first, rows, chance in zip(*spans, self._law(spans, pool), strict=True):
            row = np.arange(first, first + rows)
            law[pool.keep.find(np.full(rows, stream), row)] = chance * self._starts(rows, pool)
        return law

    def effective(self, pool: Pool) -> float:
        """As a share of the rows at which a piece can begin."""
        spans = pool.keep.spans()
        spans = spans if self._join else _long(spans, pool)
        count = sum(np.count_nonzero(self._starts(rows, pool)) for rows in spans.rows)
        return effective_share(self.law(pool), int(count))

    def _starts(self, rows: int, pool: Pool) -> Float[np.ndarray, " R"]:
        """How the beginnings of pieces spread over a unit."""
        if self._join:
            return self._rule.starts(rows)
        share = np.zeros(rows)
        share[: rows - pool.length + 1] = last_more_often(rows - pool.length, self._rule.ends)
        return share

    def _windows(self, num: int, spans: Spans, pool: Pool, rng: np.random.Generator) -> Ticket:
        spans = _long(spans, pool)
        unit = choose(self._law(spans, pool), rng.random(num))
        room = spans.rows[unit] - pool.length
        first = (rng.random(num) * (room + 1 + self._rule.ends)).astype(np.int64)
        return Ticket(spans.stream[unit], spans.first[unit] + np.minimum(first, room))


def _long(spans: Spans, pool: Pool) -> Spans:
    """The units that hold a whole sequence. Raises ReplayError where there is none."""
    long = spans.rows >= pool.length
    if not long.any():
        raise ReplayError(
            f"no unit holds {pool.length} rows, as a sequence takes; the longest holds "
            f"{spans.rows.max(initial=0)}: set --replay.join, or a shorter --train.length."
        )
    return Spans(*(part[long] for part in spans))


def last_more_often(last: int, ends: int) -> Float[np.ndarray, " N"]:
    """Shares of the starts 0 … `last` where `ends` starts beyond the last one mean that one."""
    share = np.full(last + 1, 1.0)
    share[last] += ends
    return share / (last + 1 + ends)


def by_ordinal(share: Callable[[int], Float[np.ndarray, " N"]]) -> UnitLaw:
    """The shares of `ages.py` over units instead of windows."""
    return lambda spans, pool: share(len(spans.rows))


def uniform(spans: Spans, pool: Pool) -> Float[np.ndarray, " U"]:
    """Every unit is equally likely."""
    return np.full(len(spans.rows), 1.0 / len(spans.rows))


def by_return(width: float) -> UnitLaw:
    """P(unit) ∝ exp(return / width), `width` in units of the return.

    Source: continual-dreamer.md §3.6 (temperature 1, raw returns).
    """

    def law(spans: Spans, pool: Pool) -> Float[np.ndarray, " U"]:
        if pool.returns is None:
            raise ReplayError("softmax over units needs returns: --replay.score.signal return.")
        last = pool.keep.find(spans.stream, spans.first + spans.rows - 1)
        returns = pool.returns[last].astype(np.float64)
        return softmax(returns, width)

    return law


def mixed(laws: Sequence[UnitLaw], shares: Sequence[float]) -> UnitLaw:
    """Each unit is chosen by law k with probability `shares[k]`."""

    def law(spans: Spans, pool: Pool) -> Float[np.ndarray, " U"]:
        parts = (share * part(spans, pool) for part, share in zip(laws, shares, strict=True))
        return np.sum([*parts], 0)

    return law
