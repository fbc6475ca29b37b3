"""Draws that prefer windows by their age."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from reverie.replay.ages import Ordinals, Uniforms
from reverie.replay.draw import AbstractDraw, Pool, effective_share, in_places
from reverie.replay.keep import Ticket


class ByAge(AbstractDraw):
    """A law over ordinals (`ages.py`), whatever retention the windows come from.

    Age is the rank among the windows that can be drawn now.
    """

    def __init__(
        self,
        law: Callable[[Uniforms, int], Ordinals],
        share: Callable[[int], Float[np.ndarray, " N"]],
    ):
        """Args:
        law: maps numbers in [0, 1) and the number N of windows to ordinals 0 … N − 1.
        share: the probability of every ordinal under it.
        """
        self._law, self._share = law, share

    def draw(self, num: int, pool: Pool, rng: np.random.Generator) -> Ticket:
        ordinal = self._law(rng.random(num), pool.index.num_windows(pool.length))
        return pool.index.locate(ordinal, pool.length)

    def probability(self, ticket: Ticket, pool: Pool) -> None:
        """Not known: a ticket does not say its ordinal."""

    def law(self, pool: Pool) -> Float[np.ndarray, " P"]:
        return in_places(self._share(pool.index.num_windows(pool.length)), pool)

    def effective(self, pool: Pool) -> float:
        num = pool.index.num_windows(pool.length)
        return effective_share(self._share(num), num)
