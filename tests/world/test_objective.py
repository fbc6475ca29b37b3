"""Objectives without a decoder: nothing is built, and dreams are shown by what was seen nearby."""

import jax
import jax.numpy as jnp
import numpy as np
from networks import columns, filled, stored

from reverie.config.edit import apply
from reverie.config.presets import resolve
from reverie.records import Spec
from reverie.train.dream import predict
from reverie.train.state import Agent
from reverie.world.model import WorldModel, outline
from reverie.world.openloop import nearest

OBS = {"kind": Spec("discrete", (), (3,)), "state": Spec("vector", (2,))}
ACTIONS = {"action": Spec("discrete", (), (3,))}
CONFIG = resolve("gym:X-v0", size="debug", overrides={"world.objective": "nothing"})


def test_no_decoder_is_built_and_no_observation_is_lost_over():
    world = filled(WorldModel, OBS, ACTIONS, CONFIG.world, CONFIG.net)
    assert world.objective is None
    assert [loss.name for loss in outline(OBS, ACTIONS, CONFIG.world)] == [
        "dyn",
        "rep",
        "rew",
        "con",
    ]


def test_the_nearest_state_lends_its_observation():
    """States that are known themselves get their own rows back; others the closest."""
    world = filled(WorldModel, OBS, ACTIONS, CONFIG.world, CONFIG.net)
    rng = np.random.default_rng(0)
    known = world.dynamics.initial(4, jnp.dtype("float32"))
    deter = jnp.asarray(rng.normal(size=(2, 2, CONFIG.world.dynamics.deter)), jnp.float32)
    known = known._replace(deter=deter, stoch=known.stoch.reshape(2, 2, *known.stoch.shape[1:]))
    obs = {"kind": jnp.zeros((2, 2), jnp.int32), "state": jnp.arange(8.0).reshape(2, 2, 2)}
    swapped = jax.tree.map(lambda x: x[::-1], known)
    moved = swapped._replace(deter=swapped.deter + 0.01)
    found = nearest(world, moved, known, obs)
    assert set(found) == {"state"}  # classes are not shown
    np.testing.assert_array_equal(found["state"], obs["state"][::-1])


def test_a_dream_without_a_decoder_is_made_of_replayed_observations():
    config = apply(CONFIG, {"device.precision": "f32", "world.objective": "nothing"})
    agent = filled(Agent, OBS, ACTIONS, config)
    rows = stored(OBS, ACTIONS, config, batch=2, rows=config.replay.context + 6)
    how = {"options": config.world, "context": config.replay.context, "precision": "f32"}
    shown = predict(agent, columns(rows), jax.random.key(0), **how).shown
    assert set(shown) == {"state"}
    seen = {tuple(x) for x in np.asarray(rows.obs["state"])[:, 1:].reshape(-1, 2)}
    assert {tuple(x) for x in np.asarray(shown["state"]).reshape(-1, 2)} <= seen
