"""pgx: MinAtar, 2048, and board games against an opponent that moves at random."""

from typing import Any

import jax
import jax.numpy as jnp

from reverie.envs.base import Split
from reverie.envs.functional.game import Game, Moment
from reverie.envs.functional.spaces import ACTION, discrete_action, reading
from reverie.envs.names_jax import pgx_ids
from reverie.envs.options import EnvConfig

US = 0
"""The player that the agent is."""


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> Game:
    """The game of `pgx_NAME`.

    In games for several, the others choose uniformly among their legal moves (`pgx` has no
    opponents of its own). `legal` shows which moves are legal; an illegal one loses at once. The
    end of a game is terminal, the package's truncation one.
    """
    import pgx

    package: Any = pgx
    env = package.make(pgx_ids()[name], **kwargs)
    like = jax.eval_shape(env.init, jax.random.PRNGKey(0))
    spec, convert = reading(like.observation.shape, flags=like.observation.dtype == bool)
    specs = {spec.kind: spec, "legal": reading(like.legal_action_mask.shape)[0]}

    def show(state):
        obs = convert(env.observe(state, US) if env.num_players > 1 else state.observation)
        return {spec.kind: obs, "legal": jnp.asarray(state.legal_action_mask, jnp.float32)}

    def reset(key):
        first, rest = jax.random.split(key)
        state, _ = until_us(env, env.init(first), rest)
        return state, show(state)

    def step(key, state, action):
        first, rest = jax.random.split(key)
        state, reward = until_us(env, env.step(state, action[ACTION], first), rest)
        reward = jnp.asarray(reward, jnp.float32)
        ended = jnp.asarray(state.terminated, bool)
        return Moment(state, show(state), reward, ended, state.truncated & ~ended)

    return Game(specs, discrete_action(env.num_actions), reset, step)


def until_us(env: Any, state: Any, key: Any) -> tuple[Any, Any]:
    """The state in which it is our turn or the game is over, and our reward on the way there."""

    def others(carry):
        state, key, reward = carry
        key, choice, move = jax.random.split(key, 3)
        weights = jnp.where(state.legal_action_mask, 0.0, -jnp.inf)
        state = env.step(state, jax.random.categorical(choice, weights), move)
        return state, key, reward + state.rewards[US]

    def waiting(carry):
        state = carry[0]
        return (state.current_player != US) & ~state.terminated & ~state.truncated

    if env.num_players == 1:
        return state, state.rewards[US]
    state, _, reward = jax.lax.while_loop(waiting, others, (state, key, state.rewards[US]))
    return state, reward
