"""gymnax: classic control, bsuite and MinAtar in JAX."""

from typing import Any

import jax
import jax.numpy as jnp

from reverie.envs.base import Split
from reverie.envs.functional.game import Game, Moment
from reverie.envs.functional.spaces import ACTION, box_action, discrete_action, reading
from reverie.envs.names_jax import gymnax_ids
from reverie.envs.options import EnvConfig
from reverie.records import Spec


def build(name: str, config: EnvConfig, split: Split, /, **params: Any) -> Game:
    """The game of `gymnax_NAME`; `params` are fields of the package's parameters.

    What the environment calls terminated is terminal; its `max_steps_in_episode` truncates.
    """
    import gymnax

    env, defaults = gymnax.make(gymnax_ids()[name])
    known = defaults.replace(**params)
    space = env.action_space(known)
    rescale = None
    if type(space).__name__ == "Discrete":
        actions = discrete_action(space.n)
    else:
        actions, rescale = box_action(space.low, space.high, tuple(space.shape))
    like = jax.eval_shape(env.reset_env, jax.random.PRNGKey(0), known)[0]
    shown = env.observation_space(known)
    if type(shown).__name__ == "Discrete":
        spec = Spec("discrete", (), classes=(int(shown.n),))
        convert = lambda x: jnp.asarray(x, jnp.int32)  # noqa: E731
    else:
        spec, convert = reading(like.shape, flags="minatar" in name)
    key_of_obs = spec.kind

    def reset(key):
        obs, state = env.reset_env(key, known)
        return state, {key_of_obs: convert(obs)}

    def step(key, state, action):
        chosen = action[ACTION] if rescale is None else rescale(action[ACTION])
        obs, state, reward, ended, _ = env.step_env(key, state, chosen, known)
        cut = env.is_truncated(state, known)
        flags = jnp.asarray(ended, bool).reshape(()), jnp.asarray(cut, bool).reshape(())
        reward = jnp.asarray(reward, jnp.float32).reshape(())
        return Moment(state, {key_of_obs: convert(obs)}, reward, *flags)

    return Game({key_of_obs: spec}, actions, reset, step)
