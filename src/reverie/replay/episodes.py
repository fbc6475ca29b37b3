"""Draws that choose a unit (an episode) first, and rows inside it second."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from reverie.part.checks import Checker
from reverie.part.needs import RETURNS, UNITS, Need
from reverie.replay.ages import Triangular
from reverie.replay.draw import AbstractDraw, AbstractUnitLaw, Pool, Uniform, effective_share
from reverie.replay.errors import ReplayError
from reverie.replay.keep import AbstractKeep, Spans, Ticket
from reverie.replay.priorities import SCALE, choose, softmax

RETURN = "score/return"
"""Column with the return of a row's episode, where a law reads it."""


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


@dataclass(frozen=True)
class Episodes(AbstractDraw):
    """Sequences of pieces of units.

    Without `join` a piece is as long as a sequence and shorter units are never drawn. With it the
    pieces follow `PieceRule`, and fill a sequence one after the other; the last is cut. Each piece
    begins with `is_first`, so that none inherits the state of another.

    Source: golden/dreamerv2/README.md §6, spec/continual-dreamer.md §3.
    Deviation: what is cut off is not carried into the next sequence, where DreamerV2 lets it begin
    from the state of a foreign row.
    """

    law: AbstractUnitLaw = field(default_factory=Uniform)
    """How a unit is chosen."""
    join: bool = False
    """Fill a sequence with pieces of several units, as DreamerV2; off, units shorter than a
    sequence are never drawn."""
    ends: int = 0
    """So many more starts mean the last one of a unit, so that its end comes more often, rows. 0:
    every start alike."""

    def __post_init__(self):
        Checker(self, "replay.draw.").at_least(0, "ends")

    def needs(self) -> frozenset[Need]:
        return frozenset({UNITS})

    @property
    def pieces(self) -> bool:
        return self.join

    @property
    def wrong(self) -> str:
        return self.law.wrong

    def draw(self, num: int, pool: Pool, rng: np.random.Generator) -> Ticket:
        spans = pool.keep.spans()
        if not self.join:
            return self._windows(num, spans, pool, rng)
        chance, rule = self.law.chances(spans, pool), self._rule(pool)
        stream = np.zeros((num, pool.length), np.int64)
        row = np.zeros((num, pool.length), np.int64)
        filled = np.zeros(num, np.int64)
        while (filled < pool.length).any():
            open_ = np.flatnonzero(filled < pool.length)
            units = choose(chance, rng.random(len(open_)))
            jitter, start = rng.random((2, len(open_)))
            for b, unit, j, s in zip(open_, units, jitter, start, strict=True):
                piece = rule.piece(int(spans.rows[unit]), j, s)
                end = min(pool.length, filled[b] + piece.length)
                part = slice(filled[b], end)
                stream[b, part] = spans.stream[unit]
                row[b, part] = spans.first[unit] + piece.start + np.arange(end - filled[b])
                filled[b] = end
        return Ticket(stream, row)

    def probabilities(self, pool: Pool) -> Float[np.ndarray, " P"]:
        spans = pool.keep.spans()
        spans = spans if self.join else _long(spans, pool)
        law = np.zeros(pool.keep.places)
        for stream, first, rows, chance in zip(*spans, self.law.chances(spans, pool), strict=True):
            row = np.arange(first, first + rows)
            law[pool.keep.find(np.full(rows, stream), row)] = chance * self._starts(rows, pool)
        return law

    def effective(self, pool: Pool) -> float:
        """As a share of the rows at which a piece can begin."""
        spans = pool.keep.spans()
        spans = spans if self.join else _long(spans, pool)
        count = sum(np.count_nonzero(self._starts(rows, pool)) for rows in spans.rows)
        return effective_share(self.probabilities(pool), int(count))

    def _rule(self, pool: Pool) -> PieceRule:
        return PieceRule(max(1, pool.minlen), pool.length, self.ends)

    def _starts(self, rows: int, pool: Pool) -> Float[np.ndarray, " R"]:
        """How the beginnings of pieces spread over a unit."""
        if self.join:
            return self._rule(pool).starts(rows)
        share = np.zeros(rows)
        share[: rows - pool.length + 1] = last_more_often(rows - pool.length, self.ends)
        return share

    def _windows(self, num: int, spans: Spans, pool: Pool, rng: np.random.Generator) -> Ticket:
        spans = _long(spans, pool)
        unit = choose(self.law.chances(spans, pool), rng.random(num))
        room = spans.rows[unit] - pool.length
        first = (rng.random(num) * (room + 1 + self.ends)).astype(np.int64)
        return Ticket(spans.stream[unit], spans.first[unit] + np.minimum(first, room))


