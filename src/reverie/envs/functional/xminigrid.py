"""XLand-MiniGrid: rooms with rules of their own, in JAX."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from reverie.envs.base import Split
from reverie.envs.functional.game import Game, Moment
from reverie.envs.functional.spaces import ACTION, discrete_action
from reverie.envs.names_jax import xminigrid_ids
from reverie.envs.options import EnvConfig
from reverie.records import Spec


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> Game:
    """The game of `xminigrid_NAME`: tile and colour of every cell in view, as classes.

    Reaching the goal is terminal, the environment's `max_steps` truncate. Rule sets of the
    package's benchmarks are downloads and not used here: XLand tasks play the trivial one.
    """
    import xminigrid
    from xminigrid.core.constants import NUM_COLORS, NUM_TILES

    package: Any = xminigrid
    env, params = package.make(xminigrid_ids()[name], **kwargs)
    shape = (params.view_size, params.view_size, 2)
    counts = np.broadcast_to(np.array([NUM_TILES, NUM_COLORS]), shape).reshape(-1)
    spec = Spec("discrete", shape, classes=tuple(map(int, counts)))

    def reset(key):
        timestep = env.reset(params, key)
        return timestep, {"grid": jnp.asarray(timestep.observation, jnp.int32)}

    def step(key, timestep, action):
        after = env.step(params, timestep, action[ACTION])
        ended = after.last() & (after.discount == 0.0)
        reward = jnp.asarray(after.reward, jnp.float32)
        obs = {"grid": jnp.asarray(after.observation, jnp.int32)}
        return Moment(after, obs, reward, ended, after.last() & ~ended)

    return Game({"grid": spec}, discrete_action(env.num_actions(params)), reset, step)
