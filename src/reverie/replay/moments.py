"""Mean and deviation of the scores of the steps that were trained on, at a fixed cost a write."""

import numpy as np
from jaxtyping import Bool, Float, Int, UInt

BLOCK = 256
"""Places that one entry of the sums covers."""


class Moments:
    """Number, sum and sum of squares of the seen scores in every block of places.

    A block that changed is summed anew from its places, never corrected by differences: nothing
    drifts, whatever came and went.
    """

    def __init__(self, places: int):
        blocks = -(-places // BLOCK)
        self._places = places
        self._sums = np.zeros((3, blocks))
        self._stale: Bool[np.ndarray, " K"] = np.ones(blocks, bool)

    def touch(self, place: Int[np.ndarray, "*N"]) -> None:
        """Scores or visits of these places changed."""
        self._stale[place // BLOCK] = True

    def mean_std(
        self, value: Float[np.ndarray, " P"], visits: UInt[np.ndarray, " P"]
    ) -> tuple[float, float] | None:
        """Mean and population standard deviation of the scores with a visit; None without any.

        `value` and `visits` hold all places; those of blocks that were not touched are not read.
        """
        blocks = np.flatnonzero(self._stale)
        self._stale[blocks] = False
        place = blocks[:, None] * BLOCK + np.arange(BLOCK)
        seen = (visits.take(place, mode="clip") > 0) & (place < self._places)
        scores = np.where(seen, value.take(place, mode="clip"), 0.0).astype(np.float64)
        self._sums[:, blocks] = seen.sum(1), scores.sum(1), np.square(scores).sum(1)
        count, total, squares = self._sums.sum(1)
        if not count:
            return None
        mean = total / count
        return float(mean), float(np.sqrt(max(0.0, squares / count - mean * mean)))
