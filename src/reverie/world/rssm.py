"""The recurrent state-space model: a core, a prior and a posterior over the stochastic latents.

Sources: DreamerV3 (arXiv:2301.04104v2), Eq. 2 to 4; DreamerV2 (arXiv:2010.02193), Eq. 1; and their
official codes. The core is one of `cores.py`, the kind of latents one of `latents.py`.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from reverie.module import Module, static, tree_at
from reverie.nn.distributions import Categorical
from reverie.nn.layers import MLP, NET, Linear
from reverie.nn.options import NetConfig
from reverie.nn.scan import scan_deferred
from reverie.records import Latent, Specs
from reverie.world import latents
from reverie.world.cores import Carry, Core, make_core
from reverie.world.options import RSSMConfig


def embed_action(action: dict[str, Array], specs: Specs) -> Float[Array, "*n a"]:
    """Actions by key as one vector: classes one-hot, numbers as they are, keys sorted.

    Components beyond ±1 are scaled back to ±1; the divisor is a constant for the gradient.
    `action` is flat: (*n, components).
    """
    parts = []
    for key, spec in sorted(specs.items()):
        value = action[key]
        if spec.kind == "discrete":
            for i, classes in enumerate(spec.classes):
                parts.append(jax.nn.one_hot(value[..., i], classes, dtype=jnp.float32))
        else:
            parts.append(value.astype(jnp.float32))
    joint = jnp.concatenate(parts, -1)
    return joint / jax.lax.stop_gradient(jnp.maximum(1.0, jnp.abs(joint)))


class RSSM(Module):
    """Prior and posterior over latents given a recurrent deterministic state."""

    core: Core
    prior: MLP
    prior_logits: Linear
    post: MLP
    post_logits: Linear
    first: Float[Array, " d"] | None  # the learned initial state before its tanh
    config: RSSMConfig = static()

    def __init__(
        self,
        tokens: int,
        action: int,
        config: RSSMConfig,
        net: NetConfig = NET,
        *,
        key: PRNGKeyArray,
    ):
        keys = jax.random.split(key, 8 + config.core_layers)
        width, outputs = config.hidden, config.stoch * config.outputs
        self.config = config
        self.core = make_core(action, config, net, jnp.concatenate([keys[:4], keys[8:]]))
        self.prior = MLP(config.deter, width, config.prior_layers, net, key=keys[4])
        self.prior_logits = Linear(width, outputs, init=net.init, key=keys[5])
        seen = tokens if config.absolute else config.deter + tokens
        self.post = MLP(seen, width, config.post_layers, net, key=keys[6])
        self.post_logits = Linear(width, outputs, init=net.init, key=keys[7])
        self.first = jnp.zeros(config.deter) if config.initial == "learned" else None

    @property
    def dtype(self) -> jnp.dtype:
        """The compute dtype: that of the weights."""
        return self.prior_logits.kernel.dtype

    def initial(self, batch: int, dtype: jnp.dtype) -> Latent:
        """The latent before the first observation: zeros, or what was learned."""
        c = self.config
        if self.first is not None:
            deter = jnp.tanh(self.first).astype(dtype)[None]
            stoch = latents.mode(self.distribution(self.prior_of(deter))).astype(dtype)
            return jax.tree.map(lambda x: x.repeat(batch, 0), Latent(deter, stoch))
        width = c.flat // c.stoch
        return Latent(jnp.zeros((batch, c.deter), dtype), jnp.zeros((batch, c.stoch, width), dtype))

    def distribution(self, stats: Float[Array, "*n z k"]) -> latents.Distribution:
        """The distribution of latents with these statistics."""
        return latents.distribution(stats, self.config)

    def categorical(self, logits: Float[Array, "*n z c"]) -> Categorical:
        """The same for categorical latents, whose statistics are logits."""
        return Categorical(logits, self.config.unimix)

    def noise(self, key: PRNGKeyArray, shape: tuple[int, ...]) -> Float[Array, "*n z"]:
        """Numbers that decide samples, (*shape, Z)."""
        return latents.draw(key, shape, self.config)

    def carry(self, latent: Latent) -> Carry:
        """`latent` (B, …) in the form in which it travels through a scan."""
        stoch = latent.stoch.reshape(latent.stoch.shape[0], -1).astype(latent.deter.dtype)
        return self.core.carry(latent.deter, stoch)

    def latent(self, carry: Carry) -> Latent:
        return Latent(carry.deter, self.unflat(carry.stoch))

    def unflat(self, stoch: Float[Array, "*n zc"]) -> Float[Array, "*n z c"]:
        return stoch.reshape(*stoch.shape[:-1], self.config.stoch, -1)

    def prepared(self) -> "RSSM":
        """The same model with its weights laid out for scans; call it once before one."""
        return tree_at(lambda m: m.core, self, self.core.prepared())

    def drawn(self, carry: Carry, stats: Float[Array, "b z k"], noise: Array) -> Carry:
        """`carry` with the latent that belongs to `noise`."""
        stoch = latents.sample(self.distribution(stats), noise)
        return carry._replace(stoch=stoch.reshape(stoch.shape[0], -1).astype(carry.deter.dtype))

    def prior_of(self, deter: Float[Array, "*n d"]) -> Float[Array, "*n z k"]:
        """Statistics of the prior (see `latents.py`)."""
        logits = self.prior_logits(self.prior(deter))
        return logits.reshape(*deter.shape[:-1], self.config.stoch, self.config.outputs)

    def post_of(
        self, deter: Float[Array, "n d"], tokens: Float[Array, "n e"]
    ) -> Float[Array, "n z k"]:
        """Statistics of the posterior."""
        seen = tokens if self.config.absolute else jnp.concatenate([deter, tokens], -1)
        logits = self.post_logits(self.post(seen))
        return logits.reshape(-1, self.config.stoch, self.config.outputs)

    def observe(
        self,
        start: Latent,
        tokens: Float[Array, "b t e"],
        action: Float[Array, "b t a"],
        is_first: Bool[Array, "b t"],
        noise: Float[Array, "b t z"],
    ) -> tuple[Latent, Float[Array, "b t z k"]]:
        """Posterior latents and their statistics along observed sequences.

        Args:
            start: latent before the first step, (B, …).
            tokens: encoded observations.
            action: embedded action that led to each observation (`embed_action`).
            is_first: where an episode begins, the state before it is the initial one and the
                action before it zero.
            noise: what picks the latents (`noise`).
        """
        dtype = start.deter.dtype
        action = jnp.where(is_first[..., None], 0.0, action).astype(dtype)
        inputs = (self.core.embed(action), tokens, ~is_first, noise)
        # A learned initial state travels in the carry, so that its gradient does.
        fresh = None if self.first is None else self.carry(self.initial(1, dtype))

        def step(model: RSSM, state: tuple[Carry, Carry | None], inputs):
            carry, fresh = state
            action, tokens, keep, noise = inputs
            if fresh is None:
                carry = jax.tree.map(lambda x: jnp.where(keep[:, None], x, 0), carry)
            else:
                carry = jax.tree.map(lambda x, y: jnp.where(keep[:, None], x, y), carry, fresh)
            carry = model.core(carry, action)
            stats = model.post_of(carry.deter, tokens)
            carry = model.drawn(carry, stats, noise)
            return (carry, fresh), (carry.deter, carry.stoch, stats)

        swapped = jax.tree.map(lambda x: x.swapaxes(0, 1), inputs)
        begin = (self.carry(start), fresh)
        _, outputs = scan_deferred(self.prepared(), step, begin, swapped)
        deter, stoch, stats = jax.tree.map(lambda x: x.swapaxes(0, 1), outputs)
        return Latent(deter, self.unflat(stoch)), stats

    def imagine(
        self, carry: Carry, action: Float[Array, "b a"], noise: Float[Array, "b z"]
    ) -> tuple[Carry, Float[Array, "b z k"]]:
        """One step without looking: the next latent from the prior, and the prior's statistics.

        The model must be `prepared`.
        """
        carry = self.core(carry, self.core.embed(action.astype(carry.deter.dtype)))
        stats = self.prior_of(carry.deter)
        return self.drawn(carry, stats, noise), stats
