"""What the networks say, as programs: of observed rows, and of states that are dreamed.

Everything here is pure. Randomness is one key a dream, folded with the number of the dreamed row:
a dream is a function of its start, its key and its actions, however it is cut into calls.
"""

import functools as ft
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from reverie.config.schema import Config
from reverie.dream.model import Model
from reverie.nn.axes import fold, unfold
from reverie.nn.distributions import Categorical
from reverie.part.needs import ENSEMBLE
from reverie.train.learner import DREAM, purpose_key
from reverie.world.dynamics import State
from reverie.world.openloop import looks

GIVEN, SAMPLED, GREEDY = range(3)
"""Who acts in a dream: the caller, or the policy by samples or by its mode."""


CHUNK = 16
"""Dreamed rows of one call, where there are several."""
WIDE = 64
"""Dreams of one call, where there are several."""


def key_of(seed: int) -> PRNGKeyArray:
    """The root of a dream's randomness."""
    return purpose_key(seed, DREAM)


def keys_of(seed: int, count: int) -> PRNGKeyArray:
    """Keys of so many dreams, (count,)."""
    return jax.vmap(lambda m: jax.random.fold_in(key_of(seed), m))(jnp.arange(count))


class Readings(NamedTuple):
    """What is predicted of states (*n, …); what an agent has not got is not a number."""

    reward: Array  # (*n,) of arriving there, as the agent learns it
    cont: Array  # (*n,) that the episode goes on, as the head learns it
    value: Array  # (*n,) critic
    entropy: Array  # (*n,) of the policy, nats
    disagreement: Array  # (*n,) of the ensemble about arriving there
    kl: Array  # (*n,) of the posterior from the prior, nats; only where reality is known
    policy: dict[str, Array]  # (*n, width) probabilities of classes, modes of numbers
    feature: Array  # (*n, F) what the heads read


class Seen(NamedTuple):
    """Rows of one episode as the model observed them."""

    state: State  # (T, …) posteriors
    readings: Readings  # (T, …)


class Rolled(NamedTuple):
    """H dreamed rows of each of N dreams."""

    state: State  # (H, N, …)
    action: dict[str, Array]  # (H, N, components) that led to each
    readings: Readings  # (H, N, …)


@ft.partial(jax.jit, static_argnames=("config", "envs"))
def observe(
    model: Model,
    obs: dict[str, Array],
    action: dict[str, Array],
    root: PRNGKeyArray,
    *,
    first: Int[Array, ""],
    env: Int[Array, ""],
    envs: int,
    config: Config,
) -> Seen:
    """The posterior at every row of an episode that begins with row 0.

    Args:
        obs: (T, *shape) by key.
        action: (T, components) by key, chosen at each row.
        root: the key that an actor folds with the number of its step: the same one gives the
            latents with which it acts.
        first: the number of the step at row 0.
        env: the environment that shows the episode, among `envs` for which the actor draws.
    """
    world, steps = model.world, len(next(iter(obs.values())))
    rows = jnp.arange(steps)
    acting = model.acting()
    keys = jax.vmap(lambda row: jax.random.fold_in(root, first + row))(rows)
    noise = jax.vmap(lambda key: acting.noise(key, envs).post[env])(keys)
    led = {key: jnp.zeros_like(a).at[1:].set(a[:-1]) for key, a in action.items()}
    batch = jax.tree.map(lambda x: x[None], (obs, led, rows == 0, noise))
    seen = world.observe(None, *batch)
    surprise = world.dynamics.surprise(seen.post, seen.prior)
    doubt = jnp.full((1, steps), jnp.nan)
    if ENSEMBLE in config.explore.offers():
        assert model.explorer is not None
        before = world.feature(jax.tree.map(lambda x: x[:, :-1], seen.state))
        asked = config.explore.surprise(model.explorer.ensemble, before, seen.action[:, 1:])
        doubt = doubt.at[:, 1:].set(asked)
    found = fold((seen.state, doubt, surprise))
    return Seen(found[0], read(model, found[0], doubt=found[1], kl=found[2]))


