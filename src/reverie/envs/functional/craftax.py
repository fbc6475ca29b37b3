"""Craftax and Craftax-Classic, from pictures or from symbols."""

from typing import Any

import jax.numpy as jnp

from reverie.envs.base import Split
from reverie.envs.functional.game import Game, Moment
from reverie.envs.functional.spaces import (
    ACTION,
    discrete_action,
    fraction_picture,
    reading,
)
from reverie.envs.options import EnvConfig

IDS = {
    "classic_pixels": "Craftax-Classic-Pixels-v1",
    "classic_symbolic": "Craftax-Classic-Symbolic-v1",
    "pixels": "Craftax-Pixels-v1",
    "symbolic": "Craftax-Symbolic-v1",
}
"""Our names and the package's."""


def build(name: str, config: EnvConfig, split: Split, /, **params: Any) -> Game:
    """The game of `craftax_NAME`; `params` are fields of the package's parameters.

    Death (lava too) and, in the full game, the defeat of the boss are terminal; 10000 steps
    truncate, which the package calls an end as well.
    """
    from craftax.craftax_env import make_craftax_env_from_name

    env: Any = make_craftax_env_from_name(IDS[name], auto_reset=False)
    known = env.default_params.replace(**params)
    shape = env.observation_space(known).shape
    make_reading = fraction_picture if name.endswith("pixels") else reading
    spec, convert = make_reading(shape)
    key_of_obs = spec.kind

    def reset(key):
        obs, state = env.reset_env(key, known)
        return state, {key_of_obs: convert(obs)}

    def step(key, state, action):
        obs, state, reward, done, _ = env.step_env(key, state, action[ACTION], known)
        late = state.timestep >= known.max_timesteps
        ended = done & (~late | (state.player_health <= 0))
        reward = jnp.asarray(reward, jnp.float32)
        return Moment(state, {key_of_obs: convert(obs)}, reward, ended, late)

    return Game({key_of_obs: spec}, discrete_action(env.num_actions), reset, step)
