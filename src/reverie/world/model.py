"""The world model: encoder, recurrent core, decoder, reward and continue heads; their losses."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.module import Module, static
from reverie.nn.heads import BernoulliHead, NumberHead
from reverie.nn.layers import NET
from reverie.nn.loss import Loss
from reverie.nn.options import NetConfig, RewardConfig
from reverie.records import Latent, Sequence, Spec, Specs
from reverie.world import latents
from reverie.world.balance import Sigmas
from reverie.world.decoder import Decoder
from reverie.world.encoder import Encoder
from reverie.world.kl import kl_losses
from reverie.world.options import WorldConfig
from reverie.world.rssm import RSSM, embed_action

sg = jax.lax.stop_gradient


class Observed(NamedTuple):
    """What the world model makes of B sequences of T trained steps."""

    latent: Latent  # posterior, (B, T, …)
    post: Array  # its statistics (B, T, Z, K), see `latents.py`
    prior: Array  # those of the prior from the same deter
    tokens: Array  # encoded observations (B, T, E)


def feature(latent: Latent) -> Float[Array, "*n f"]:
    """What every head reads: concat(deter, flat stoch)."""
    deter, stoch = latent
    flat = stoch.reshape(*deter.shape[:-1], -1).astype(deter.dtype)
    return jnp.concatenate([deter, flat], -1)


def split_context(
    sequence: Sequence, context: int
) -> tuple[Sequence, dict[str, Array], Latent | None]:
    """Trained rows, the action that led to each of them, and the latent before the first.

    The one place where "action chosen at t" becomes "action that led to t". Without context the
    sequence starts from a clean state: its first row counts as the first of an episode, no action
    led to it, and there is no latent.
    """
    if not context:
        action = {k: jnp.zeros_like(v).at[:, 1:].set(v[:, :-1]) for k, v in sequence.action.items()}
        first = jnp.asarray(sequence.is_first).at[:, 0].set(True)
        return sequence._replace(is_first=first), action, None
    trained = jax.tree.map(lambda x: x[:, context:], sequence)
    action = {key: value[:, context - 1 : -1] for key, value in sequence.action.items()}
    return trained, action, jax.tree.map(lambda x: x[:, context - 1], sequence.latent)


def unpack(sequence: Sequence, config: WorldConfig, dtype: jnp.dtype) -> Sequence:
    """A stored sequence as the agent takes it.

    Actions flat, latents in the form of the networks, rewards transformed: the one place where
    they are, so that everything that learns sees the same numbers.
    """
    action = {k: v.reshape(*v.shape[:2], -1) for k, v in sequence.action.items()}
    latent = sequence.latent
    if latent is not None:
        latent = latents.unpack(latent, config.dynamics, dtype)
    reward = transform_reward(jnp.asarray(sequence.reward), config.reward)
    return sequence._replace(action=action, latent=latent, reward=reward)


def transform_reward(reward: Float[Array, "*n"], config: RewardConfig) -> Float[Array, "*n"]:
    """What the agent learns from: the reward over its divisor, its tanh, or its sign."""
    reward = reward if config.divisor == 1.0 else reward / config.divisor
    match config.transform:
        case "tanh":
            return jnp.tanh(reward)
        case "sign":
            return jnp.sign(reward)
        case _:
            return reward


def outline(obs: Specs, world: WorldConfig) -> tuple[Loss, ...]:
    """The world model's losses without their values: names, weights and groups.

    `dyn`, `rep`, `rew`, `con` (where it is predicted) and each observation key.
    """
    losses = [
        Loss("dyn", None, world.dynamics.dyn, "dynamics"),
        Loss("rep", None, world.dynamics.rep, "dynamics"),
        Loss("rew", None, world.reward.weight, "reward"),
    ]
    if world.cont.predict:
        losses.append(Loss("con", None, world.cont.weight, "continue"))
    weight = world.objective.weight
    return (*losses, *(Loss(key, None, weight, "observation") for key in sorted(obs)))


class WorldModel(Module):
    """Everything that predicts the environment."""

    encoder: Encoder
    rssm: RSSM
    decoder: Decoder
    reward: NumberHead
    cont: BernoulliHead | None
    sigmas: Sigmas | None  # of loss balancing
    actions: tuple[tuple[str, Spec], ...] = static()

    def __init__(
        self,
        obs: Specs,
        actions: Specs,
        config: WorldConfig,
        net: NetConfig = NET,
        *,
        key: PRNGKeyArray,
    ):
        keys = jax.random.split(key, 5)
        rssm = config.dynamics
        self.actions = tuple(sorted(actions.items()))
        self.encoder = Encoder(obs, config.encoder, net, key=keys[0])
        width = sum(spec.width for spec in actions.values())
        self.rssm = RSSM(self.encoder.size, width, rssm, net, key=keys[1])
        mirror = config.encoder
        self.decoder = Decoder(
            obs, rssm.deter, rssm.flat, config.objective, mirror, net, key=keys[2]
        )
        self.reward = NumberHead(rssm.feature, config.reward, net, key=keys[3])
        self.cont = None
        if config.cont.predict:
            self.cont = BernoulliHead(rssm.feature, config.cont, net, key=keys[4])
        self.sigmas = config.balance.sigmas(outline(obs, config))

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
        start: Latent | None,
        obs: dict[str, Array],
        action: dict[str, Array],
        is_first: Array,
        noise: Float[Array, "b t z"],
    ) -> Observed:
        """Posterior and prior along sequences; `action` is the one that led to each row.

        `start` is the latent before the first row; None where every sequence begins an episode.
        """
        if start is None:
            start = self.rssm.initial(is_first.shape[0], self.rssm.dtype)
        tokens = self.encode(obs, start.deter.dtype)
        latent, post = self.rssm.observe(start, tokens, self.embed(action), is_first, noise)
        return Observed(latent, post, self.rssm.prior_of(latent.deter), tokens)

    def losses(
        self, observed: Observed, rows: Sequence, config: WorldConfig, *, goes_on: float = 1.0
    ) -> tuple[tuple[Loss, ...], dict[str, Array]]:
        """The losses (B, T), in the order of `outline`, and metrics.

        `goes_on` is what the continue head learns where an episode goes on: 1, or the discount.

        Source: DreamerV3 (arXiv:2301.04104v2), Eq. 5.
        """
        post = self.rssm.distribution(observed.post)
        prior = self.rssm.distribution(observed.prior)
        kl = kl_losses(post, prior, config.dynamics)
        x = feature(observed.latent)
        values = {
            "dyn": kl.dyn,
            "rep": kl.rep,
            "rew": self.reward(x if config.reward.grad else sg(x)).nll(rows.reward),
        }
        if self.cont is not None:
            label = (1.0 - rows.is_terminal.astype(jnp.float32)) * goes_on
            values["con"] = self.cont(x if config.cont.grad else sg(x)).nll(label)
        values |= self.reconstruct(observed.latent, rows.obs)
        named = outline(dict(self.decoder.specs), config)
        losses = tuple(loss.valued(values[loss.name]) for loss in named)
        metrics = {
            "kl": kl.raw.mean(),
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
