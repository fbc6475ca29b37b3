"""Jumanji: puzzles, packing, routing and games in JAX."""

from typing import Any

import jax
import jax.numpy as jnp

from reverie.envs.base import Split
from reverie.envs.functional.game import Game, Moment
from reverie.envs.functional.spaces import (
    ACTION,
    box_action,
    choices_action,
    discrete_action,
    reading,
)
from reverie.envs.names_jax import jumanji_ids
from reverie.envs.options import EnvConfig


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> Game:
    """The game of `jumanji_NAME`: every field of the observation as numbers, masks too.

    A discount of 0 is terminal, every other end truncation. Several agents are played as one:
    their rewards are added up, and the action holds a component for each.
    """
    import jumanji

    package: Any = jumanji
    env = package.make(jumanji_ids()[name], **kwargs)
    like = jax.eval_shape(env.reset, jax.random.PRNGKey(0))[1].observation
    specs = {key: reading(leaf.shape)[0] for key, leaf in _leaves(like).items()}
    space, rescale = env.action_spec, None
    match type(space).__name__:
        case "DiscreteArray":
            actions = discrete_action(space.num_values)
        case "MultiDiscreteArray":
            actions = choices_action(space.num_values)
        case _:
            actions, rescale = box_action(space.minimum, space.maximum, tuple(space.shape))

    def show(observation):
        return {key: jnp.asarray(leaf, jnp.float32) for key, leaf in _leaves(observation).items()}

    def reset(key):
        state, timestep = env.reset(key)
        return state, show(timestep.observation)

    def step(key, state, action):
        chosen = action[ACTION] if rescale is None else rescale(action[ACTION])
        state, timestep = env.step(state, chosen)
        ended = timestep.last() & (jnp.asarray(timestep.discount) == 0.0).all()
        reward = jnp.asarray(timestep.reward, jnp.float32).sum()
        cut = timestep.last() & ~ended
        return Moment(state, show(timestep.observation), reward, ended, cut)

    return Game(specs, actions, reset, step)


def _leaves(observation: Any) -> dict[str, Any]:
    """All arrays of an observation by the names of their fields, joined by '_'."""
    found = jax.tree_util.tree_flatten_with_path(observation)[0]
    return {"_".join(_name(part) for part in path) or "vector": leaf for path, leaf in found}


def _name(part: Any) -> str:
    return jax.tree_util.keystr((part,), simple=True)
