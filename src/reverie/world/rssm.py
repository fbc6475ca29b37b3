"""The recurrent state-space model: block GRU, categorical latents.

Source: DreamerV3 (arXiv:2301.04104v2), Eq. 2 to 4, and its official code. Inside scans the
deterministic state is *group-first*, (G, B, D/G): each block is one slice of a batched matrix
product and nothing is copied to the blocks. Outside it is the flat, block-major (…, D).
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from reverie.config.schema import RSSMConfig
from reverie.module import Module, static, tree_at
from reverie.nn.distributions import Categorical
from reverie.nn.layers import (
    MLP,
    BlockLinear,
    Dense,
    Linear,
    RMSNorm,
    SharedBlockLinear,
    activate,
    from_groups,
    to_groups,
)
from reverie.nn.scan import scan_deferred
from reverie.records import Latent, Specs


class Carry(NamedTuple):
    """A latent between two steps of a scan: deter both group-first and flat, stoch flat."""

    groups: Array  # (G, B, D/G)
    deter: Array  # (B, D)
    stoch: Array  # (B, Z·C)


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
    """Prior and posterior over categorical latents given a recurrent deterministic state."""

    in_deter: Dense
    in_stoch: Dense
    in_action: Dense
    hidden: tuple[Any, ...]  # BlockLinear; when prepared, the first is a SharedBlockLinear
    hidden_norms: tuple[RMSNorm, ...]
    gates: BlockLinear
    prior: MLP
    prior_logits: Linear
    post: MLP
    post_logits: Linear
    config: RSSMConfig = static()

    def __init__(self, tokens: int, action: int, config: RSSMConfig, *, key: PRNGKeyArray):
        keys = jax.random.split(key, 8 + config.core_layers)
        width, flat = config.hidden, config.stoch * config.classes
        self.config = config
        self.in_deter = Dense(config.deter, width, key=keys[0])
        self.in_stoch = Dense(flat, width, key=keys[1])
        self.in_action = Dense(action, width, key=keys[2])
        inputs = [config.deter + 3 * width * config.blocks] + [config.deter] * config.core_layers
        self.hidden = tuple(
            BlockLinear(i, config.deter, config.blocks, key=k)
            for i, k in zip(inputs[: config.core_layers], keys[8:], strict=True)
        )
        self.hidden_norms = tuple(RMSNorm(config.deter) for _ in self.hidden)
        self.gates = BlockLinear(config.deter, 3 * config.deter, config.blocks, key=keys[3])
        self.prior = MLP(config.deter, width, config.prior_layers, key=keys[4])
        self.prior_logits = Linear(width, flat, key=keys[5])
        seen = tokens if config.absolute else config.deter + tokens
        self.post = MLP(seen, width, config.post_layers, key=keys[6])
        self.post_logits = Linear(width, flat, key=keys[7])

    def initial(self, batch: int, dtype: jnp.dtype) -> Latent:
        """The latent before the first observation: zeros."""
        c = self.config
        return Latent(
            jnp.zeros((batch, c.deter), dtype), jnp.zeros((batch, c.stoch, c.classes), dtype)
        )

    def categorical(self, logits: Float[Array, "*n z c"]) -> Categorical:
        return Categorical(logits, self.config.unimix)

    def carry(self, latent: Latent) -> Carry:
        """`latent` (B, …) in the form in which it travels through a scan."""
        stoch = latent.stoch.reshape(latent.stoch.shape[0], -1).astype(latent.deter.dtype)
        return Carry(to_groups(latent.deter, self.config.blocks), latent.deter, stoch)

    def latent(self, carry: Carry) -> Latent:
        shape = (*carry.stoch.shape[:-1], self.config.stoch, self.config.classes)
        return Latent(carry.deter, carry.stoch.reshape(shape))

    def prepared(self) -> "RSSM":
        """The same model with its weights laid out for scans; call it once before one."""
        if not self.hidden or isinstance(self.hidden[0], SharedBlockLinear):
            return self
        width = self.config.deter // self.config.blocks
        return tree_at(lambda m: m.hidden[0], self, self.hidden[0].split(width))

    def core(self, carry: Carry, action: Float[Array, "b h"]) -> Float[Array, "g b w"]:
        """The next deterministic state, group-first, by a `prepared` model.

        `action` went through `in_action`.
        """
        x = jnp.concatenate([self.in_deter(carry.deter), self.in_stoch(carry.stoch), action], -1)
        y = carry.groups
        for index, (layer, norm) in enumerate(zip(self.hidden, self.hidden_norms, strict=True)):
            y = layer(y, x) if index == 0 else layer(y)
            y = activate(norm.groups(y), "silu")
        reset, candidate, update = jnp.split(self.gates(y), 3, -1)
        candidate = jnp.tanh(jax.nn.sigmoid(reset) * candidate)
        update = jax.nn.sigmoid(update - 1)
        return update * candidate + (1 - update) * carry.groups

    def prior_of(self, deter: Float[Array, "*n d"]) -> Float[Array, "*n z c"]:
        """Logits of the prior."""
        logits = self.prior_logits(self.prior(deter))
        return logits.reshape(*deter.shape[:-1], self.config.stoch, self.config.classes)

    def post_of(
        self, deter: Float[Array, "n d"], tokens: Float[Array, "n e"]
    ) -> Float[Array, "n z c"]:
        """Logits of the posterior."""
        seen = tokens if self.config.absolute else jnp.concatenate([deter, tokens], -1)
        logits = self.post_logits(self.post(seen))
        return logits.reshape(-1, self.config.stoch, self.config.classes)

    def observe(
        self,
        start: Latent,
        tokens: Float[Array, "b t e"],
        action: Float[Array, "b t a"],
        is_first: Bool[Array, "b t"],
        uniform: Float[Array, "b t z"],
    ) -> tuple[Latent, Float[Array, "b t z c"]]:
        """Posterior latents and their logits along observed sequences.

        Args:
            start: latent before the first step, (B, …).
            tokens: encoded observations.
            action: embedded action that led to each observation (`embed_action`).
            is_first: where an episode begins, the state and the action before it are zeroed.
            uniform: numbers in [0, 1) that pick the classes.
        """
        dtype = start.deter.dtype
        action = jnp.where(is_first[..., None], 0.0, action).astype(dtype)
        inputs = (self.in_action(action), tokens, ~is_first, uniform)

        def step(model: RSSM, carry: Carry, inputs):
            action, tokens, keep, uniform = inputs
            carry = jax.tree.map(lambda x: jnp.where(keep[:, None], x, 0), carry)
            groups = model.core(carry, action)
            deter = from_groups(groups)
            logits = model.post_of(deter, tokens)
            stoch = model.categorical(logits).sample_straight_through(uniform)
            carry = Carry(groups, deter, stoch.reshape(stoch.shape[0], -1).astype(dtype))
            return carry, (deter, carry.stoch, logits)

        swapped = jax.tree.map(lambda x: x.swapaxes(0, 1), inputs)
        _, outputs = scan_deferred(self.prepared(), step, self.carry(start), swapped)
        deter, stoch, logits = jax.tree.map(lambda x: x.swapaxes(0, 1), outputs)
        return Latent(deter, stoch.reshape(logits.shape)), logits

    def imagine(
        self, carry: Carry, action: Float[Array, "b a"], uniform: Float[Array, "b z"]
    ) -> tuple[Carry, Float[Array, "b z c"]]:
        """One step without looking: the next latent from the prior, and the prior's logits.

        The model must be `prepared`.
        """
        dtype = carry.deter.dtype
        groups = self.core(carry, self.in_action(action.astype(dtype)))
        deter = from_groups(groups)
        logits = self.prior_of(deter)
        stoch = self.categorical(logits).sample_straight_through(uniform)
        return Carry(groups, deter, stoch.reshape(stoch.shape[0], -1).astype(dtype)), logits
