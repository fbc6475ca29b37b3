"""Draws that prefer windows by their weight, which `scores.py` keeps."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from reverie.part.checks import Checker
from reverie.part.needs import SCORES, Need
from reverie.replay.ages import Recency
from reverie.replay.draw import AbstractDraw, Pool, Uniform, effective_share
from reverie.replay.errors import ReplayError
from reverie.replay.keep import Ticket
from reverie.replay.tree import SumTree

SCALE = (
    "set it to the size of a usual difference (published: 1, for returns within [-0.1, 1]); with "
    "values 20 units apart the largest takes all draws."
)


def tree_of(pool: Pool, kind: str) -> SumTree:
    """The weights of the pool's windows. Raises ReplayError where the replay has no scores."""
    if pool.scores is None:
        raise ReplayError(f"draw {kind!r} needs scores of steps: set --replay.signal.")
    return pool.scores.tree


@dataclass(frozen=True)
class Proportional(AbstractDraw):
    """P(window) = w / Σw; uniform where every weight is 0.

    Source: replay-sampling.md §1.2 and §4.4; without the bias towards windows never seen (its D5).
    """

    stratified: bool = False
    """Draw i of B comes from the i-th of B equal shares of the total weight, which leaves the law
    of a batch's members together as it is and lowers its variance [PER]."""

    def __post_init__(self):
        Checker(self, "replay.draw.")

    def needs(self) -> frozenset[Need]:
        return frozenset({SCORES})

    def draw(self, num: int, pool: Pool, rng: np.random.Generator) -> Ticket:
        tree = tree_of(pool, "proportional")
        if not tree.total > 0:
            return Uniform().draw(num, pool, rng)
        uniform = rng.random(num)
        if self.stratified:
            uniform = (np.arange(num) + uniform) / max(1, num)
        return pool.keep.address(tree.draw(uniform))

    def probability(self, ticket: Ticket, pool: Pool) -> Float[np.ndarray, " B"]:
        tree = tree_of(pool, "proportional")
        if not tree.total > 0:
            return Uniform().probability(ticket, pool)
        return tree.weights[pool.keep.find(*ticket)] / tree.total

    def probabilities(self, pool: Pool) -> Float[np.ndarray, " P"]:
        tree = tree_of(pool, "proportional")
        return tree.weights / tree.total if tree.total > 0 else Uniform().probabilities(pool)

    def effective(self, pool: Pool) -> float:
        weights = tree_of(pool, "proportional").weights
        return effective_share(weights, pool.index.num_windows(pool.length))

    @property
    def weighable(self) -> bool:
        return True


@dataclass(frozen=True)
class Rank(AbstractDraw):
    """P(window) ∝ rank⁻ᵉ, the heaviest has rank 1; windows of weight 0 are not drawn.

    The law of ranks is that of `Recency` with the rank in the place of the age. The ranks are exact
    and found anew at every draw: 15 ms at a million windows.

    Source: PER (arXiv:1511.05952), rank-based variant, which sorts now and then instead.
    """

    exponent: float = 0.7
    """Exponent e of the weight rank^-e."""

    def __post_init__(self):
        Checker(self, "replay.draw.").at_least(0, "exponent")

    def needs(self) -> frozenset[Need]:
        return frozenset({SCORES})

    def draw(self, num: int, pool: Pool, rng: np.random.Generator) -> Ticket:
        weights = tree_of(pool, "rank").weights
        heavy = np.flatnonzero(weights)
        if not len(heavy):
            return Uniform().draw(num, pool, rng)
        ordinal = Recency(self.exponent).ordinals(rng.random(num), len(heavy))
        order = np.argpartition(weights[heavy], np.unique(ordinal))
        return pool.keep.address(heavy[order[ordinal]])

    def probabilities(self, pool: Pool) -> Float[np.ndarray, " P"]:
        weights = tree_of(pool, "rank").weights
        heavy = np.flatnonzero(weights)
        if not len(heavy):
            return Uniform().probabilities(pool)
        law = np.zeros(len(weights))
        order = np.argsort(weights[heavy], kind="stable")
        law[heavy[order]] = Recency(self.exponent).shares(len(heavy))
        return law

    def effective(self, pool: Pool) -> float:
        heavy = int(np.count_nonzero(tree_of(pool, "rank").weights))
        if not heavy:
            return 1.0
        shares = Recency(self.exponent).shares(heavy)
        return effective_share(shares, pool.index.num_windows(pool.length))


@dataclass(frozen=True)
class Softmax(AbstractDraw):
    """P(window) ∝ exp(weight / (scale · temperature)) over windows of weight above 0.

    The whole law is computed at every draw: 10 ms at a million windows.
    """

    temperature: float = 1.0
    """Temperature, units of `scale`: a difference of scale · temperature is a factor e."""
    scale: float = 0.0
    """Difference of scores that counts as 1; must be set."""

    def __post_init__(self):
        check = Checker(self, "replay.draw.")
        check.above(0, "temperature")
        check.at_least(0, "scale")

    def needs(self) -> frozenset[Need]:
        return frozenset({SCORES})

    @property
    def wrong(self) -> str:
        return "" if self.scale > 0 else f"replay.draw 'softmax' needs replay.draw.scale: {SCALE}"

    def draw(self, num: int, pool: Pool, rng: np.random.Generator) -> Ticket:
        place, chance = self._chances(pool)
        return pool.keep.address(place[choose(chance, rng.random(num))])

    def probability(self, ticket: Ticket, pool: Pool) -> Float[np.ndarray, " B"]:
        place, chance = self._chances(pool)
        return chance[np.searchsorted(place, pool.keep.find(*ticket))]

    def probabilities(self, pool: Pool) -> Float[np.ndarray, " P"]:
        place, chance = self._chances(pool)
        law = np.zeros(pool.keep.places)
        law[place] = chance
        return law

    def effective(self, pool: Pool) -> float:
        _, chance = self._chances(pool)
        return effective_share(chance, pool.index.num_windows(pool.length))

    @property
    def weighable(self) -> bool:
        return True

    def _chances(self, pool: Pool) -> tuple[Int[np.ndarray, " N"], Float[np.ndarray, " N"]]:
        """Places of the windows of weight above 0, and their probabilities."""
        weights = tree_of(pool, "softmax").weights
        place = np.flatnonzero(weights)
        if not len(place):
            raise ReplayError("nothing to draw: every window has weight 0.")
        return place, softmax(weights[place], self.temperature * self.scale)


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
