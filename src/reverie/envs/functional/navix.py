"""navix: MiniGrid's rooms in JAX, as symbols."""

from typing import Any

import jax
import jax.numpy as jnp

from reverie.envs.base import EnvError, Split
from reverie.envs.functional.game import Game, Moment
from reverie.envs.functional.spaces import ACTION, discrete_action, reading
from reverie.envs.options import EnvConfig
from reverie.part.errors import did_you_mean


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> Game:
    """The game of `navix_NAME`: what the agent sees before it, (7, 7, 3) symbols.

    Ends of the task are terminal, `max_steps` (100 unless given) truncates. Which names exist
    depends on the package's version: 41 up to Python 3.11, 83 from 3.12 on.

    Raises EnvError for a name that the installed version does not know.
    """
    import navix

    known = {id[6:-3].lower().replace("-", "_"): id for id in navix.registry()}
    if name not in known:
        raise EnvError(
            f"The installed navix knows no task {name!r}.{did_you_mean(name, known)} It knows "
            f"{', '.join(sorted(known))}."
        )
    kwargs = {"observation_fn": navix.observations.symbolic_first_person, **kwargs}
    env: Any = navix.make(known[name], **kwargs)
    like = jax.eval_shape(env.reset, jax.random.PRNGKey(0))
    spec, convert = reading(like.observation.shape)

    def reset(key):
        timestep = env.reset(key)
        return timestep, {"grid": convert(timestep.observation)}

    def step(key, timestep, action):
        state = timestep.state.replace(key=key)
        after = env._step(timestep.replace(state=state), action[ACTION])
        reward = jnp.asarray(after.reward, jnp.float32)
        ended, cut = after.is_termination(), after.is_truncation()
        return Moment(after, {"grid": convert(after.observation)}, reward, ended, cut)

    return Game({"grid": spec}, discrete_action(len(env.action_set)), reset, step)
