"""The recurrent state-space model: a core, a prior and a posterior over the stochastic latents.

Sources: DreamerV3 (arXiv:2301.04104v2), Eq. 2 to 4; DreamerV2 (arXiv:2010.02193), Eq. 1; and their
official codes. The core is one of `cores.py`, the kind of latents one of `latents.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from reverie.module import blank, static, tree_at
from reverie.nn.layers import MLP, NET, Linear
from reverie.nn.loss import Loss
from reverie.nn.options import NetConfig
from reverie.nn.scan import STORED, ScanForm
from reverie.part.checks import Checker
from reverie.records import Latent
from reverie.world import observing
from reverie.world.block_core import Block
from reverie.world.cores import AbstractCore, Carry, Core, Widths
from reverie.world.dynamics import AbstractDynamics, Dynamics, feature
from reverie.world.kl import KL, kl_losses
from reverie.world.latents import AbstractLatents, Categoricals


@dataclass(frozen=True)
class RSSMConfig(AbstractDynamics):
    """Recurrent state-space model (V1 to V3)."""

    deter: int = 2048
    """Width D of the deterministic state."""
    core: AbstractCore = field(default_factory=Block)
    """Recurrent core: how the deterministic state moves."""
    latent: AbstractLatents = field(default_factory=Categoricals)
    """Kind of the latents."""
    hidden: int = 256
    """Width of the hidden layers of core, prior and posterior."""
    stoch: int = 32
    """Number Z of latents."""
    initial: Literal["zeros", "learned"] = "zeros"
    """State before an episode: zeros, or tanh of a learned vector with the mode of its prior."""
    free_nats: float = 1.0
    """Floor of the KL losses, nats per step."""
    floor: Literal["step", "batch"] = "step"
    """What the floor acts on: the KL of every step, or its mean over the batch (V2)."""
    kl: Literal["balanced", "forward", "joint"] = "balanced"
    """KL of posterior to prior whose two halves (dyn, rep) stop each other's gradient; of prior to
    posterior in the same way; or one KL without stopped gradients in both halves (what DreamerV2's
    code computes for balance 0.5; with weights 0.5 and 0.5 they add up to it)."""
    prior_layers: int = 2
    """Hidden layers of the prior."""
    post_layers: int = 1
    """Hidden layers of the posterior."""
    absolute: bool = False
    """Posterior from the tokens alone, without the deterministic state."""
    dyn: float = 1.0
    """Weight of the KL that trains the prior."""
    rep: float = 0.1
    """Weight of the KL that trains the posterior."""

    def __post_init__(self):
        check = Checker(self, "world.dynamics.")
        check.at_least(1, "deter", "hidden", "stoch", "prior_layers", "post_layers")
        check.at_least(0, "free_nats", "dyn", "rep")
        self.core.check(self.deter)

    @property
    def flat(self) -> int:
        """Width of the stochastic state laid flat."""
        return self.stoch * self.latent.width

    @property
    def widths(self) -> tuple[int, int]:
        return self.deter, self.flat

    @property
    def inner(self) -> int:
        return self.hidden

    def outline(self) -> tuple[Loss, ...]:
        """`dyn` and `rep`, both halves of the KL."""
        return tuple(Loss(n, None, getattr(self, n), "dynamics") for n in ("dyn", "rep"))

    def columns(self) -> Mapping[str, tuple[tuple[int, ...], Any]]:
        """bfloat16 deter; class index, or bfloat16 numbers.

        Source: spec/dreamerv3.md §4.3 (the compact form keeps bf16 latents without loss).
        """
        stored = ((self.stoch,), self.latent.stored)
        return {"deter": ((self.deter,), jnp.bfloat16), "stoch": stored}

    def classes(self) -> Mapping[str, int]:
        return {"stoch": self.latent.width}

    def pack(self, state: Latent) -> dict[str, Array]:
        return {
            "deter": state.deter.astype(jnp.bfloat16),
            "stoch": self.latent.pack(state.stoch),
        }

    def unpack(self, stored: Mapping[str, Array], dtype: Any) -> Latent:
        stoch = self.latent.unpack(stored["stoch"], dtype)
        return Latent(stored["deter"].astype(dtype), stoch)

    def build(self, tokens: int, action: int, net: NetConfig, *, key: PRNGKeyArray) -> "RSSM":
        return RSSM(tokens, action, self, net, key=key)


class RSSM(Dynamics):
    """Prior and posterior over latents given a recurrent deterministic state."""

    core: Core
    prior: MLP
    prior_logits: Linear
    post: MLP
    post_logits: Linear
    first: Float[Array, " d"] | None  # the learned initial state before its tanh
    config: RSSMConfig = static()
    form: ScanForm = static()  # see `in_form`

    def __init__(
        self,
        tokens: int,
        action: int,
        config: RSSMConfig,
        net: NetConfig = NET,
        *,
        key: PRNGKeyArray,
    ):
        keys = jax.random.split(key, 4 + config.core.keys)
        width, outputs = config.hidden, config.stoch * config.latent.outputs
        self.config, self.form = config, STORED
        widths = Widths(config.deter, config.flat, width, action)
        core_keys = jnp.concatenate([keys[:4], keys[8:]])
        self.core = config.core.build(widths, net, keys=core_keys)
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
            stoch = c.latent.mode(self.distribution(self.prior_of(deter))).astype(dtype)
            return jax.tree.map(lambda x: x.repeat(batch, 0), Latent(deter, stoch))
        shape = (batch, c.stoch, c.latent.width)
        return Latent(jnp.zeros((batch, c.deter), dtype), jnp.zeros(shape, dtype))

    def distribution(self, stats: Float[Array, "*n z k"]) -> Any:
        """The distribution of latents with these statistics."""
        return self.config.latent.distribution(stats)

    def noise(self, key: PRNGKeyArray, shape: tuple[int, ...]) -> Float[Array, "*n z"]:
        return self.config.latent.draw(key, (*shape, self.config.stoch))

    def in_form(self, form: ScanForm) -> "RSSM":
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        return blank(RSSM, **parts | {"form": form})

    def carry(self, state: Latent) -> Carry | Array:
        """The core's own form of a state; when recomputing, one array (B, D + Z·C)."""
        if self.form.recompute:
            return feature(state)
        return self.cores(state)

    def cores(self, state: Latent) -> Carry:
        stoch = state.stoch.reshape(state.stoch.shape[0], -1).astype(state.deter.dtype)
        return self.core.carry(state.deter, stoch)

    def state(self, carry: Carry | Array) -> Latent:
        if isinstance(carry, Carry):
            return Latent(carry.deter, self.unflat(carry.stoch))
        width = self.config.deter
        return Latent(carry[..., :width], self.unflat(carry[..., width:]))

    def unflat(self, stoch: Float[Array, "*n zc"]) -> Float[Array, "*n z c"]:
        return stoch.reshape(*stoch.shape[:-1], self.config.stoch, -1)

    def prepared(self) -> "RSSM":
        return tree_at(lambda m: m.core, self, self.core.prepared())

    def drawn(self, carry: Carry, stats: Float[Array, "b z k"], noise: Array) -> Carry:
        """`carry` with the latent that belongs to `noise`."""
        stoch = self.config.latent.sample(self.distribution(stats), noise)
        return carry._replace(stoch=stoch.reshape(stoch.shape[0], -1).astype(carry.deter.dtype))

    def prior_of(self, deter: Float[Array, "*n d"]) -> Float[Array, "*n z k"]:
        """Statistics of the prior (see `latents.py`)."""
        return self.stats_of(self.prior_logits(self.prior(deter)))

    def moved(self, carry: Carry | Array, action: Float[Array, "b h"]) -> Carry:
        """The core's step; `action` went through its `embed`, and `stoch` stays as it is."""
        own = carry if isinstance(carry, Carry) else self.cores(self.state(carry))
        return self.core(own, action)

    def post_of(
        self, deter: Float[Array, "n d"], tokens: Float[Array, "n e"]
    ) -> Float[Array, "n z k"]:
        """Statistics of the posterior."""
        seen = tokens if self.config.absolute else jnp.concatenate([deter, tokens], -1)
        return self.stats_of(self.post_logits(self.post(seen)))

    def stats_of(self, flat: Float[Array, "*n zk"]) -> Float[Array, "*n z k"]:
        return flat.reshape(*flat.shape[:-1], self.config.stoch, self.config.latent.outputs)

    def observe(
        self,
        start: Latent,
        tokens: Float[Array, "b t e"],
        action: Float[Array, "b t a"],
        is_first: Bool[Array, "b t"],
        noise: Float[Array, "b t z"],
    ) -> tuple[Latent, Float[Array, "b t z k"]]:
        """Where an episode begins, the state before it is the initial one and the action zero."""
        dtype = start.deter.dtype
        action = jnp.where(is_first[..., None], 0.0, action).astype(dtype)
        inputs = (self.core.embed(action), tokens, ~is_first, noise)
        fresh = None if self.first is None else self.carry(self.initial(1, dtype))
        swapped = jax.tree.map(lambda x: x.swapaxes(0, 1), inputs)
        along = observing.recomputed if self.form.recompute else observing.stored
        found = along(self, self.carry(start), fresh, swapped)
        return jax.tree.map(lambda x: x.swapaxes(0, 1), found)

    def imagine(
        self, carry: Carry | Array, action: Float[Array, "b a"], noise: Float[Array, "b z"]
    ) -> tuple[Carry | Array, Float[Array, "b z k"]]:
        moved = self.moved(carry, self.core.embed(action.astype(self.dtype)))
        stats = self.prior_of(moved.deter)
        moved = self.drawn(moved, stats, noise)
        return self.carry(self.state(moved)) if self.form.recompute else moved, stats

    def expected(self, state: Latent) -> Float[Array, "*n z k"]:
        return self.prior_of(state.deter)

    def losses(self, post: Array, prior: Array) -> tuple[dict[str, Array], dict[str, Array]]:
        """Both halves of the KL; its value before the floor, and the entropies."""
        posteriors, priors = self.distribution(post), self.distribution(prior)
        kl = self._kl(posteriors, priors)
        metrics = {
            "kl": kl.raw.mean(),
            "dyn_ent": priors.entropy().sum(-1).mean(),
            "rep_ent": posteriors.entropy().sum(-1).mean(),
        }
        return {"dyn": kl.dyn, "rep": kl.rep}, metrics

    def surprise(self, post: Array, prior: Array) -> Float[Array, "b t"]:
        """KL of the posterior from the prior, summed over the latents."""
        return self._kl(self.distribution(post), self.distribution(prior)).raw

    def _kl(self, post: Any, prior: Any) -> KL:
        c = self.config
        return kl_losses(post, prior, kind=c.kl, floor=c.floor, free_nats=c.free_nats)
