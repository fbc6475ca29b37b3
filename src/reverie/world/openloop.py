"""Look at the first rows of a sequence, dream the rest with its true actions."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from reverie.nn.distributions import SquaredError
from reverie.records import Latent
from reverie.world.model import WorldModel


class OpenLoop(NamedTuple):
    """Latents of an open-loop prediction: T₀ observed rows, then T − T₀ dreamed ones."""

    latent: Latent  # (B, T, …)
    prior: Array  # statistics of the dreamed rows (B, T − T₀, Z, K)


def open_loop(
    world: WorldModel,
    start: Latent | None,
    obs: dict[str, Array],
    action: dict[str, Array],
    is_first: Bool[Array, "b t"],
    noise: Float[Array, "b t z"],
    observed: int,
) -> OpenLoop:
    """Posterior over the first `observed` rows, prior with the true actions over the others.

    `action` is the one that led to each row. Episodes that begin in the dreamed part are not
    reset: the model cannot know. Source: the official DreamerV3 code's open-loop report.
    """

    def early(x):
        return x[:, :observed]

    seen = jax.tree.map(early, (obs, action))
    first = world.observe(start, seen[0], seen[1], early(is_first), early(noise))
    carry = world.rssm.carry(jax.tree.map(lambda x: x[:, -1], first.latent))
    inputs = world.embed(action)[:, observed:], noise[:, observed:]
    rssm = world.rssm.prepared()

    def step(carry, inputs):
        carry, stats = rssm.imagine(carry, *inputs)
        return carry, (carry.deter, carry.stoch, stats)

    swapped = jax.tree.map(lambda x: x.swapaxes(0, 1), inputs)
    _, outputs = jax.lax.scan(step, carry, swapped)
    deter, stoch, stats = jax.tree.map(lambda x: x.swapaxes(0, 1), outputs)
    dreamed = Latent(deter, rssm.unflat(stoch))
    both = jax.tree.map(lambda a, b: jnp.concatenate([a, b], 1), first.latent, dreamed)
    return OpenLoop(both, stats)


def decode_means(world: WorldModel, latent: Latent) -> dict[str, Array]:
    """Expected observations (B, T, …) of image keys (uint8) and vector keys (their own units)."""
    batch, time = latent.deter.shape[:2]
    preds = world.decoder(jax.tree.map(lambda x: x.reshape(batch * time, *x.shape[2:]), latent))
    specs = dict(world.decoder.specs)
    means = {}
    for key, pred in preds.items():
        if isinstance(pred, SquaredError):
            mean = pred.mean()
            if specs[key].kind == "image":
                # Without a sigmoid a prediction may leave the range of a picture.
                mean = jnp.round(jnp.clip(mean, 0.0, 1.0) * 255).astype(jnp.uint8)
            means[key] = mean.reshape(batch, time, *specs[key].shape)
    return means
