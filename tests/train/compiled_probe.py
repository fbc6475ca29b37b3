"""A JAX-native environment of a user's own whose optimum is known, and the row that offers it."""

import jax
import jax.numpy as jnp

from reverie.envs.functional.game import Game, Moment
from reverie.envs.functional.spaces import ACTION, discrete_action
from reverie.envs.suite import Suite
from reverie.records import Spec

CUES, LENGTH = 4, 4

ROW = Suite(
    "compiled_probe:build",
    lambda: ("cue",),
    "press the button that {} shows",
    preset="probe",
    compiled=True,
)


def build(name, config, split, /):
    """Every step shows one of four cues; pressing its button is worth 1. Four steps an episode: the
    optimum is 4, chance gets 1."""

    def show(key):
        return jax.random.randint(key, (), 0, CUES)

    def seen(cue):
        return {"cue": jax.nn.one_hot(cue, CUES)}

    def reset(key):
        state = {"cue": show(key), "count": jnp.int32(0)}
        return state, seen(state["cue"])

    def step(key, state, action):
        reward = (action[ACTION] == state["cue"]).astype(jnp.float32)
        state = {"cue": show(key), "count": state["count"] + 1}
        ended = state["count"] >= LENGTH
        return Moment(state, seen(state["cue"]), reward, ended, jnp.zeros((), bool))

    return Game({"cue": Spec("vector", (CUES,))}, discrete_action(CUES), reset, step)
