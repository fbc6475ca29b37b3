"""The world model: encoder, dynamics, objective, reward and continue heads; their losses."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.module import Module, cast, static
from reverie.nn.axes import fold, unfold
from reverie.nn.heads import BernoulliHead, NumberHead
from reverie.nn.layers import NET
from reverie.nn.loss import Loss
from reverie.nn.options import NetConfig, RewardConfig
from reverie.records import Sequence, Spec, Specs
from reverie.world.actions import embed_action
from reverie.world.balance import Sigmas
from reverie.world.dynamics import Dynamics, Observed, State, feature
from reverie.world.encoder import Encoder
from reverie.world.options import WorldConfig
from reverie.world.term import Shapes

sg = jax.lax.stop_gradient

EXTRA = 5
"""Number that the key of the first extra loss is folded with: the others draw as without any."""


def split_context(
    sequence: Sequence, context: int
) -> tuple[Sequence, dict[str, Array], State | None]:
    """Trained rows, the action that led to each of them, and the state before the first.

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

    Actions flat, stored states in the form of the networks (a state stays one), rewards
    transformed: the one place where they are, so that everything that learns sees the same numbers.
    """
    action = {k: v.reshape(*v.shape[:2], -1) for k, v in sequence.action.items()}
    latent = sequence.latent
    if isinstance(latent, Mapping):
        latent = config.dynamics.unpack(latent, dtype)
    else:
        latent = cast(latent, dtype)
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


def outline(obs: Specs, actions: Specs, world: WorldConfig) -> tuple[Loss, ...]:
    """The world model's losses without their values: names, weights and groups.

    Those of the dynamics, `rew`, `con` (where it is predicted), the objective's and the extras'.
    """
    pictures = {key for key, spec in obs.items() if spec.kind == "image"}
    factor = world.beside_pictures if pictures else 1.0
    reward = Loss("rew", None, world.reward.weight * factor, "reward")
    losses = [*world.dynamics.outline(), reward]
    if world.cont.predict:
        losses.append(Loss("con", None, world.cont.weight, "continue"))
    for loss in world.objective.outline(obs, actions):
        lone = loss.name in obs and loss.name not in pictures
        losses.append(loss.weighing(loss.weight * factor) if lone else loss)
    for extra in world.extras:
        losses += extra.outline(obs, actions)
    return tuple(losses)


class WorldModel(Module):
    """Everything that predicts the environment."""

    encoder: Encoder
    dynamics: Dynamics
    objective: Any  # its module; None where it has no parameters
    reward: NumberHead
    cont: BernoulliHead | None
    extras: tuple[Any, ...]
    sigmas: Sigmas | None  # of loss balancing
    specs: tuple[tuple[str, Spec], ...] = static()  # of the observation
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
        self.specs, self.actions = tuple(sorted(obs.items())), tuple(sorted(actions.items()))
        self.encoder = Encoder(obs, config.encoder, net, key=keys[0])
        shapes = shapes_of(obs, actions, config, self.encoder.size)
        self.dynamics = config.dynamics.build(shapes.tokens, shapes.action, net, key=keys[1])
        self.objective = config.objective.build(shapes, net, key=keys[2])
        self.reward = NumberHead(shapes.feature, config.reward, net, key=keys[3])
        self.cont = None
        if config.cont.predict:
            self.cont = BernoulliHead(shapes.feature, config.cont, net, key=keys[4])
        self.extras = tuple(
            extra.build(shapes, net, key=jax.random.fold_in(key, EXTRA + number))
            for number, extra in enumerate(config.extras)
        )
        self.sigmas = config.balance.sigmas(outline(obs, actions, config))

    def embed(self, action: dict[str, Array]) -> Float[Array, "*n a"]:
        """Flat actions by key as one input vector."""
        return embed_action(action, dict(self.actions))

    def encode(self, obs: dict[str, Array], dtype: jnp.dtype) -> Float[Array, "b t e"]:
        """Tokens of B × T observations; pictures go through the stack as one batch."""
        return unfold(self.encoder(fold(obs), dtype), next(iter(obs.values())).shape[:2])

    def feature(self, state: State) -> Float[Array, "*n f"]:
        """What every head reads of a state."""
        return feature(self.dynamics.view(state))

    def observe(
        self,
        start: State | None,
        obs: dict[str, Array],
        action: dict[str, Array],
        is_first: Array,
        noise: Float[Array, "b t z"],
    ) -> Observed:
        """Posterior and prior along sequences; `action` is the one that led to each row.

        `start` is the state before the first row; None where every sequence begins an episode.
        """
        dynamics = self.dynamics
        if start is None:
            start = dynamics.initial(is_first.shape[0], dynamics.dtype)
        tokens, embedded = self.encode(obs, dynamics.dtype), self.embed(action)
        state, post = dynamics.observe(start, tokens, embedded, is_first, noise)
        prior = dynamics.expected(state)
        return Observed(state, dynamics.view(state), post, prior, tokens, embedded)

    def losses(
        self, observed: Observed, rows: Sequence, config: WorldConfig, *, goes_on: float = 1.0
    ) -> tuple[tuple[Loss, ...], dict[str, Array]]:
        """The losses (B, T), in the order of `outline`, and metrics.

        `goes_on` is what the continue head learns where an episode goes on: 1, or the discount.

        Source: DreamerV3 (arXiv:2301.04104v2), Eq. 5.
        """
        values, metrics = self.dynamics.losses(observed.post, observed.prior)
        x = feature(observed.view)
        values["rew"] = self.reward(x if config.reward.grad else sg(x)).nll(rows.reward)
        if self.cont is not None:
            label = (1.0 - rows.is_terminal.astype(jnp.float32)) * goes_on
            values["con"] = self.cont(x if config.cont.grad else sg(x)).nll(label)
        rows = rows._replace(obs=self.encoder.units(rows.obs))
        terms = (config.objective, *config.extras)
        for term, model in zip(terms, (self.objective, *self.extras), strict=True):
            values |= term.losses(model, observed, rows)
        named = outline(dict(self.specs), dict(self.actions), config)
        return tuple(loss.valued(values[loss.name]) for loss in named), metrics


def shapes_of(obs: Specs, actions: Specs, config: WorldConfig, tokens: int) -> Shapes:
    """What heads are built for, with an encoder of so many tokens."""
    deter, stoch = config.dynamics.widths
    return Shapes(obs, actions, deter, stoch, tokens, config.dynamics.inner, config.encoder)
