"""How an RSSM follows observed sequences, in the two forms of `device.scan`.

Both take time-major inputs (action, tokens, keep, noise): action (T, B, H) through the core's
`embed`, tokens (T, B, E), keep (T, B) false where an episode begins, noise (T, B, Z). Both give
the states and statistics of all steps, time-major too. `fresh` is the learned initial state, which
travels in the carry so that its gradient does; None: zeros.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from reverie.module import blank, tree_at
from reverie.nn.layers import Linear, normed
from reverie.nn.recompute import scan_recomputed
from reverie.nn.scan import scan_deferred
from reverie.records import Latent

Along = tuple[Latent, Float[Array, "t b z k"]]


def stored(model: Any, begin: Any, fresh: Any, inputs: tuple) -> Along:
    """With all that the gradient needs stored on the way."""
    unroll = model.form.unroll
    _, outputs = scan_deferred(model.prepared(), _step, (begin, fresh), inputs, unroll=unroll)
    deter, stoch, stats = outputs
    return Latent(deter, model.unflat(stoch)), stats


def _step(model: Any, state: tuple, inputs: tuple) -> tuple[tuple, tuple]:
    carry, fresh = state
    action, tokens, keep, noise = inputs
    carry = model.core(after_reset(carry, fresh, keep), action)
    stats = model.post_of(carry.deter, tokens)
    carry = model.drawn(carry, stats, noise)
    return (carry, fresh), (carry.deter, carry.stoch, stats)


def recomputed(model: Any, begin: Any, fresh: Any, inputs: tuple) -> Along:
    """With nothing stored but the states, one array a step."""
    action, tokens, keep, noise = inputs
    model, told = told_posterior(model.prepared(), tokens)
    inputs = (action, told, keep, noise)
    found: Any = scan_recomputed(_told_step, model.form.unroll, model, (begin, fresh), inputs)
    (flat, _), stats = found
    return model.state(flat), stats


def _told_step(model: Any, state: tuple, inputs: tuple) -> tuple[tuple, Array]:
    flat, fresh = state
    action, told, keep, noise = inputs
    carry = model.moved(after_reset(flat, fresh, keep), action)
    stats = told_post_of(model, carry.deter, told)
    carry = model.drawn(carry, stats, noise)
    return (model.carry(model.state(carry)), fresh), stats


def after_reset(carry: Any, fresh: Any, keep: Bool[Array, " b"]) -> Any:
    """`carry` where `keep` is set, else `fresh`."""
    if fresh is None:
        return jax.tree.map(lambda x: jnp.where(keep[:, None], x, 0), carry)
    return jax.tree.map(lambda x, y: jnp.where(keep[:, None], x, y), carry, fresh)


def told_posterior(model: Any, tokens: Float[Array, "t b e"]) -> tuple[Any, Array]:
    """The model whose posterior reads deter alone, and what the tokens of all steps add to its
    first layer, (T, B, hidden): their product is none of the scan's business."""
    linear = model.post.layers[0].linear
    width = len(linear.kernel) - tokens.shape[-1]
    own = blank(Linear, kernel=linear.kernel[:width], bias=None)
    rest = blank(Linear, kernel=linear.kernel[width:], bias=linear.bias)
    return tree_at(lambda m: m.post.layers[0].linear, model, own), rest(tokens)


def told_post_of(
    model: Any, deter: Float[Array, "b d"], told: Float[Array, "b h"]
) -> Float[Array, "b z k"]:
    """Statistics of the posterior of a model from `told_posterior`."""
    first, *others = model.post.layers
    x = told if model.config.absolute else first.linear(deter) + told
    x = normed(x, first.norm, first.act)
    for layer in others:
        x = layer(x)
    return model.stats_of(model.post_logits(x))