def _long(spans: Spans, pool: Pool) -> Spans:
    """The units that hold a whole sequence. Raises ReplayError where there is none."""
    long = spans.rows >= pool.length
    if not long.any():
        raise ReplayError(
            f"no unit holds {pool.length} rows, as a sequence takes; the longest holds "
            f"{spans.rows.max(initial=0)}: set --replay.draw.join, or a shorter --train.length."
        )
    return Spans(*(part[long] for part in spans))


def last_more_often(last: int, ends: int) -> Float[np.ndarray, " N"]:
    """Shares of the starts 0 … `last` where `ends` starts beyond the last one mean that one."""
    share = np.full(last + 1, 1.0)
    share[last] += ends
    return share / (last + 1 + ends)


@dataclass(frozen=True)
class ByReturn(AbstractUnitLaw):
    """P(unit) ∝ exp(return / (scale · temperature)).

    Source: continual-dreamer.md §3.6 (temperature 1, raw returns).
    """

    temperature: float = 1.0
    """Temperature, units of `scale`: a difference of scale · temperature is a factor e."""
    scale: float = 0.0
    """Difference of returns that counts as 1, reward; must be set."""

    def __post_init__(self):
        check = Checker(self, "replay.draw.law.")
        check.above(0, "temperature")
        check.at_least(0, "scale")

    def needs(self) -> frozenset[Need]:
        return frozenset({RETURNS})

    @property
    def wrong(self) -> str:
        ok = self.scale > 0
        return "" if ok else f"replay.draw.law 'returns' needs replay.draw.law.scale: {SCALE}"

    def chances(self, spans: Spans, pool: Pool) -> Float[np.ndarray, " U"]:
        if pool.returns is None:
            raise ReplayError("a law of returns needs them: set --replay.signal return.")
        last = pool.keep.find(spans.stream, spans.first + spans.rows - 1)
        returns = pool.returns[last].astype(np.float64)
        return softmax(returns, self.temperature * self.scale)


@dataclass(frozen=True)
class UnitMixture(AbstractUnitLaw):
    """Each unit is chosen by one of two laws [the 50:50 of Continual-Dreamer]."""

    first: AbstractUnitLaw = field(default_factory=Triangular)
    """The law that chooses `share` of the units."""
    second: AbstractUnitLaw = field(default_factory=Uniform)
    """The law that chooses the rest."""
    share: float = 0.5
    """Share of the first law, in [0, 1]."""

    def __post_init__(self):
        Checker(self, "replay.draw.law.").share("share")

    @property
    def wrong(self) -> str:
        return self.first.wrong or self.second.wrong

    def chances(self, spans: Spans, pool: Pool) -> Float[np.ndarray, " U"]:
        pairs = ((self.first, self.share), (self.second, 1.0 - self.share))
        return np.sum([share * law.chances(spans, pool) for law, share in pairs if share], 0)


class Returns:
    """Undiscounted sums of rewards. A row of an episode that has not ended has return 0."""

    def __init__(self, value: Float[np.ndarray, " P"], keep: AbstractKeep, *, streams: int):
        """`value`: returns by place; the caller's array, written in place."""
        self.value, self._keep = value, keep
        self._total = np.zeros(streams)
        self._begin = np.zeros(streams, np.int64)

    def follow(
        self, place: Int[np.ndarray, " E"], rows: Mapping[str, Any]
    ) -> Int[np.ndarray, " N"]:
        """Take in the rows, one a stream, that were just added; the places that were written."""
        self.value[place] = 0.0
        newest, first = self._keep.inserted - 1, np.asarray(rows["is_first"])
        self._total = np.where(first, 0.0, self._total) + np.asarray(rows["reward"], np.float64)
        self._begin = np.where(first, newest, self._begin)
        written = [place]
        for stream in np.flatnonzero(rows["is_last"]):
            row = np.arange(self._begin[stream], newest + 1)
            place = self._keep.find(np.full(len(row), stream), row)
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
