"""The draw: which windows are trained on. Randomness is a counter, never a hidden state."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from reverie.replay.errors import ReplayError
from reverie.replay.keep import AbstractIndex, AbstractKeep, Ticket
from reverie.replay.scores import Scores

TRAIN = 0
PEEK = 1


def generator(seed: int, counter: int, purpose: int) -> np.random.Generator:
    """The generator of draw number `counter`: a pure function of its arguments.

    Streams of different seeds, counters (each 2⁶⁴ blocks long) and purposes (`TRAIN`, `PEEK`) do
    not overlap. Raises ReplayError unless seed and counter lie in [0, 2⁶⁴).
    """
    for name, value in (("seed", seed), ("counter", counter)):
        if not 0 <= value < 2**64:
            raise ReplayError(f"the {name} of a draw must lie in [0, 2**64), got {value}.")
    key = np.array([seed, 0], np.uint64)
    return np.random.Generator(
        np.random.Philox(key=key, counter=np.array([0, counter, purpose, 0], np.uint64))
    )


class Pool(NamedTuple):
    """What a draw chooses from."""

    keep: AbstractKeep
    index: AbstractIndex
    """The windows by ordinal: those of `keep`, or of one part of a split store."""
    length: int
    """Rows of a window."""
    scores: Scores | None
    """Weights of the windows of the training length, where the strategy has any."""
    returns: Float[np.ndarray, " P"] | None = None
    """Returns of finished episodes by place, where the strategy reads them."""


class AbstractDraw(ABC):
    """A distribution over the windows that retention offers. One final class a strategy."""

    @abstractmethod
    def draw(self, num: int, pool: Pool, rng: np.random.Generator) -> Ticket:
        """`num` windows, drawn with replacement. Changes nothing: what weights depend on arrives
        by other doors. There is at least one window to draw from."""

    @abstractmethod
    def probability(self, ticket: Ticket, pool: Pool) -> Float[np.ndarray, " B"] | None:
        """The probability of each of these windows under `draw`; None where it is not known."""

    @abstractmethod
    def law(self, pool: Pool) -> Float[np.ndarray, " P"]:
        """The probability that a drawn window, or piece of one, begins in each place. It takes time
        in proportion to the replay: for reports."""

    @abstractmethod
    def effective(self, pool: Pool) -> float:
        """Effective sample size as a share of the windows, 1 / (N Σ P²) in (0, 1]: 1 is uniform."""


class Uniform(AbstractDraw):
    """Every valid window is equally likely, independently of the others [dreamerv3.md §4.5]."""

    def draw(self, num: int, pool: Pool, rng: np.random.Generator) -> Ticket:
        ordinal = rng.integers(pool.index.num_windows(pool.length), size=num)
        return pool.index.locate(ordinal, pool.length)

    def probability(self, ticket: Ticket, pool: Pool) -> Float[np.ndarray, " B"]:
        return np.full(len(ticket.row), 1.0 / pool.index.num_windows(pool.length))

    def law(self, pool: Pool) -> Float[np.ndarray, " P"]:
        num = pool.index.num_windows(pool.length)
        return in_places(np.full(num, 1.0 / max(1, num)), pool)

    def effective(self, pool: Pool) -> float:
        return 1.0


def in_places(share: Float[np.ndarray, " N"], pool: Pool) -> Float[np.ndarray, " P"]:
    """The shares of windows by ordinal as shares by place."""
    law = np.zeros(pool.keep.places)
    if len(share):
        law[pool.keep.find(*pool.index.locate(np.arange(len(share)), pool.length))] = share
    return law


def effective_share(weights: Float[np.ndarray, " M"], num: int) -> float:
    """(Σ w)² / (N Σ w²) for the weights of N windows; windows of weight 0 may be left out."""
    total = weights.sum()
    return float(total * total / (num * np.square(weights).sum())) if total > 0 else 1.0


def scores_of(pool: Pool, kind: str) -> Scores:
    """The pool's scores. Raises ReplayError where the replay has none."""
    if pool.scores is None:
        raise ReplayError(f"draw {kind!r} needs scores of steps: set --replay.score.signal.")
    return pool.scores
