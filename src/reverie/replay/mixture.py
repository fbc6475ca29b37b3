"""Several draws, each with its share."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from reverie.replay.draw import AbstractDraw, Pool, effective_share
from reverie.replay.keep import Ticket, spread


class Mixture(AbstractDraw):
    """Each window, or each whole batch, comes from member k with probability `shares[k]`.

    `parts[k]` is the part of a split store that member k draws from; None is the whole store. A
    batch-wise member is tossed once a batch [WMAR]; an item-wise one for every window [the 50:50
    of Continual-Dreamer]. A member whose part holds no window yet passes its share to the others.
    """

    def __init__(
        self,
        members: Sequence[AbstractDraw],
        shares: Sequence[float],
        *,
        parts: Sequence[int | None] | None = None,
        whole_batch: bool = False,
    ):
        """Shares are at least 0 and sum to 1 up to rounding; members without a share are dropped.

        Raises ValueError for other shares.
        """
        if min(shares, default=-1.0) < 0 or abs(sum(shares) - 1.0) > 1e-9:
            raise ValueError(f"shares must be at least 0 and sum to 1, got {[*shares]}.")
        parts = [None] * len(members) if parts is None else parts
        rows = zip(members, shares, parts, strict=True)
        self._rows = [row for row in rows if row[1] > 0]
        self._whole_batch = whole_batch

    def draw(self, num: int, pool: Pool, rng: np.random.Generator) -> Ticket:
        if not num:
            return Ticket(np.zeros(0, np.int64), np.zeros(0, np.int64))
        pools = [self._pool(pool, part) for _, _, part in self._rows]
        choice = self._choose(num, pools, rng)
        tickets = [
            member.draw(int((choice == k).sum()), pools[k], rng)
            for k, (member, _, _) in enumerate(self._rows)
            if (choice == k).any()
        ]
        if any(ticket.row.ndim == 2 for ticket in tickets):
            tickets = [spread(ticket, pool.length) for ticket in tickets]
        place = np.argsort(np.argsort(choice, kind="stable"), kind="stable")
        return Ticket(*(np.concatenate(pair)[place] for pair in zip(*tickets, strict=True)))

    def probability(self, ticket: Ticket, pool: Pool) -> Float[np.ndarray, " B"] | None:
        total = np.zeros(len(ticket.row))
        for member, share, part in self._rows:
            chance = None if part is not None else member.probability(ticket, pool)
            if chance is None:
                return None
            total += share * chance
        return total

    def law(self, pool: Pool) -> Float[np.ndarray, " P"]:
        pools = [self._pool(pool, part) for _, _, part in self._rows]
        law = np.zeros(pool.keep.places)
        for share, (member, _, _), part in zip(self._shares(pools), self._rows, pools, strict=True):
            law += share * member.law(part) if share else 0.0
        return law

    def effective(self, pool: Pool) -> float:
        return effective_share(self.law(pool), pool.index.num_windows(pool.length))

    def _pool(self, pool: Pool, part: int | None) -> Pool:
        return pool if part is None else pool._replace(index=pool.keep.parts[part])

    def _shares(self, pools: Sequence[Pool]) -> Float[np.ndarray, " K"]:
        """The members' shares, those without a window passing theirs on."""
        pairs = zip(self._rows, pools, strict=True)
        there = [share * (pool.index.num_windows(pool.length) > 0) for (_, share, _), pool in pairs]
        return np.array(there) / sum(there)

    def _choose(
        self, num: int, pools: Sequence[Pool], rng: np.random.Generator
    ) -> Int[np.ndarray, " B"]:
        uniform = rng.random(1 if self._whole_batch else num)
        edges = np.cumsum(self._shares(pools))
        return np.broadcast_to(np.searchsorted(edges[:-1], uniform, side="right"), (num,))
