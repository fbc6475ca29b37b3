"""Several draws, each with its share."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from reverie.part.checks import Checker
from reverie.part.errors import ConfigError
from reverie.part.needs import SCORES, STORES, UNITS, Need
from reverie.part.tree import claims
from reverie.replay.ages import Triangular
from reverie.replay.draw import AbstractDraw, Pool, Uniform
from reverie.replay.keep import Ticket, spread

Toss = Literal["window", "batch"]


class Member(NamedTuple):
    """One of the draws of a mixture."""

    draw: AbstractDraw
    share: float
    store: int | None = None
    """The store of a split memory that it draws from; None: the whole memory."""


class AbstractMixture(AbstractDraw):
    """Each window, or each whole batch, comes from one member with the probability of its share.

    Members are tossed once a batch [WMAR], or for every window [the 50:50 of Continual-Dreamer]. A
    member whose store holds no window yet passes its share to the others.
    """

    by: Toss

    @abstractmethod
    def members(self) -> list[Member]:
        """The members; shares are at least 0 and sum to 1 up to rounding."""

    def draw(self, num: int, pool: Pool, rng: np.random.Generator) -> Ticket:
        if not num:
            return Ticket(np.zeros(0, np.int64), np.zeros(0, np.int64))
        members = self._live()
        pools = [_pool(pool, member) for member in members]
        choice = self._choose(num, members, pools, rng)
        tickets = [
            member.draw.draw(int((choice == k).sum()), pools[k], rng)
            for k, member in enumerate(members)
            if (choice == k).any()
        ]
        if any(ticket.row.ndim == 2 for ticket in tickets):
            tickets = [spread(ticket, pool.length) for ticket in tickets]
        place = np.argsort(np.argsort(choice, kind="stable"), kind="stable")
        return Ticket(*(np.concatenate(pair)[place] for pair in zip(*tickets, strict=True)))

    def probability(self, ticket: Ticket, pool: Pool) -> Float[np.ndarray, " B"] | None:
        total = np.zeros(len(ticket.row))
        for draw, share, store in self._live():
            chance = None if store is not None else draw.probability(ticket, pool)
            if chance is None:
                return None
            total += share * chance
        return total

    def probabilities(self, pool: Pool) -> Float[np.ndarray, " P"]:
        members = self._live()
        pools = [_pool(pool, member) for member in members]
        law, shares = np.zeros(pool.keep.places), _shares(members, pools)
        for share, member, part in zip(shares, members, pools, strict=True):
            law += share * member.draw.probabilities(part) if share else 0.0
        return law

    @property
    def pieces(self) -> bool:
        return all(member.draw.pieces for member in self._live())

    @property
    def weighable(self) -> bool:
        return all(member.draw.weighable and member.store is None for member in self._live())

    @property
    def wrong(self) -> str:
        return next((m.draw.wrong for m in self._live() if m.draw.wrong), "")

    def _live(self) -> list[Member]:
        return [member for member in self.members() if member.share > 0]

    def _choose(
        self,
        num: int,
        members: Sequence[Member],
        pools: Sequence[Pool],
        rng: np.random.Generator,
    ) -> Int[np.ndarray, " B"]:
        uniform = rng.random(1 if self.by == "batch" else num)
        edges = np.cumsum(_shares(members, pools))
        return np.broadcast_to(np.searchsorted(edges[:-1], uniform, side="right"), (num,))


def _pool(pool: Pool, member: Member) -> Pool:
    return pool if member.store is None else pool._replace(index=pool.keep.parts[member.store])


def _shares(members: Sequence[Member], pools: Sequence[Pool]) -> Float[np.ndarray, " K"]:
    """The members' shares, those without a window passing theirs on."""
    pairs = zip(members, pools, strict=True)
    there = [member.share * (pool.index.num_windows(pool.length) > 0) for member, pool in pairs]
    return np.array(there) / sum(there)


@dataclass(frozen=True)
class Mixture(AbstractMixture):
    """Windows of two draws. A mixture inside a mixture is tossed together with it."""

    first: AbstractDraw = field(default_factory=Triangular)
    """The draw that takes `share` of the windows."""
    second: AbstractDraw = field(default_factory=Uniform)
    """The draw that takes the rest."""
    share: float = 0.5
    """Share of the first draw, in [0, 1]."""
    by: Toss = "window"
    """Toss for every window, or for whole batches."""

    def __post_init__(self):
        Checker(self, "replay.draw.").share("share")

    def members(self) -> list[Member]:
        pairs = [(self.first, self.share), (self.second, 1.0 - self.share)]
        found: list[Member] = []
        for draw, share in pairs:
            parts = [Member(draw, 1.0)]
            if isinstance(draw, Mixture) and draw.by == self.by:
                parts = draw.members()
            found += [Member(part.draw, share * part.share) for part in parts]
        return found


@dataclass(frozen=True)
class Stores(AbstractMixture):
    """Windows of the two stores of a split memory, by the same draw in each.

    Source: WMAR (arXiv:2401.16650).
    """

    inner: AbstractDraw = field(default_factory=Uniform)
    """How windows are drawn inside a store."""
    share: float = 0.5
    """Share of the windows that come from the fifo store."""
    by: Toss = "window"
    """Toss for every window, or for whole batches."""

    def __post_init__(self):
        Checker(self, "replay.draw.").share("share")
        for claim in claims(self):
            if claim.needs & {SCORES, UNITS, STORES}:
                raise ConfigError(
                    f"replay.draw.{claim.path} {claim.choice!r} has one law for the whole memory, "
                    "which would undo the shares of replay.draw 'stores': use uniform, recency, "
                    "triangular or time_balanced there, or another replay.keep."
                )

    def members(self) -> list[Member]:
        return [Member(self.inner, self.share, 0), Member(self.inner, 1.0 - self.share, 1)]

    def needs(self) -> frozenset[Need]:
        return frozenset({STORES})
