"""The truncated normal distribution of DreamerV2's continuous actions."""

import math

import jax
import jax.numpy as jnp
from jax.scipy.special import ndtr, ndtri
from jaxtyping import Array, Float

from reverie.module import Module

EDGE = 1e-6
"""Samples stay this far inside ±1."""
TAIL = 1e-7
"""Probabilities within this of 0 or 1 are moved inside before they are inverted: their quantiles
are infinite in float32."""


class TruncatedNormal(Module):
    """Independent Gaussians restricted to [−1, 1]; log-density and entropy are per component.

    With α = (−1 − loc)/std, β = (1 − loc)/std and Z = Φ(β) − Φ(α) the density is
    φ((x − loc)/std) / (std·Z). A sample is a function of a uniform number: the inverse of the
    distribution function. Source: the official DreamerV2 code's continuous actor.
    """

    loc: Float[Array, "*shape"]
    std: Float[Array, "*shape"]

    @classmethod
    def squashed(
        cls, loc: Float[Array, "*shape"], raw: Float[Array, "*shape"], low: float
    ) -> "TruncatedNormal":
        """Centre tanh(loc), deviation 2·sigmoid(raw/2) + low (before the truncation)."""
        loc, raw = loc.astype(jnp.float32), raw.astype(jnp.float32)
        return cls(jnp.tanh(loc), 2.0 * jax.nn.sigmoid(raw / 2.0) + low)

    def bounds(self) -> tuple[Array, Array, Array]:
        """α, β and Z."""
        low, high = (-1.0 - self.loc) / self.std, (1.0 - self.loc) / self.std
        return low, high, ndtr(high) - ndtr(low)

    def mean(self) -> Float[Array, "*shape"]:
        low, high, mass = self.bounds()
        return self.loc + self.std * (density(low) - density(high)) / mass

    def mode(self) -> Float[Array, "*shape"]:
        return self.loc

    def sample(self, uniform: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """loc + std·Φ⁻¹(Φ(α) + u·Z), differentiable in both; clipped inside ±1 straight through.

        Clipping changes the value, never the gradient.
        """
        low, _, mass = self.bounds()
        chance = jnp.clip(ndtr(low) + uniform * mass, TAIL, 1.0 - TAIL)
        value = self.loc + self.std * ndtri(chance)
        return value + jax.lax.stop_gradient(jnp.clip(value, EDGE - 1.0, 1.0 - EDGE) - value)

    def nll(self, value: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """−log density at `value` in [−1, 1]."""
        scaled = (value - self.loc) / self.std
        normal = 0.5 * scaled**2 + jnp.log(self.std) + 0.5 * math.log(2 * math.pi)
        return normal + jnp.log(self.bounds()[2])

    def entropy(self) -> Float[Array, "*shape"]:
        low, high, mass = self.bounds()
        whole = 0.5 * math.log(2 * math.pi * math.e) + jnp.log(self.std) + jnp.log(mass)
        return whole + 0.5 * (low * density(low) - high * density(high)) / mass


def density(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """The standard normal density."""
    return jnp.exp(-0.5 * x**2) / math.sqrt(2 * math.pi)
