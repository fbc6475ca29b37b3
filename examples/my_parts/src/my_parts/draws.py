"""A draw: some sequences are the newest, the others uniform."""

from dataclasses import dataclass

import numpy as np

from reverie.part.checks import Checker
from reverie.replay.draw import AbstractDraw, in_places


@dataclass(frozen=True)
class HalfNew(AbstractDraw):
    """With probability `share` among the newest windows, else among all of them."""

    share: float = 0.5
    """Probability of a draw among the newest."""
    newest: int = 256
    """Windows that count as new."""

    def __post_init__(self):
        check = Checker(self, "replay.draw.")
        check.share("share")
        check.at_least(1, "newest")

    def draw(self, num, pool, rng):
        total = pool.index.num_windows(pool.length)
        first = np.where(rng.random(num) < self.share, max(0, total - self.newest), 0)
        places = first + (rng.random(num) * (total - first)).astype(np.int64)
        return pool.index.locate(places, pool.length)

    def probabilities(self, pool):
        return in_places(self._weights(pool), pool)

    def _weights(self, pool):
        total = pool.index.num_windows(pool.length)
        new = np.arange(total) >= total - self.newest
        return self.share * new / max(1, new.sum()) + (1 - self.share) / max(1, total)
