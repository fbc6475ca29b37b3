"""Windows in proportion to their weight."""

import numpy as np
from jaxtyping import Float

from reverie.replay.draw import AbstractDraw, Pool, Uniform, effective_share, scores_of
from reverie.replay.keep import Ticket


class Proportional(AbstractDraw):
    """P(window) = w / Σw; uniform where every weight is 0.

    `stratified`: draw i of B comes from the i-th of B equal shares of the total weight, which
    leaves the law of a batch's members together as it is and lowers its variance [PER].

    Source: replay-sampling.md §1.2 and §4.4; without the bias towards windows never seen (its D5).
    """

    def __init__(self, *, stratified: bool = False):
        self._stratified = stratified

    def draw(self, num: int, pool: Pool, rng: np.random.Generator) -> Ticket:
        tree = scores_of(pool, "proportional").tree
        if not tree.total > 0:
            return Uniform().draw(num, pool, rng)
        uniform = rng.random(num)
        if self._stratified:
            uniform = (np.arange(num) + uniform) / max(1, num)
        return pool.keep.address(tree.draw(uniform))

    def probability(self, ticket: Ticket, pool: Pool) -> Float[np.ndarray, " B"]:
        tree = scores_of(pool, "proportional").tree
        if not tree.total > 0:
            return Uniform().probability(ticket, pool)
        return tree.weights[pool.keep.find(*ticket)] / tree.total

    def law(self, pool: Pool) -> Float[np.ndarray, " P"]:
        tree = scores_of(pool, "proportional").tree
        return tree.weights / tree.total if tree.total > 0 else Uniform().law(pool)

    def effective(self, pool: Pool) -> float:
        tree = scores_of(pool, "proportional").tree
        return effective_share(tree.weights, pool.index.num_windows(pool.length))
