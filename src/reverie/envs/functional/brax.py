"""Brax, and MuJoCo Playground's ports of DM Control: rigid bodies in JAX, from states."""

from typing import Any

import jax
import jax.numpy as jnp

from reverie.envs.base import Split
from reverie.envs.functional.game import Game, Moment
from reverie.envs.functional.spaces import ACTION, box_action, reading
from reverie.envs.gym import default_gl
from reverie.envs.names_jax import playground_ids
from reverie.envs.options import EnvConfig

LIMIT = 1_000
"""Longest episode, steps: Brax leaves it to its training code."""


def build(
    name: str, config: EnvConfig, split: Split, /, *, limit: int = LIMIT, **kwargs: Any
) -> Game:
    """The game of `brax_NAME`; `kwargs` go to the environment, for example {"backend": "spring"}.

    What Brax calls done is terminal; `limit` steps truncate.
    """
    default_gl()
    from brax import envs

    return _game(envs.get_environment(name, **kwargs), limit)


def build_playground(
    name: str, config: EnvConfig, split: Split, /, *, limit: int = 0, **overrides: Any
) -> Game:
    """The game of `playground_NAME`; `overrides` are fields of its configuration.

    The plain JAX implementation of MuJoCo is taken unless `impl` says otherwise. What the
    environment calls done is terminal; its own episode length truncates.
    """
    default_gl()
    from mujoco_playground import registry

    overrides = {"impl": "jax", **overrides}
    id = playground_ids()[name]
    defaults: Any = registry.get_default_config(id)
    env: Any = registry.load(id, config_overrides=overrides)
    return _game(env, limit or int(defaults.episode_length))


def _game(env: Any, limit: int) -> Game:
    like = jax.eval_shape(env.reset, jax.random.PRNGKey(0)).obs
    spec, convert = reading(like.shape)
    actions, rescale = box_action(-1.0, 1.0, (int(env.action_size),))

    def reset(key):
        state = env.reset(key)
        return state, {"vector": convert(state.obs)}

    def step(key, state, action):
        after = env.step(state, rescale(action[ACTION]))
        reward = jnp.asarray(after.reward, jnp.float32)
        ended = jnp.asarray(after.done, bool)
        return Moment(after, {"vector": convert(after.obs)}, reward, ended, jnp.zeros((), bool))

    return Game({"vector": spec}, actions, reset, step, limit=limit)
