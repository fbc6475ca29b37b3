"""The KL losses between what is seen (posterior) and what was expected (prior)."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

sg = jax.lax.stop_gradient

Distribution = Any  # of latents, both arguments of one kind (`latents.py`)


class KL(NamedTuple):
    """Losses of every step, summed over the latents, nats."""

    dyn: Array  # trains the prior
    rep: Array  # trains the posterior
    raw: Array  # KL(posterior ‖ prior) before the floor


def kl_losses(
    post: Distribution, prior: Distribution, *, kind: str, floor: str, free_nats: float
) -> KL:
    """Both halves of the KL loss, floored; the arguments are options of `RSSMConfig`.

        balanced   dyn = KL(sg post ‖ prior)   rep = KL(post ‖ sg prior)
        forward    dyn = KL(prior ‖ sg post)   rep = KL(sg prior ‖ post)
        joint      dyn = rep = KL(post ‖ prior)

    Sources: DreamerV2 (arXiv:2010.02193), Alg. 2; DreamerV3 (arXiv:2301.04104v2), Eq. 5. V2's
    balance α and scale s are the weights α·s and (1 − α)·s; its code's special case at α = 0.5 is
    `joint` with the floor on every step.
    """
    raw = post.kl(stopped(prior)).sum(-1)
    match kind:
        case "balanced":
            dyn, rep = stopped(post).kl(prior).sum(-1), raw
        case "forward":
            dyn, rep = prior.kl(stopped(post)).sum(-1), stopped(prior).kl(post).sum(-1)
        case "joint":
            dyn = rep = post.kl(prior).sum(-1)
    return KL(floored(dyn, floor, free_nats), floored(rep, floor, free_nats), raw)


def stopped(dist: Distribution) -> Distribution:
    return jax.tree.map(sg, dist)


def floored(kl: Float[Array, "*n"], floor: str, free_nats: float) -> Float[Array, "*n"]:
    """`kl` with its floor. On the batch, steps keep their values unless the mean is below it.

    The mean of the result is then max(mean kl, floor), and no step has a gradient below the floor.
    """
    if floor == "step":
        return jnp.maximum(kl, free_nats)
    return jnp.where(kl.mean() > free_nats, kl, free_nats)
