"""Roll a policy through the world model."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.nn.heads import Actor, BernoulliHead, Policy, TwoHotHead
from reverie.records import Latent
from reverie.world.model import WorldModel, feature

sg = jax.lax.stop_gradient


class Imagined(NamedTuple):
    """N dreams of H steps: what was seen, done and reached."""

    feature: Array  # (H, N, F): the start and every state in which an action was chosen
    last: Array  # (N, F): the state after the last action
    logits: Array  # (H, N, Z, C): prior of every state after the start
    action: dict[str, Array]  # (H, N, components)
    policy: Policy  # (H, N): the distributions they were drawn from; carries the actor's gradient


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
        return following, (x, sg(logits), action, policy)

    last, (x, logits, action, policy) = jax.lax.scan(step, rssm.carry(start), noise)
    return Imagined(x, feature(rssm.latent(last)), logits, action, policy)


def means_along(head: TwoHotHead | BernoulliHead, dream: Imagined) -> Float[Array, "k n"]:
    """What `head` predicts at all H + 1 states, without gradient.

    The last state is a call of its own: joining the features would copy them all.
    """
    early, last = head(sg(dream.feature)).mean(), head(sg(dream.last)).mean()
    return sg(jnp.concatenate([early, last[None]]))
