"""The stochastic half of the latent: its distribution, samples, noise and stored form.

Categorical latents are one-hot, (…, Z, C); Gaussian ones are numbers, (…, Z, 1). Their statistics
are what the networks put out: logits (…, Z, C), or mean and raw deviation, (…, Z, 2).
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.nn.distributions import Categorical, Normal
from reverie.records import Latent
from reverie.world.options import RSSMConfig

Distribution = Categorical | Normal
"""Of Z latents: `kl` and `entropy` are (…, Z), nats."""


def distribution(stats: Float[Array, "*n z k"], config: RSSMConfig) -> Distribution:
    """The distribution of latents with these statistics."""
    if config.latent == "categorical":
        return Categorical(stats, config.unimix)
    return Normal.softened(stats[..., 0], stats[..., 1], config.deviation, config.min_std)


def sample(dist: Distribution, noise: Float[Array, "*n z"]) -> Float[Array, "*n z c"]:
    """The latent that belongs to `noise`, differentiable (straight through where categorical)."""
    if isinstance(dist, Categorical):
        return dist.sample_straight_through(noise)
    return dist.sample(noise)[..., None]


def mode(dist: Distribution) -> Float[Array, "*n z c"]:
    """The most likely latent; no gradient where it is a class."""
    if isinstance(dist, Categorical):
        return dist.one_hot(dist.mode())
    return dist.mode()[..., None]


def draw(key: PRNGKeyArray, shape: tuple[int, ...], config: RSSMConfig) -> Float[Array, "*n z"]:
    """Noise for `sample`, (*shape, Z): uniform numbers for classes, normal ones for Gaussians."""
    kind = jax.random.uniform if config.latent == "categorical" else jax.random.normal
    return kind(key, (*shape, config.stoch))


def pack(latent: Latent) -> dict[str, Array]:
    """Replay columns: bfloat16 deter; class index, or bfloat16 numbers (last axis of one)."""
    deter, stoch = latent
    if stoch.shape[-1] == 1:
        stored = stoch[..., 0].astype(jnp.bfloat16)
    else:
        small = jnp.uint8 if stoch.shape[-1] <= 256 else jnp.uint16
        stored = jnp.argmax(stoch, -1).astype(small)
    return {"latent/deter": deter.astype(jnp.bfloat16), "latent/stoch": stored}


def unpack(latent: Latent, config: RSSMConfig, dtype: jnp.dtype) -> Latent:
    """Stored latents as the networks take them; those already in that form only change dtype."""
    deter, stoch = latent
    if stoch.ndim == deter.ndim:
        stored = stoch
        stoch = (
            jax.nn.one_hot(stored, config.classes, dtype=dtype)
            if config.latent == "categorical"
            else stored[..., None]
        )
    return Latent(deter.astype(dtype), stoch.astype(dtype))
