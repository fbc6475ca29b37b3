"""Numbers of trainable parameters, exactly those of the official agent."""

import jax
import pytest

from reverie.config.edit import apply
from reverie.config.schema import Config
from reverie.config.sizes import size_edits
from reverie.module import Module, count_params, named_leaves
from reverie.records import Spec
from reverie.train.state import Agent, init


def image(side, channels):
    return {"image": Spec("image", (side, side, channels))}


def classes(count):
    return {"action": Spec("discrete", (), (count,))}


CONTINUOUS = {"action": Spec("vector", (6,), (), (-1.0,) * 6, (1.0,) * 6)}
PROPRIO = {
    "height": Spec("vector", ()),
    "orientations": Spec("vector", (14,)),
    "velocity": Spec("vector", (9,)),
}
SPACES = {
    "atari100k": (image(64, 3), classes(6)),
    "atari": (image(96, 1), classes(18)),
    "crafter": (image(64, 3), classes(17)),
    "dmc_vision": (image(64, 3), CONTINUOUS),
    "walker_proprio": (PROPRIO, CONTINUOUS),
}
TABLE = {
    "1m": (686_456, 769_762, 687_875, 686_846, 640_867),
    "12m": (10_492_616, 11_808_850, 10_498_259, 10_494_158, 9_738_019),
    "25m": (23_487_016, 26_444_402, 23_495_475, 23_489_326, 21_782_947),
    "50m": (41_646_984, 46_900_882, 41_658_259, 41_650_062, 38_612_003),
    "100m": (93_463_624, 105_276_626, 93_480_531, 93_468_238, 86_622_499),
    "200m": (165_942_536, 186_936_082, 165_965_075, 165_948_686, 153_769_507),
    "400m": (372_887_176, 420_106_130, 372_920_979, 372_896_398, 345_473_059),
    "debug": (11_603, 14_865, 11_735, 11_657, 1_774),
}
PARTS = {
    "12m": (5_979_648, 1_272_003, 853_503, 789_510, 721_407, 656_129, 220_416),
    "200m": (95_483_904, 20_282_115, 12_850_431, 12_595_206, 10_749_183, 10_488_833, 3_492_864),
}


def shape_of(size, space):
    obs, actions = SPACES[space]
    config = apply(Config(), size_edits(size))
    return jax.eval_shape(lambda k: Agent(obs, actions, config, key=k), jax.random.key(0))


@pytest.mark.parametrize("size", list(TABLE))
@pytest.mark.parametrize("space", list(SPACES))
def test_parameters_of_the_table(size, space):
    expected = TABLE[size][list(SPACES).index(space)]
    assert count_params(shape_of(size, space)) == expected


@pytest.mark.parametrize("size", list(PARTS))
def test_parameters_of_each_part(size):
    agent = shape_of(size, "atari100k")
    world = agent.world
    parts = (world.dynamics, world.objective, agent.critic, agent.actor, world.reward, world.cont)
    assert tuple(map(count_params, (*parts, world.encoder))) == PARTS[size]


@pytest.mark.parametrize("space", list(SPACES))
def test_every_dynamic_leaf_is_an_array(space):
    """What `jit`, `grad` and `vmap` see of a train state is arrays alone, none of them abstract."""
    obs, actions = SPACES[space]
    config = apply(Config(), size_edits("debug"))
    state = jax.eval_shape(lambda k: init(obs, actions, config, k), jax.random.key(0))
    for name, leaf in named_leaves(state).items():
        assert isinstance(leaf, jax.ShapeDtypeStruct), (name, leaf)
        assert not leaf.weak_type, name
        assert leaf.dtype in (jax.numpy.float32, jax.numpy.int32), (name, leaf.dtype)


def test_what_is_static_is_hashable():
    """A function of the state is compiled once only if its structure can be compared."""
    state = shape_of("debug", "dmc_vision")
    assert isinstance(state, Module)
    assert hash(jax.tree.structure(state)) == hash(
        jax.tree.structure(shape_of("debug", "dmc_vision"))
    )


def test_equal_weights_start_the_slow_critic():
    obs, actions = SPACES["walker_proprio"]
    config = apply(Config(), size_edits("debug"))
    state = jax.jit(lambda k: init(obs, actions, config, k))(jax.random.key(0))
    slow, fast = named_leaves(state.slow_critic), named_leaves(state.agent.critic)
    assert all((slow[name] == fast[name]).all() for name in fast)
    assert all(slow[n].unsafe_buffer_pointer() != fast[n].unsafe_buffer_pointer() for n in fast)
