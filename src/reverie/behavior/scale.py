"""The slot of advantage scales: what divides advantages before the actor learns from them."""

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from reverie.module import Module
from reverie.part.checks import Checker
from reverie.part.needs import UNSCALED, Need
from reverie.part.part import Part


class ReturnRange(Module):
    """Running percentiles of the imagined returns. Both start at 0 and are not debiased."""

    low: Float[Array, ""]
    high: Float[Array, ""]

    @classmethod
    def initial(cls) -> "ReturnRange":
        return cls(jnp.zeros(()), jnp.zeros(()))


class AbstractScale(Part):
    """What advantages are divided by.

    `seen` is what it remembers of the returns so far: a Module, which checkpoints hold. As it
    stands, a `ReturnRange` that nothing moves, and a divisor of one.
    """

    SLOT = "behavior.scale"
    MEMBERS: ClassVar[dict[str, str]] = {
        "range": "reverie.behavior.scale:RangeScale",
        "none": "reverie.behavior.scale:NoScale",
    }

    def initial(self) -> Any:
        """`seen` before the first update."""
        return ReturnRange.initial()

    def update(self, seen: Any, returns: Float[Array, "..."]) -> Any:
        """`seen` after all returns of a batch; no gradient passes."""
        return seen

    def divisor(self, seen: Any) -> Float[Array, ""]:
        """What advantages are divided by, above 0."""
        return jnp.ones(())

    def zero(self, seen: Any) -> Float[Array, ""]:
        """The return that displays and replay's scores count from."""
        return jnp.zeros(())

    def metrics(self, seen: Any) -> dict[str, Array]:
        """Numbers to log, beside `return_scale`, the divisor."""
        return {"return_low": seen.low, "return_high": seen.high}


@dataclass(frozen=True)
class RangeScale(AbstractScale):
    """The distance between two running percentiles of the imagined returns.

    The 2023 code also subtracts the lower one from return and baseline alike, which changes
    nothing. Source: DreamerV3 (arXiv:2301.04104v2), Eq. 8.
    """

    rate: float = 0.01
    """Update rate of the running percentiles."""
    low: float = 5.0
    """Lower percentile of the returns."""
    high: float = 95.0
    """Upper percentile of the returns."""
    limit: float = 1.0
    """Smallest divisor."""

    def __post_init__(self):
        check = Checker(self, "behavior.scale.")
        check.share("rate", zero=False)
        check.at_least(0, "low")
        check.above(0, "limit")
        check.require(self.high <= 100, "high", "a percentile, at most 100")
        rule = f"less than behavior.scale.high ({self.high:g})"
        check.require(self.low < self.high, "low", rule)

    def update(self, seen: ReturnRange, returns: Float[Array, "..."]) -> ReturnRange:
        percentiles = jnp.array([self.low, self.high])
        low, high = jnp.percentile(jax.lax.stop_gradient(returns), percentiles)
        rate = self.rate
        return ReturnRange((1 - rate) * seen.low + rate * low, (1 - rate) * seen.high + rate * high)

    def divisor(self, seen: ReturnRange) -> Float[Array, ""]:
        return jnp.maximum(self.limit, seen.high - seen.low)

    def zero(self, seen: ReturnRange) -> Float[Array, ""]:
        return seen.low


@dataclass(frozen=True)
class NoScale(AbstractScale):
    """Advantages as they are (V2)."""

    def offers(self) -> frozenset[Need]:
        return frozenset({UNSCALED})
