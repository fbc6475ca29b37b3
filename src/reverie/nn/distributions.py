"""Distributions as small pytrees: `nll`, `mean`, `mode`, `sample`, `entropy`, `kl`.

A sample is a function of the distribution and of noise that the caller drew: uniform numbers for
categories (inverse distribution function), standard normal numbers for Gaussians. All arithmetic
is float32 whatever the networks compute in.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from reverie.module import Module, static, to_rank
from reverie.nn import scaling


def f32(x: Array) -> Array:
    return x.astype(jnp.float32)


def inverse_cdf(probs: Float[Array, "... C"], uniform: Float[Array, "..."]) -> Int[Array, "..."]:
    """The class whose interval of the cumulated probabilities contains `uniform` in [0, 1)."""
    classes = probs.shape[-1]
    triangle = np.triu(np.ones((classes, classes), np.float32))
    cumulated = jnp.matmul(probs, triangle, precision="highest")
    threshold = (uniform * cumulated[..., -1])[..., None]
    return jnp.sum(cumulated[..., :-1] <= threshold, -1, dtype=jnp.int32)


class Categorical(Module):
    """Independent categories over the last axis, mixed with `unimix` of the uniform.

    With unimix ε the probabilities are (1 − ε)·softmax + ε/C; log-probabilities, entropy and KL
    are those of the mixture. Source: DreamerV3 (arXiv:2301.04104), section "World model learning".
    """

    logits: Float[Array, "*shape C"]
    unimix: float = static()

    def __init__(self, logits: Float[Array, "*shape C"], unimix: float = 0.0):
        self.logits = f32(logits)
        self.unimix = unimix

    @property
    def probs(self) -> Float[Array, "*shape C"]:
        probs = jax.nn.softmax(self.logits, -1)
        return (1.0 - self.unimix) * probs + self.unimix / probs.shape[-1] if self.unimix else probs

    @property
    def logp(self) -> Float[Array, "*shape C"]:
        """Log-probability of every class."""
        return jnp.log(self.probs) if self.unimix else jax.nn.log_softmax(self.logits, -1)

    def nll(self, index: Int[Array, "*shape"]) -> Float[Array, "*shape"]:
        return -jnp.sum(self.logp * self.one_hot(index), -1)

    def entropy(self) -> Float[Array, "*shape"]:
        return -jnp.sum(self.probs * self.logp, -1)

    def kl(self, other: "Categorical") -> Float[Array, "*shape"]:
        """KL(self ‖ other) of each category, nats."""
        return jnp.sum(self.probs * (self.logp - other.logp), -1)

    def one_hot(self, index: Int[Array, "*shape"]) -> Float[Array, "*shape C"]:
        return jax.nn.one_hot(index, self.logits.shape[-1], dtype=jnp.float32)

    def mode(self) -> Int[Array, "*shape"]:
        return jnp.argmax(self.logits, -1).astype(jnp.int32)

    def sample(self, uniform: Float[Array, "*shape"]) -> Int[Array, "*shape"]:
        return inverse_cdf(jax.lax.stop_gradient(self.probs), uniform)

    def sample_straight_through(self, uniform: Float[Array, "*shape"]) -> Float[Array, "*shape C"]:
        """One-hot sample whose gradient is that of the (mixed) probabilities."""
        probs = self.probs
        one_hot = self.one_hot(inverse_cdf(jax.lax.stop_gradient(probs), uniform))
        return one_hot + (probs - jax.lax.stop_gradient(probs))


class TwoHot(Module):
    """A real number by classification over bins (`scaling.share`).

    The bins are spaced by symexp and the number is Σ p·bin; with `symlog` they are even in symlog
    space, a target is compressed before it is shared, and the number is symexp(Σ p·bin).
    Sources: DreamerV3 (arXiv:2301.04104v2), Eq. 10 and 11; with `symlog` arXiv:2301.04104v1.
    """

    logits: Float[Array, "*shape N"]
    symlog: bool = static(default=False)

    def __init__(self, logits: Float[Array, "*shape N"], *, symlog: bool = False):
        self.logits = f32(logits)
        self.symlog = symlog

    def mean(self) -> Float[Array, "*shape"]:
        probs = jax.nn.softmax(self.logits, -1)
        if self.symlog:
            bins = scaling.even_bins(probs.shape[-1])
            return scaling.symexp(scaling.two_hot_mean(probs, bins))
        return scaling.two_hot_mean(probs)

    def target(self, value: Float[Array, "*shape"]) -> Float[Array, "*shape N"]:
        """The two-hot vector of `value`; it carries no gradient."""
        count = self.logits.shape[-1]
        value = jax.lax.stop_gradient(f32(value))
        below, above, weight = (
            scaling.share(scaling.symlog(value), scaling.even_bins(count))
            if self.symlog
            else scaling.two_hot(value, count)
        )
        classes = to_rank(jnp.arange(count), value.ndim + 1)
        lower = jnp.where(classes == below[..., None], weight[..., None], 0.0)
        return lower + jnp.where(classes == above[..., None], 1.0 - weight[..., None], 0.0)

    def nll(self, value: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """−Σ twohot·log softmax, nats."""
        return self.cross_entropy(self.target(value))

    def nll_pulled(
        self, value: Float[Array, "*shape"], anchor: Float[Array, "*shape"], weight: float
    ) -> Float[Array, "*shape"]:
        """nll(value) + weight·nll(anchor), in one pass over the bins."""
        return self.cross_entropy(self.target(value) + weight * self.target(anchor))

    def cross_entropy(self, target: Float[Array, "*shape N"]) -> Float[Array, "*shape"]:
        """−Σ target·log softmax; sums of two-hot vectors are welcome (they share one pass)."""
        return -jnp.sum(target * jax.nn.log_softmax(self.logits, -1), -1)


class Bernoulli(Module):
    """A yes-or-no event by its logit; labels may be soft."""

    logit: Float[Array, "*shape"]

    def __init__(self, logit: Float[Array, "*shape"]):
        self.logit = f32(logit)

    def mean(self) -> Float[Array, "*shape"]:
        return jax.nn.sigmoid(self.logit)

    def mode(self) -> Bool[Array, "*shape"]:
        return self.logit > 0

    def nll(self, label: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        yes, no = jax.nn.log_sigmoid(self.logit), jax.nn.log_sigmoid(-self.logit)
        return -(label * yes + (1.0 - label) * no)


class Normal(Module):
    """Independent Gaussians; log-density and entropy are per component."""

    loc: Float[Array, "*shape"]
    std: Float[Array, "*shape"]

    @classmethod
    def bounded(
        cls, loc: Float[Array, "*shape"], raw: Float[Array, "*shape"], low: float, high: float
    ) -> "Normal":
        """Mean tanh(loc), deviation (high − low)·sigmoid(raw + 2) + low. Samples are not squashed.

        Source: the official DreamerV3 code's continuous actor.
        """
        return cls(jnp.tanh(f32(loc)), (high - low) * jax.nn.sigmoid(f32(raw) + 2.0) + low)

    @classmethod
    def softened(
        cls, loc: Float[Array, "*shape"], raw: Float[Array, "*shape"], kind: str, low: float
    ) -> "Normal":
        """Mean loc, deviation 2·sigmoid(raw/2) + low or softplus(raw) + low, by `kind`.

        Source: DreamerV2 (arXiv:2010.02193), Gaussian latents; the official code's `std_act`.
        """
        grow = {"sigmoid2": lambda x: 2.0 * jax.nn.sigmoid(x / 2.0), "softplus": jax.nn.softplus}
        return cls(f32(loc), grow[kind](f32(raw)) + low)

    def kl(self, other: "Normal") -> Float[Array, "*shape"]:
        """KL(self ‖ other) of each component, nats."""
        ratio = jnp.square(self.std / other.std)
        away = jnp.square((self.loc - other.loc) / other.std)
        return 0.5 * (ratio + away - 1.0 - jnp.log(ratio))

    def mean(self) -> Float[Array, "*shape"]:
        return self.loc

    def mode(self) -> Float[Array, "*shape"]:
        return self.loc

    def sample(self, normal: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """loc + std·normal, differentiable in both."""
        return self.loc + self.std * normal

    def nll(self, value: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        scaled = (value - self.loc) / self.std
        return 0.5 * scaled**2 + jnp.log(self.std) + 0.5 * math.log(2 * math.pi)

    def entropy(self) -> Float[Array, "*shape"]:
        return 0.5 * math.log(2 * math.pi * math.e) + jnp.log(self.std)


class SquaredError(Module):
    """weight·(prediction − target)², a Gaussian without its constant, per component.

    Weight 1 is a Gaussian of variance ½, weight ½ one of variance 1. With `symlog` the target is
    compressed first and `mean` is the decoded prediction.
    """

    pred: Float[Array, "*shape"]
    symlog: bool = static(default=False)
    weight: float = static(default=1.0)

    def __init__(self, pred: Float[Array, "*shape"], *, symlog: bool = False, weight: float = 1.0):
        self.pred = f32(pred)
        self.symlog = symlog
        self.weight = weight

    def mean(self) -> Float[Array, "*shape"]:
        """Prediction in the units of the target."""
        return scaling.symexp(self.pred) if self.symlog else self.pred

    def nll(self, target: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        target = scaling.symlog(f32(target)) if self.symlog else f32(target)
        error = jnp.square(self.pred - jax.lax.stop_gradient(target))
        return error if self.weight == 1.0 else self.weight * error

    def nll_pulled(
        self, value: Float[Array, "*shape"], anchor: Float[Array, "*shape"], weight: float
    ) -> Float[Array, "*shape"]:
        """nll(value) + weight·nll(anchor)."""
        return self.nll(value) + weight * self.nll(anchor)
