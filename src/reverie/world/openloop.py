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
    prior: Array  # logits of the dreamed rows (B, T − T₀, Z, C)


def open_loop(
    world: WorldModel,
    start: Latent,
    obs: dict[str, Array],
    action: dict[str, Array],
    is_first: Bool[Array, "b t"],
    uniform: Float[Array, "b t z"],
    observed: int,
) -> OpenLoop:
    """Posterior over the first `observed` rows, prior with the true actions over the others.

    `action` is the one that led to each row. Episodes that begin in the dreamed part are not
    reset: the model cannot know. Source: the official DreamerV3 code's open-loop report.
    """

    def early(x):
        return x[:, :observed]

    seen = jax.tree.map(early, (obs, action))
    first = world.observe(start, seen[0], seen[1], early(is_first), early(uniform))
    carry = world.rssm.carry(jax.tree.map(lambda x: x[:, -1], first.latent))
    inputs = world.embed(action)[:, observed:], uniform[:, observed:]
    rssm = world.rssm.prepared()

    def step(carry, inputs):
        carry, logits = rssm.imagine(carry, *inputs)
        return carry, (carry.deter, carry.stoch, logits)

    swapped = jax.tree.map(lambda x: x.swapaxes(0, 1), inputs)
    _, outputs = jax.lax.scan(step, carry, swapped)
    deter, stoch, logits = jax.tree.map(lambda x: x.swapaxes(0, 1), outputs)
    dreamed = Latent(deter, stoch.reshape(logits.shape))
    both = jax.tree.map(lambda a, b: jnp.concatenate([a, b], 1), first.latent, dreamed)
    return OpenLoop(both, logits)


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
                mean = jnp.round(mean * 255).astype(jnp.uint8)
            means[key] = mean.reshape(batch, time, *specs[key].shape)
    return means
