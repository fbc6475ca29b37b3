"""Observations to network inputs and tokens."""

import golden_v3 as golden
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from networks import filled

from reverie.nn.layers import to_compute
from reverie.part.errors import ConfigError
from reverie.records import Spec
from reverie.world.encoder import Encoder, EncoderConfig, flatten_vector, image_groups, vector_keys

KEY = jax.random.key(0)
SMALL = EncoderConfig(units=8, layers=1, depth=2, mults=(1, 2))


def test_vector_input():
    a = golden.layer_arrays("vecin")
    specs = {
        "a": Spec("discrete", (), (4,)),
        "b": Spec("vector", (3,)),
        "c": Spec("vector", (2, 2)),
        "d": Spec("discrete", (2,), (3, 3)),
    }
    assert vector_keys(specs) == ("a", "b", "c", "d")
    parts = [
        flatten_vector(a[key].reshape(8, *specs[key].shape), specs[key], True) for key in specs
    ]
    golden.close(jnp.concatenate(parts, -1).reshape(2, 4, 17), a["y"])


def test_plain_vectors_are_not_compressed():
    value = jnp.array([[10.0, 0.5, -3.0], [10.0, -jnp.inf, -3.0]])
    flat = flatten_vector(value, Spec("vector", (3,)), False)
    assert flat.tolist() == [[10.0, 0.5, -3.0], [0.0, 0.0, 0.0]]


def test_pictures_of_one_size_share_a_stack():
    specs = {
        "left": Spec("image", (16, 16, 3)),
        "wide": Spec("image", (8, 16, 1)),
        "depth": Spec("image", (16, 16, 1)),
        "speed": Spec("vector", ()),
    }
    assert image_groups(specs) == (("wide",), ("depth", "left"))
    encoder = filled(Encoder, specs, SMALL)
    assert [stack.convs[0].kernel.shape[2] for stack in encoder.images] == [1, 4]
    rng = np.random.default_rng(0)
    obs = {k: jnp.asarray(rng.integers(0, 256, (5, *s.shape)), s.dtype) for k, s in specs.items()}
    tokens = jax.eval_shape(lambda o: encoder(o, jnp.dtype("float32")), obs)
    assert tokens.shape == (5, encoder.size)
    # 8 units, then maps of 4 channels: 4×8 after one stage (a second would be too small), 4×4.
    assert encoder.size == 8 + 4 * 8 * 2 + 4 * 4 * 4


def test_tokens_have_the_compute_dtype():
    specs = {"image": Spec("image", (16, 16, 3)), "x": Spec("vector", (2,))}
    encoder = to_compute(filled(Encoder, specs, SMALL), jnp.bfloat16)
    obs = {"image": jnp.zeros((2, 16, 16, 3), jnp.uint8), "x": jnp.zeros((2, 2))}
    tokens = jax.eval_shape(lambda o: encoder(o, jnp.dtype("bfloat16")), obs)
    assert tokens.dtype == jnp.bfloat16


def test_an_observation_without_keys_is_refused():
    with pytest.raises(ConfigError, match="no usable key"):
        Encoder({}, SMALL, key=KEY)
