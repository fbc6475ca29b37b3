"""Windows by the rank of their weight."""

import numpy as np
from jaxtyping import Float

from reverie.replay.ages import recent, recent_share
from reverie.replay.draw import AbstractDraw, Pool, Uniform, effective_share, scores_of
from reverie.replay.keep import Ticket


class Rank(AbstractDraw):
    """P(window) ∝ rank⁻ᵉ, the heaviest has rank 1; windows of weight 0 are not drawn.

    The law of ranks is the closed form of `ages.recent` with the rank in the place of the age.
    The ranks are exact and found anew at every draw: 15 ms at a million windows.

    Source: PER (arXiv:1511.05952), rank-based variant, which sorts now and then instead.
    """

    def __init__(self, exponent: float):
        self._exponent = exponent

    def draw(self, num: int, pool: Pool, rng: np.random.Generator) -> Ticket:
        weights = scores_of(pool, "rank").tree.weights
        heavy = np.flatnonzero(weights)
        if not len(heavy):
            return Uniform().draw(num, pool, rng)
        ordinal = recent(rng.random(num), len(heavy), self._exponent)
        order = np.argpartition(weights[heavy], np.unique(ordinal))
        return pool.keep.address(heavy[order[ordinal]])

    def probability(self, ticket: Ticket, pool: Pool) -> None:
        """Not known: it would take a sort."""

    def law(self, pool: Pool) -> Float[np.ndarray, " P"]:
        weights = scores_of(pool, "rank").tree.weights
        heavy = np.flatnonzero(weights)
        if not len(heavy):
            return Uniform().law(pool)
        law = np.zeros(len(weights))
        order = np.argsort(weights[heavy], kind="stable")
        law[heavy[order]] = recent_share(len(heavy), self._exponent)
        return law

    def effective(self, pool: Pool) -> float:
        heavy = int(np.count_nonzero(scores_of(pool, "rank").tree.weights))
        if not heavy:
            return 1.0
        return effective_share(
            recent_share(heavy, self._exponent), pool.index.num_windows(pool.length)
        )
