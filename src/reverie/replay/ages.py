"""Draws that prefer windows, or units, by their age: laws over ordinals in closed form.

Ordinal 0 is the oldest of N, N − 1 the newest. Each law is a monotone map from a uniform number, so
one draw costs the same at any N, there is no table, and any retention will do: the age of a window
is its rank among those that can be drawn, not the time since it was written.
"""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from reverie.part.checks import Checker
from reverie.replay.draw import AbstractDraw, AbstractUnitLaw, Pool, effective_share, in_places
from reverie.replay.keep import Spans, Ticket

Uniforms = Float[np.ndarray, " B"]
Ordinals = Int[np.ndarray, " B"]


class AbstractAgeDraw(AbstractDraw, AbstractUnitLaw):
    """A law over ordinals, whatever retention the windows come from."""

    @abstractmethod
    def ordinals(self, uniform: Uniforms, num: int) -> Ordinals:
        """Ordinals 0 … N − 1 for numbers in [0, 1) and the number N ≥ 1 of windows."""

    @abstractmethod
    def shares(self, num: int) -> Float[np.ndarray, " N"]:
        """The probability of every ordinal under `ordinals`."""

    def draw(self, num: int, pool: Pool, rng: np.random.Generator) -> Ticket:
        ordinal = self.ordinals(rng.random(num), pool.index.num_windows(pool.length))
        return pool.index.locate(ordinal, pool.length)

    def probabilities(self, pool: Pool) -> Float[np.ndarray, " P"]:
        return in_places(self.shares(pool.index.num_windows(pool.length)), pool)

    def effective(self, pool: Pool) -> float:
        num = pool.index.num_windows(pool.length)
        return effective_share(self.shares(num), num)

    def chances(self, spans: Spans, pool: Pool) -> Float[np.ndarray, " U"]:
        return self.shares(len(spans.rows))


@dataclass(frozen=True)
class Recency(AbstractAgeDraw):
    """P(age) ∝ (age + 1)⁻ᵉ, up to the rounding of a continuous law to integers.

        P(a) = [F(a + 2) − F(a + 1)] / [F(N + 1) − F(1)],   F(x) = ln x for e = 1, else x^(1−e)

    for age a = 0 (newest) … N − 1. e = 1 gives P(a) = ln(1 + 1/(a+1)) / ln(N+1).
    Source: replay-sampling.md §2.5, which replaces a static table over the capacity.
    """

    exponent: float = 0.5
    """Exponent e of the weight (age + 1)^-e; larger prefers the newest more. 0: uniform."""

    def __post_init__(self):
        Checker(self, "replay.draw.").at_least(0, "exponent")

    def ordinals(self, uniform: Uniforms, num: int) -> Ordinals:
        if self.exponent == 1.0:
            position = np.exp(uniform * np.log(num + 1.0))
        else:
            power = 1.0 - self.exponent
            position = (1.0 + uniform * ((num + 1.0) ** power - 1.0)) ** (1.0 / power)
        age = position.astype(np.int64) - 1
        return num - 1 - np.clip(age, 0, num - 1)  # the ends only by rounding

    def shares(self, num: int) -> Float[np.ndarray, " N"]:
        edge = np.arange(1.0, num + 2.0)
        integral = np.log(edge) if self.exponent == 1.0 else edge ** (1.0 - self.exponent)
        return np.diff(integral)[::-1] / (integral[-1] - integral[0])


@dataclass(frozen=True)
class Triangular(AbstractAgeDraw):
    """A density that grows linearly from the oldest: P(i) = (2i + 1) / N².

    The newest quarter gets 7/16 of the draws, the newest tenth 19 %.
    Source: continual-dreamer.md §3.4 (the recent half of its 50:50).
    """

    def ordinals(self, uniform: Uniforms, num: int) -> Ordinals:
        position = num * np.sqrt(uniform)
        return np.minimum(position.astype(np.int64), num - 1)

    def shares(self, num: int) -> Float[np.ndarray, " N"]:
        return (2.0 * np.arange(num) + 1.0) / num**2


@dataclass(frozen=True)
class TimeBalanced(AbstractAgeDraw):
    """Evens out how often a window is drawn in its life.

        position = N · [τ F(u) + (1 − τ) u],   F(u) = u (1 − ln u)

    Drawing uniformly from a growing store draws window i of N about ln(N / i) times; F is the
    distribution function of that law, so that τ = 1 prefers the new by as much as they lag.

    Source: Hieros (arXiv:2310.05167), efficient time-balanced sampling.
    Deviation: N is what can be drawn now, not the capacity.
    """

    strength: float = 0.3
    """Strength τ in [0, 1]; the paper's value is 0.3. 0: uniform."""

    def __post_init__(self):
        Checker(self, "replay.draw.").share("strength")

    def ordinals(self, uniform: Uniforms, num: int) -> Ordinals:
        logarithm = np.log(np.where(uniform > 0, uniform, 1.0))
        position = num * uniform * (1.0 - self.strength * logarithm)
        return np.minimum(position.astype(np.int64), num - 1)

    def shares(self, num: int) -> Float[np.ndarray, " N"]:
        """The map inverted by bisection."""
        edge = np.arange(num + 1) / num
        low, high = np.zeros(num + 1), np.ones(num + 1)
        for _ in range(52):
            middle = 0.5 * (low + high)
            below = middle * (1.0 - self.strength * np.log(np.maximum(middle, 1e-300))) < edge
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.diff(high)
