"""The world model: encoder, recurrent core, decoder, reward and continue heads; their losses."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.config.schema import Config
from reverie.module import Module, static
from reverie.nn.heads import BernoulliHead, NumberHead
from reverie.records import Latent, Sequence, Spec, Specs
from reverie.world.balance import Sigmas, make_sigmas
from reverie.world.decoder import Decoder
from reverie.world.encoder import Encoder
from reverie.world.rssm import RSSM, embed_action

sg = jax.lax.stop_gradient


class Observed(NamedTuple):
    """What the world model makes of B sequences of T trained steps."""

    latent: Latent  # posterior, (B, T, …)
    post: Array  # its logits (B, T, Z, C)
    prior: Array  # logits of the prior from the same deter


def feature(latent: Latent) -> Float[Array, "*n f"]:
    """What every head reads: concat(deter, flat stoch)."""
    deter, stoch = latent
    flat = stoch.reshape(*deter.shape[:-1], -1).astype(deter.dtype)
    return jnp.concatenate([deter, flat], -1)


def split_context(sequence: Sequence, context: int) -> tuple[Sequence, dict[str, Array], Latent]:
    """Trained rows, the action that led to each of them, and the latent before the first.

    The one place where "action chosen at t" becomes "action that led to t".
    """
    trained = jax.tree.map(lambda x: x[:, context:], sequence)
    action = {key: value[:, context - 1 : -1] for key, value in sequence.action.items()}
    return trained, action, jax.tree.map(lambda x: x[:, context - 1], sequence.latent)


class WorldModel(Module):
    """Everything that predicts the environment."""

    encoder: Encoder
    rssm: RSSM
    decoder: Decoder
    reward: NumberHead
    cont: BernoulliHead
    sigmas: Sigmas | None  # of loss balancing
    actions: tuple[tuple[str, Spec], ...] = static()

    def __init__(self, obs: Specs, actions: Specs, config: Config, *, key: PRNGKeyArray):
        keys = jax.random.split(key, 5)
        rssm = config.rssm
        stoch = rssm.stoch * rssm.classes
        self.actions = tuple(sorted(actions.items()))
        self.encoder = Encoder(obs, config.encoder, key=keys[0])
        width = sum(spec.width for spec in actions.values())
        self.rssm = RSSM(self.encoder.size, width, rssm, key=keys[1])
        self.decoder = Decoder(obs, rssm.deter, stoch, config.decoder, config.encoder, key=keys[2])
        self.reward = NumberHead(rssm.deter + stoch, config.reward, key=keys[3])
        self.cont = BernoulliHead(rssm.deter + stoch, config.cont, key=keys[4])
        self.sigmas = make_sigmas(obs, config)

    def embed(self, action: dict[str, Array]) -> Float[Array, "*n a"]:
        """Flat actions by key as one input vector."""
        return embed_action(action, dict(self.actions))

    def encode(self, obs: dict[str, Array], dtype: jnp.dtype) -> Float[Array, "b t e"]:
        """Tokens of B × T observations; pictures go through the stack as one batch."""
        batch, time = next(iter(obs.values())).shape[:2]
        flat = {key: value.reshape(batch * time, *value.shape[2:]) for key, value in obs.items()}
        return self.encoder(flat, dtype).reshape(batch, time, -1)

    def observe(
        self,
        start: Latent,
        obs: dict[str, Array],
        action: dict[str, Array],
        is_first: Array,
        uniform: Float[Array, "b t z"],
    ) -> Observed:
        """Posterior and prior along sequences; `action` is the one that led to each row."""
        tokens = self.encode(obs, start.deter.dtype)
        latent, post = self.rssm.observe(start, tokens, self.embed(action), is_first, uniform)
        return Observed(latent, post, self.rssm.prior_of(latent.deter))

    def losses(
        self, observed: Observed, rows: Sequence, config: Config
    ) -> tuple[dict[str, Float[Array, "b t"]], dict[str, Array]]:
        """Loss of every part at every trained step, and metrics.

        Names: `dyn`, `rep`, `rew`, `con` and each observation key. Source: DreamerV3
        (arXiv:2301.04104v2), Eq. 5; the KL floor acts on the sum over latents.
        """
        post = self.rssm.categorical(observed.post)
        prior = self.rssm.categorical(observed.prior)
        kl = post.kl(jax.tree.map(sg, prior)).sum(-1)
        dyn = jax.tree.map(sg, post).kl(prior).sum(-1)
        free = config.rssm.free_nats
        x = feature(observed.latent)
        gamma = 1.0 - 1.0 / config.behavior.horizon if config.behavior.contdisc else 1.0
        label = (1.0 - rows.is_terminal.astype(jnp.float32)) * gamma
        losses = {
            "dyn": jnp.maximum(dyn, free),
            "rep": jnp.maximum(kl, free),
            "rew": self.reward(x if config.loss.reward_grad else sg(x)).nll(rows.reward),
            "con": self.cont(x).nll(label),
        }
        losses |= self.reconstruct(observed.latent, rows.obs)
        metrics = {
            "kl": kl.mean(),
            "dyn_ent": prior.entropy().sum(-1).mean(),
            "rep_ent": post.entropy().sum(-1).mean(),
        }
        return losses, metrics

    def reconstruct(self, latent: Latent, obs: dict[str, Array]) -> dict[str, Array]:
        """Reconstruction loss (B, T) of every observation key."""
        batch, time = latent.deter.shape[:2]

        def fold(x):
            return x.reshape(batch * time, *x.shape[2:])

        flat = jax.tree.map(fold, latent)
        losses = self.decoder.losses(self.decoder(flat), jax.tree.map(fold, obs))
        return {key: loss.reshape(batch, time) for key, loss in losses.items()}
