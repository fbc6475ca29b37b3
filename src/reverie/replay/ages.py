"""Laws over ordinals in closed form: 0 is the oldest of N windows, N − 1 the newest.

Each law is a monotone map from a uniform number, so one draw costs the same at any N, there is no
table, and any retention will do: the age of a window is its rank among those that can be drawn,
not the time since it was written.
"""

import numpy as np
from jaxtyping import Float, Int

Uniforms = Float[np.ndarray, " B"]
Ordinals = Int[np.ndarray, " B"]


def recent(uniform: Uniforms, num: int, exponent: float) -> Ordinals:
    """Ordinals with P(age) ∝ (age + 1)⁻ᵉ, up to the rounding of a continuous law to integers.

        P(a) = [F(a + 2) − F(a + 1)] / [F(N + 1) − F(1)],   F(x) = ln x for e = 1, else x^(1−e)

    for age a = 0 (newest) … N − 1. e = 0 is uniform, e = 1 gives P(a) = ln(1 + 1/(a+1)) / ln(N+1).

    Args:
        uniform: numbers in [0, 1).
        num: number N of windows, at least 1.
        exponent: e, at least 0; larger prefers the newest more.

    Source: replay-sampling.md §2.5, which replaces a static table over the capacity.
    """
    if exponent == 1.0:
        position = np.exp(uniform * np.log(num + 1.0))
    else:
        power = 1.0 - exponent
        position = (1.0 + uniform * ((num + 1.0) ** power - 1.0)) ** (1.0 / power)
    age = position.astype(np.int64) - 1
    return num - 1 - np.clip(age, 0, num - 1)  # the ends only by rounding


def recent_share(num: int, exponent: float) -> Float[np.ndarray, " N"]:
    """The probability of every ordinal under `recent`."""
    edge = np.arange(1.0, num + 2.0)
    integral = np.log(edge) if exponent == 1.0 else edge ** (1.0 - exponent)
    return np.diff(integral)[::-1] / (integral[-1] - integral[0])


def triangular(uniform: Uniforms, num: int) -> Ordinals:
    """Ordinals with a density that grows linearly from the oldest: P(i) = (2i + 1) / N².

    The newest quarter gets 7/16 of the draws, the newest tenth 19 %.
    Source: continual-dreamer.md §3.4 (the recent half of its 50:50).
    """
    position = num * np.sqrt(uniform)
    return np.minimum(position.astype(np.int64), num - 1)


def triangular_share(num: int) -> Float[np.ndarray, " N"]:
    """The probability of every ordinal under `triangular`."""
    return (2.0 * np.arange(num) + 1.0) / num**2


def balanced(uniform: Uniforms, num: int, strength: float) -> Ordinals:
    """Ordinals that even out how often a window is drawn in its life.

        position = N · [τ F(u) + (1 − τ) u],   F(u) = u (1 − ln u)

    Drawing uniformly from a growing store draws window i of N about ln(N / i) times; F is the
    distribution function of that law, so that τ = 1 prefers the new by as much as they lag.

    Args:
        uniform: numbers u in [0, 1).
        num: number N of windows, at least 1.
        strength: τ in [0, 1]; 0 is uniform, the paper's value is 0.3.

    Source: Hieros (arXiv:2310.05167), efficient time-balanced sampling.
    Deviation: N is what can be drawn now, not the capacity.
    """
    logarithm = np.log(np.where(uniform > 0, uniform, 1.0))
    position = num * uniform * (1.0 - strength * logarithm)
    return np.minimum(position.astype(np.int64), num - 1)


def balanced_share(num: int, strength: float) -> Float[np.ndarray, " N"]:
    """The probability of every ordinal under `balanced`, its map inverted by bisection."""
    edge = np.arange(num + 1) / num
    low, high = np.zeros(num + 1), np.ones(num + 1)
    for _ in range(52):
        middle = 0.5 * (low + high)
        below = middle * (1.0 - strength * np.log(np.maximum(middle, 1e-300))) < edge
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.diff(high)
