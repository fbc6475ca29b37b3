"""The draw: which windows are trained on. Randomness is a counter, never a hidden state.

Another draw is another frozen record below `AbstractDraw`: its fields are its options. `Uniform` is
the simplest one.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from jaxtyping import Float

from reverie.part.checks import Checker
from reverie.part.part import Part
from reverie.replay.errors import ReplayError
from reverie.replay.keep import AbstractIndex, AbstractKeep, Spans, Ticket
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
    """The windows by ordinal: those of `keep`, or of one store of a split memory."""
    length: int
    """Rows of a window."""
    scores: Scores | None
    """Weights of the windows of the training length, where the strategy has any."""
    returns: Float[np.ndarray, " P"] | None = None
    """Returns of finished episodes by place, where the strategy reads them."""
    minlen: int = 0
    """Agent steps that a unit has at least (`replay.unit.minlen`)."""


class AbstractDraw(Part, ABC):
    """How training windows are drawn: a distribution over the windows that retention offers."""

    SLOT = "replay.draw"
    MEMBERS: ClassVar[Mapping[str, str]] = {
        "uniform": "reverie.replay.draw:Uniform",
        "recency": "reverie.replay.ages:Recency",
        "triangular": "reverie.replay.ages:Triangular",
        "time_balanced": "reverie.replay.ages:TimeBalanced",
        "proportional": "reverie.replay.priorities:Proportional",
        "rank": "reverie.replay.priorities:Rank",
        "softmax": "reverie.replay.priorities:Softmax",
        "mixture": "reverie.replay.mixture:Mixture",
        "stores": "reverie.replay.mixture:Stores",
        "episodes": "reverie.replay.episodes:Episodes",
    }

    @abstractmethod
    def draw(self, num: int, pool: Pool, rng: np.random.Generator) -> Ticket:
        """`num` windows, drawn with replacement. Changes nothing: what weights depend on arrives
        by other doors. There is at least one window to draw from."""

    def probability(self, ticket: Ticket, pool: Pool) -> Float[np.ndarray, " B"] | None:
        """The probability of each of these windows under `draw`; None where it is not known."""
        return None

    @abstractmethod
    def probabilities(self, pool: Pool) -> Float[np.ndarray, " P"]:
        """The probability that a drawn window, or piece of one, begins in each place. It takes time
        in proportion to the replay: for reports."""

    def effective(self, pool: Pool) -> float:
        """Effective sample size as a share of the windows, 1 / (N Σ P²) in (0, 1]: 1 is uniform."""
        return effective_share(self.probabilities(pool), pool.index.num_windows(pool.length))

    @property
    def pieces(self) -> bool:
        """Whether sequences are laid out of pieces, so that units may be shorter than they."""
        return False

    @property
    def weighable(self) -> bool:
        """Whether `probability` is known, as importance weights need it."""
        return False

    @property
    def wrong(self) -> str:
        """A sentence for the user about an option that still has to be set; empty if none has."""
        return ""


class AbstractUnitLaw(Part, ABC):
    """How units (episodes) are chosen, where a draw chooses them first and rows inside second."""

    SLOT = "replay.draw.law"
    MEMBERS: ClassVar[Mapping[str, str]] = {
        "uniform": "reverie.replay.draw:Uniform",
        "recency": "reverie.replay.ages:Recency",
        "triangular": "reverie.replay.ages:Triangular",
        "time_balanced": "reverie.replay.ages:TimeBalanced",
        "returns": "reverie.replay.episodes:ByReturn",
        "mixture": "reverie.replay.episodes:UnitMixture",
    }

    @abstractmethod
    def chances(self, spans: Spans, pool: Pool) -> Float[np.ndarray, " U"]:
        """The probability of every unit in `spans`, the oldest first."""

    @property
    def wrong(self) -> str:
        """A sentence for the user about an option that still has to be set; empty if none has."""
        return ""


@dataclass(frozen=True)
class Uniform(AbstractDraw, AbstractUnitLaw):
    """Every valid window is equally likely, independently of the others [dreamerv3.md §4.5]."""

    def draw(self, num: int, pool: Pool, rng: np.random.Generator) -> Ticket:
        ordinal = rng.integers(pool.index.num_windows(pool.length), size=num)
        return pool.index.locate(ordinal, pool.length)

    def probability(self, ticket: Ticket, pool: Pool) -> Float[np.ndarray, " B"]:
        return np.full(len(ticket.row), 1.0 / pool.index.num_windows(pool.length))

    def probabilities(self, pool: Pool) -> Float[np.ndarray, " P"]:
        num = pool.index.num_windows(pool.length)
        return in_places(np.full(num, 1.0 / max(1, num)), pool)

    def effective(self, pool: Pool) -> float:
        return 1.0

    def chances(self, spans: Spans, pool: Pool) -> Float[np.ndarray, " U"]:
        return np.full(len(spans.rows), 1.0 / len(spans.rows))

    @property
    def weighable(self) -> bool:
        return True


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


@dataclass(frozen=True)
class Importance:
    """Weights that undo the emphasis of a draw in expectation.

        w = (N P)⁻ᵝ / max w over the batch

    P is the probability of a window under the draw, N the number of windows; at β = 1 the mean of
    w f / mean w estimates the mean of f over all windows.
    Source: PER (arXiv:1511.05952), §3.4, with the maximum over the batch.
    """

    begin: float = 0.0
    """Exponent beta of importance weights 1/(N P)^beta at the first update. 0 with end 0: none."""
    end: float = 0.0
    """Exponent beta of importance weights after `updates`, linear in between."""
    updates: int = 100_000
    """Updates over which beta goes from begin to end."""

    def __post_init__(self):
        check = Checker(self, "replay.importance.")
        check.share("begin", "end")
        check.at_least(1, "updates")

    @property
    def active(self) -> bool:
        """Whether there are weights at all."""
        return bool(self.begin or self.end)

    def exponent(self, updates: int) -> float:
        """β after so many updates."""
        done = min(1.0, updates / self.updates)
        return self.begin + done * (self.end - self.begin)

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