@ft.partial(jax.jit, static_argnames="config")
def roll(
    model: Model,
    start: State,
    given: dict[str, Array],
    keys: PRNGKeyArray,
    first: Int[Array, ""],
    *,
    who: Int[Array, ""],
    config: Config,
) -> Rolled:
    """Dream on from `start` (N, …).

    Args:
        given: actions (H, N, components) by key, which are taken where `who` is GIVEN; their
            length H counts in any case.
        keys: (N,) one a dream.
        first: number of the first dreamed row, from 1.
    """
    world = model.world
    dynamics = world.dynamics.prepared()

    def step(carry, inputs):
        row, asked = inputs
        x = world.feature(dynamics.state(carry))
        prior, chance = noise_of(model, keys, row)
        policy = model.actor(x)
        offered = asked, policy.sample(chance), policy.mode()
        chosen = jax.tree.map(lambda *parts: jax.lax.select_n(who, *parts), *offered)
        embedded = world.embed(chosen)
        carry, _ = dynamics.imagine(carry, embedded, prior)
        return carry, (dynamics.state(carry), chosen, doubt_of(model, x, embedded, config))

    steps = len(next(iter(given.values())))
    inputs = first + jnp.arange(steps), given
    _, (state, action, doubt) = jax.lax.scan(step, dynamics.carry(start), inputs)
    lead = doubt.shape
    said = read(model, fold(state), doubt=doubt.reshape(-1))
    return Rolled(state, action, unfold(said, lead))


@jax.jit
def surprised(
    model: Model, before: State, action: dict[str, Array], obs: dict[str, Array]
) -> Float[Array, " n"]:
    """How much observations (N, *shape) surprise N dreams, nats: KL of the posterior from the
    prior, both after `action` (N, components) in the states `before` them (N, …)."""
    world = model.world
    (count,) = jax.tree.leaves(action)[0].shape[:1]
    shown, led = jax.tree.map(lambda x: x[:, None], (obs, action))
    noise = world.dynamics.noise(jax.random.key(0), (count, 1))  # the KL is that of any sample
    seen = world.observe(before, shown, led, jnp.zeros((count, 1), bool), noise)
    return world.dynamics.surprise(seen.post, seen.prior)[:, 0]


def noise_of(model: Model, keys: PRNGKeyArray, row: Array) -> tuple[Array, dict[str, Array]]:
    """The numbers that decide the dreamed row `row` of N dreams: of the latents, of the actions."""

    def one(key):
        prior, action = jax.random.split(jax.random.fold_in(key, row))
        return model.world.dynamics.noise(prior, ()), model.actor.noise(action, ())

    return jax.vmap(one)(keys)


def doubt_of(model: Model, x: Array, action: Array, config: Config) -> Float[Array, " n"]:
    """What the ensemble does not agree on about where an action leads."""
    if ENSEMBLE not in config.explore.offers():
        return jnp.full(len(x), jnp.nan)
    assert model.explorer is not None
    return config.explore.surprise(model.explorer.ensemble, x[:, None], action[:, None])[:, 0]


def read(model: Model, state: State, *, doubt: Array, kl: Array | None = None) -> Readings:
    """What the heads say of states (N, …)."""
    world = model.world
    x = world.feature(state)
    policy, missing = model.actor(x), jnp.full(len(x), jnp.nan)
    return Readings(
        reward=world.reward(x).mean(),
        cont=missing if world.cont is None else world.cont(x).mean(),
        value=model.critic(x).mean(),
        entropy=jnp.asarray(sum(policy.entropy().values())),
        disagreement=doubt,
        kl=missing if kl is None else kl,
        policy={key: weights(parts) for key, parts in policy.parts.items()},
        feature=x.astype(jnp.float32),
    )


@ft.partial(jax.jit, static_argnames="config")
def show(model: Model, state: State, *, config: Config) -> dict[str, Array]:
    """How states (N, …) look, by observation key: pictures in uint8, numbers in their own units,
    the most probable classes; empty where the objective cannot tell."""
    world, objective = model.world, config.world.objective
    shown = looks(world, objective, state)
    if shown is None:
        return {}
    return shown | objective.classes(world.objective, world.dynamics.view(state))


def weights(parts: list[Any]) -> Float[Array, "n w"]:
    """Probabilities of all classes one after the other, or the mode of every number."""
    if isinstance(parts[0], Categorical):
        return jnp.concatenate([part.probs for part in parts], -1)
    return parts[0].mode()
