"""Roll a policy through the world model."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.nn.heads import Actor, Policy
from reverie.records import Latent
from reverie.world.model import WorldModel, feature

sg = jax.lax.stop_gradient


class Imagined(NamedTuple):
    """N dreams of H steps; leading axes (H + 1, N) or, for what the policy did, (H, N)."""

    feature: Array  # (H + 1, N, F): the start and every state after it
    deter: Array  # (H + 1, N, D)
    logits: Array  # (H, N, Z, C): prior of every state after the start
    action: dict[str, Array]  # (H, N, components)
    policy: Policy  # the distributions they were drawn from; carries the actor's gradient


class DreamNoise(NamedTuple):
    """Numbers that decide a dream."""

    prior: Array  # (H, N, Z) uniform
    action: dict[str, Array]  # (H, N, components), see `Actor.noise`


def dream_noise(
    world: WorldModel, actor: Actor, key: PRNGKeyArray, steps: int, starts: int
) -> DreamNoise:
    """All randomness of `steps` imagined steps from `starts` states."""
    prior_key, action_key = jax.random.split(key)
    prior = jax.random.uniform(prior_key, (steps, starts, world.rssm.config.stoch))
    return DreamNoise(prior, actor.noise(action_key, (steps, starts)))


def imagine(world: WorldModel, actor: Actor, start: Latent, noise: DreamNoise) -> Imagined:
    """Dreams from `start` (N, …), one for each start, as long as `noise`.

    No gradient crosses an imagined step or reaches the actor through its action: the policy's
    distributions are differentiable in the actor's parameters alone (and in the start, if the
    caller left its gradient). They are computed once, inside the rollout, and used by the loss.
    """

    rssm = world.rssm.prepared()

    def step(carry, noise):
        prior_noise, action_noise = noise
        x = feature(rssm.latent(carry))
        policy = actor(x)
        action = sg(policy.sample(action_noise))
        following, logits = rssm.imagine(sg(carry), world.embed(action), prior_noise)
        following = sg(following)
        return following, (x, carry.deter, sg(logits), action, policy)

    first = rssm.carry(start)
    last, (x, deter, logits, action, policy) = jax.lax.scan(step, first, noise)
    x = jnp.concatenate([x, feature(rssm.latent(last))[None]])
    deter = jnp.concatenate([deter, last.deter[None]])
    return Imagined(x, deter, logits, action, policy)


def dream_outcomes(
    world: WorldModel, x: Float[Array, "k n f"]
) -> tuple[Float[Array, "k n"], Float[Array, "k n"]]:
    """Predicted reward (environment units) and probability of going on at imagined states."""
    return sg(world.reward(x).mean()), sg(world.cont(x).mean())
