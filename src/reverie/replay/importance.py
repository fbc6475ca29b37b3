"""Weights that undo the emphasis of a draw in expectation."""

import numpy as np
from jaxtyping import Float

from reverie.replay.draw import AbstractDraw, Pool
from reverie.replay.keep import Ticket
from reverie.replay.options import ScoreConfig


class Importance:
    """w = (N P)⁻ᵝ / max w over the batch, β linear from its first to its last value.

    P is the probability of a window under the draw, N the number of windows; at β = 1 the mean of
    w f / mean w estimates the mean of f over all windows.
    Source: PER (arXiv:1511.05952), §3.4, with the maximum over the batch.
    """

    def __init__(self, config: ScoreConfig):
        self._first, self._last = config.importance, config.importance_end
        self._updates = config.importance_updates

    @property
    def active(self) -> bool:
        """Whether there are weights at all."""
        return bool(self._first or self._last)

    def exponent(self, updates: int) -> float:
        """β after so many updates."""
        done = min(1.0, updates / self._updates)
        return self._first + done * (self._last - self._first)

    def weights(
        self, draw: AbstractDraw, ticket: Ticket, pool: Pool, updates: int
    ) -> Float[np.ndarray, " B"] | None:
        """The weights of these windows, float32; None where β is 0 throughout.

        A window of probability 0 (it came from the online queue, never from the draw) counts as
        one of average probability.
        """
        if not self.active:
            return None
        chance = draw.probability(ticket, pool)
        assert chance is not None, "refused by the configuration"
        relative = chance * pool.keep.num_windows(pool.length)
        relative = np.where(relative > 0, relative, 1.0)
        weight = relative ** -self.exponent(updates)
        return (weight / weight.max()).astype(np.float32)
