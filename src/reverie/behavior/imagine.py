"""Roll a policy through the world model."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from reverie.behavior.options import BehaviorConfig
from reverie.behavior.returns import certain_of
from reverie.nn.distributions import Categorical
from reverie.nn.heads import Actor, BernoulliHead, NumberHead, Policy
from reverie.nn.scan import STORED, ScanForm
from reverie.world.dynamics import State
from reverie.world.model import WorldModel

sg = jax.lax.stop_gradient


class Imagined(NamedTuple):
    """N dreams of H steps: what was seen, done and reached."""

    feature: Array  # (H, N, F): the start and every state in which an action was chosen
    last: Array  # (N, F): the state after the last action
    logits: Array  # (H, N, Z, C): prior of every state after the start
    action: dict[str, Array]  # (H, N, components)
    policy: Policy  # (H, N): the distributions they were drawn from; carries the actor's gradient
    relaxed: Array | None = None  # (H, N, A) embedded actions with their gradient, if `through`


class DreamNoise(NamedTuple):
    """Numbers that decide a dream."""

    prior: Array  # (H, N, Z) uniform
    action: dict[str, Array]  # (H, N, components), see `Actor.noise`


def dream_noise(
    world: WorldModel, actor: Actor, key: PRNGKeyArray, steps: int, starts: int
) -> DreamNoise:
    """All randomness of `steps` imagined steps from `starts` states."""
    prior_key, action_key = jax.random.split(key)
    prior = world.dynamics.noise(prior_key, (steps, starts))
    return DreamNoise(prior, actor.noise(action_key, (steps, starts)))


def imagine(
    world: WorldModel,
    actor: Actor,
    start: State,
    noise: DreamNoise,
    *,
    through: bool = False,
    form: ScanForm = STORED,
) -> Imagined:
    """Dreams from `start` (N, …), one for each start, as long as `noise`.

    No gradient crosses an imagined step or reaches the actor through its action: the policy's
    distributions are differentiable in the actor's parameters alone (and in the start, if the
    caller left its gradient). They are computed once, inside the rollout, and used by the loss; or,
    where `form` recomputes, once more after it, for all states at once: the rollout then has no
    gradient and keeps only states and actions.

    `through` lets the gradient of the features run through latents and actions into the actor (and
    through nothing else: the world model's weights are constants, the policy sees its state as
    one). Classes, of latents and of actions, pass it on as if they were their probabilities.
    """
    if through:
        return _imagine_through(world, actor, start, noise, form.unroll)
    if form.recompute:
        return _imagine_states(world, actor, start, noise, form.unroll)
    dynamics = world.dynamics.prepared()

    def step(carry, noise):
        prior_noise, action_noise = noise
        x = world.feature(dynamics.state(carry))
        policy = actor(x)
        action = sg(policy.sample(action_noise))
        following, logits = dynamics.imagine(sg(carry), world.embed(action), prior_noise)
        following = sg(following)
        return following, (x, sg(logits), action, policy)

    begin = dynamics.carry(start)
    last, (x, logits, action, policy) = jax.lax.scan(step, begin, noise, unroll=form.unroll)
    return Imagined(x, world.feature(dynamics.state(last)), logits, action, policy)


def _imagine_states(
    world: WorldModel, actor: Actor, start: State, noise: DreamNoise, unroll: int
) -> Imagined:
    frozen, chooser = constant(world), constant(actor)
    dynamics = frozen.dynamics.prepared()

    def step(carry, noise):
        prior_noise, action_noise = noise
        x = frozen.feature(dynamics.state(carry))
        action = chooser(x).sample(action_noise)
        following, logits = dynamics.imagine(carry, frozen.embed(action), prior_noise)
        return following, (x, logits, action)

    begin = dynamics.carry(sg(start))
    last, (x, logits, action) = jax.lax.scan(step, begin, noise, unroll=unroll)
    x = x.at[0].set(world.feature(start))
    return Imagined(x, frozen.feature(dynamics.state(last)), logits, action, actor(x))


def _imagine_through(
    world: WorldModel, actor: Actor, start: State, noise: DreamNoise, unroll: int
) -> Imagined:
    world = constant(world)
    dynamics = world.dynamics.prepared()

    def step(carry, noise):
        prior_noise, action_noise = noise
        x = world.feature(dynamics.state(carry))
        policy = actor(sg(x))
        action = policy.sample(action_noise)
        relaxed = embed_relaxed(world, policy, action)
        following, logits = dynamics.imagine(carry, relaxed, prior_noise)
        return following, (x, sg(logits), sg(action), policy, relaxed)

    begin = dynamics.carry(start)
    last, outputs = jax.lax.scan(step, begin, noise, unroll=unroll)
    x, logits, action, policy, relaxed = outputs
    return Imagined(x, world.feature(dynamics.state(last)), logits, action, policy, relaxed)


def constant(tree: Any) -> Any:
    """`tree` without gradients."""
    return jax.tree.map(sg, tree)


def embed_relaxed(
    world: WorldModel, policy: Policy, action: dict[str, Array]
) -> Float[Array, "*n a"]:
    """`world.embed(action)` with a gradient: that of the probabilities where actions are classes,
    of the number itself where they are continuous (see `embed_action` for its scale)."""
    parts = []
    for key, dists in sorted(policy.parts.items()):
        if isinstance(dists[0], Categorical):
            parts += [dist.probs for dist in dists if isinstance(dist, Categorical)]
        else:
            value = action[key].astype(jnp.float32)
            parts.append(value / sg(jnp.maximum(1.0, jnp.abs(value))))
    soft = jnp.concatenate(parts, -1)
    return sg(world.embed(action)) + (soft - sg(soft))


def means_along(
    head: NumberHead | BernoulliHead, dream: Imagined, *, through: bool = False
) -> Float[Array, "k n"]:
    """What `head` predicts at all H + 1 states, without gradient or `through` the dream alone.

    The last state is a call of its own: joining the features would copy them all.
    """
    if through:
        head = constant(head)
        early, last = head(dream.feature).mean(), head(dream.last).mean()
        return jnp.concatenate([early, last[None]])
    early, last = head(sg(dream.feature)).mean(), head(sg(dream.last)).mean()
    return sg(jnp.concatenate([early, last[None]]))


def continues_along(
    world: WorldModel,
    dream: Imagined,
    terminal: Bool[Array, " n"],
    config: BehaviorConfig,
    *,
    through: bool = False,
) -> Float[Array, "k n"]:
    """The continue factor of all H + 1 states, as `contdisc` means it.

    By the head's mean or, with `cont_mode`, its mode; the start's own by the head or, with
    `true_root`, by the flag `terminal` of its row. Without a head nothing ever ends.
    """
    certain = certain_of(config)
    if world.cont is None:
        shape = (dream.feature.shape[0] + 1, dream.feature.shape[1])
        return jnp.full(shape, certain, jnp.float32)
    cont = means_along(world.cont, dream, through=through)
    if config.cont_mode:
        cont = (cont > 0.5).astype(jnp.float32)
    if config.true_root:
        root = certain * (1.0 - terminal.astype(jnp.float32))
        cont = jnp.concatenate([root[None], cont[1:]])
    return cont
