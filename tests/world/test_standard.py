"""The units of the observation's numbers: measured once, and the same model in any of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from reverie.module import tree_at
from reverie.records import Spec
from reverie.world.encoder import Encoder, EncoderConfig
from reverie.world.standard import Standard

KEY = jax.random.key(0)
F32 = jnp.dtype("float32")
SPECS = {"a": Spec("vector", (2,)), "b": Spec("vector", ()), "c": Spec("discrete", (), (3,))}
SMALL = EncoderConfig(units=8, layers=1, standardize=True)


def rows(scale=(1e3, 1e-3), shift=(5e3, 0.0), count=500):
    """`a` too large and too small, `b` far away."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=(count, 2)) * scale + shift
    return {"a": a.astype(np.float32), "b": (2020 + rng.uniform(size=count)).astype(np.float32)}


def arrays(values):
    return jax.tree.map(jnp.asarray, values)


def with_units(encoder, seen):
    return tree_at(lambda e: e.standard, encoder, Standard.of(seen))


def test_mean_and_deviation_are_those_of_the_rows():
    seen = rows()
    told = Standard.of(seen)(arrays(seen))
    for key in ("a", "b"):
        np.testing.assert_allclose(told[key].mean(0), 0.0, atol=1e-3)
        np.testing.assert_allclose(told[key].std(0), 1.0, rtol=1e-3)


def test_numbers_of_usual_size_stay_as_they_are():
    rng = np.random.default_rng(0)
    usual = {"a": rng.normal(size=(500, 2)).astype(np.float32) * [0.1, 20.0], "b": np.arange(9.0)}
    standard = Standard.of(usual)
    assert not standard.measured
    assert all(not center.any() for center in standard.center.values())


def test_what_was_told_is_restored():
    seen = rows()
    standard = Standard.of(seen)
    back = standard.restore(standard(arrays(seen)))
    for key in ("a", "b"):
        np.testing.assert_allclose(back[key], seen[key], rtol=1e-4, atol=1e-6)


def test_a_number_that_never_differs_stays_as_it_is():
    standard = Standard.of({"a": np.full((10, 2), [3.0, 2020.0], np.float32), "b": np.zeros(10)})
    assert standard.center["a"].tolist() == [0.0, 0.0]
    assert standard.spread["a"].tolist() == [1.0, 1.0]
    assert float(standard.spread["b"]) == 1.0


def test_missing_numbers_are_left_out_and_stay_missing():
    seen = rows()
    seen["b"][::2] = -np.inf
    standard = Standard.of(seen)
    assert float(standard.center["b"]) == pytest.approx(seen["b"][1::2].mean(), rel=1e-5)
    assert np.isneginf(standard(arrays(seen))["b"][::2]).all()
    only = Standard.of({"b": np.full(4, -np.inf, np.float32)})
    assert (float(only.center["b"]), float(only.spread["b"])) == (0.0, 1.0)


def test_the_same_tokens_in_any_units():
    encoder = Encoder(SPECS, SMALL, key=KEY)
    kind = {"c": np.arange(500, dtype=np.int32) % 3}
    plain, scaled = rows((100.0, 1e-3), (0.0, 0.0)), rows((1e4, 1e-2), (500.0, 0.01))
    tokens = [with_units(encoder, seen)(arrays(seen | kind), F32) for seen in (plain, scaled)]
    np.testing.assert_allclose(*tokens, rtol=1e-2, atol=1e-2)
    assert not encoder.standard.measured


def test_until_they_are_measured_nothing_changes():
    obs = arrays(rows(count=4)) | {"c": jnp.zeros(4, jnp.int32)}
    with_them = Encoder(SPECS, SMALL, key=KEY)(obs, F32)
    without = Encoder(SPECS, EncoderConfig(units=8, layers=1), key=KEY)(obs, F32)
    np.testing.assert_array_equal(with_them, without)


def test_no_gradient_reaches_them():
    seen = rows(count=8)
    encoder = with_units(Encoder(SPECS, SMALL, key=KEY), seen)
    obs = arrays(seen) | {"c": jnp.zeros(8, jnp.int32)}
    grads = jax.grad(lambda e: e(obs, F32).sum())(encoder)
    assert all(not leaf.any() for leaf in jax.tree.leaves(grads.standard))
    assert any(leaf.any() for leaf in jax.tree.leaves(grads.mlp))
