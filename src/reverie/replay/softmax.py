"""Windows by the softmax of their weight."""

import numpy as np
from jaxtyping import Float, Int

from reverie.replay.draw import AbstractDraw, Pool, effective_share, scores_of
from reverie.replay.errors import ReplayError
from reverie.replay.keep import Ticket


def softmax(score: Float[np.ndarray, " N"], width: float) -> Float[np.ndarray, " N"]:
    """exp(s / width) / Σ exp(s / width); the same for scores that differ by a constant.

    `width`, in units of the scores, is greater than 0: infinity is uniform, towards 0 the largest
    takes all.
    """
    weight = np.exp((score - score.max()) / width)
    return weight / weight.sum()


def choose(probability: Float[np.ndarray, " N"], uniform: Float[np.ndarray, " B"]) -> np.ndarray:
    """Index i for a share `probability[i]` of the numbers in [0, 1)."""
    running = np.cumsum(probability)
    found = np.searchsorted(running, uniform * running[-1], side="right")
    return np.minimum(found, len(probability) - 1)


class Softmax(AbstractDraw):
    """P(window) ∝ exp(weight / (scale · temperature)) over windows of weight above 0.

    The whole law is computed at every draw: 10 ms at a million windows.
    """

    def __init__(self, *, temperature: float, scale: float):
        """`scale`: weights' unit; a difference of `scale · temperature` is a factor e."""
        self._width = temperature * scale

    def draw(self, num: int, pool: Pool, rng: np.random.Generator) -> Ticket:
        place, chance = self._chances(pool)
        return pool.keep.address(place[choose(chance, rng.random(num))])

    def probability(self, ticket: Ticket, pool: Pool) -> Float[np.ndarray, " B"]:
        place, chance = self._chances(pool)
        return chance[np.searchsorted(place, pool.keep.find(*ticket))]

    def law(self, pool: Pool) -> Float[np.ndarray, " P"]:
        place, chance = self._chances(pool)
        law = np.zeros(pool.keep.places)
        law[place] = chance
        return law

    def effective(self, pool: Pool) -> float:
        _, chance = self._chances(pool)
        return effective_share(chance, pool.index.num_windows(pool.length))

    def _chances(self, pool: Pool) -> tuple[Int[np.ndarray, " N"], Float[np.ndarray, " N"]]:
        """Places of the windows of weight above 0, and their probabilities."""
        weights = scores_of(pool, "softmax").tree.weights
        place = np.flatnonzero(weights)
        if not len(place):
            raise ReplayError("nothing to draw: every window has weight 0.")
        return place, softmax(weights[place], self._width)
