"""symlog, symexp and the two-hot code against the reference's numbers and their own laws."""

import golden_v3 as golden
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from reverie.nn.distributions import SquaredError, TwoHot
from reverie.nn.scaling import symexp, symexp_bins, symlog, two_hot, two_hot_mean

close = golden.close


def test_symlog_and_symexp():
    arrays = golden.load("fn_symlog")
    close(jax.jit(symlog)(arrays["x"]), arrays["symlog"])
    np.testing.assert_allclose(jax.jit(symexp)(arrays["y"]), arrays["symexp"], rtol=1e-5, atol=1e-6)


def test_squared_errors():
    arrays = golden.load("fn_symlog")
    pred, target = jnp.asarray(arrays["mse/pred"]), jnp.asarray(arrays["mse/target"])
    close(SquaredError(pred, symlog=True).nll(target).sum(-1), arrays["mse/symlog_loss"])
    close(SquaredError(pred).nll(target).sum(-1), arrays["mse/plain_loss"])
    decoded = SquaredError(pred, symlog=True).mean()
    close(symlog(decoded), pred)


def test_squared_error_of_the_specification():
    loss = SquaredError(jnp.full(1, 0.5), symlog=True).nll(jnp.full(1, 10.0))
    assert loss[0] == pytest.approx(3.6020067, rel=1e-6)


@pytest.mark.parametrize("count", [255, 31, 6, 5])
def test_bins(count):
    expected = golden.load("fn_twohot")[f"bins{count}"]
    bins = symexp_bins(count)
    np.testing.assert_allclose(bins, expected, rtol=1e-5)
    np.testing.assert_array_equal(bins, -bins[::-1])
    assert (np.diff(bins) >= 0).all()
    assert (bins == 0).sum() == (1 if count % 2 else 2), "an even number has two bins at zero"


def test_bins_of_the_specification():
    bins = symexp_bins(255)
    numbers = [-485165184, -414473568, -0.3702054, -0.1705578, 0.0, 0.1705578]
    assert bins[[0, 1, 125, 126, 127, 128]].tolist() == pytest.approx(numbers, rel=1e-5)


def test_one_bin_is_refused():
    with pytest.raises(ValueError, match="two-hot needs at least 2 bins, got 1"):
        symexp_bins(1)


@pytest.mark.parametrize("count", [255, 31, 6])
def test_two_hot_targets(count):
    arrays = golden.load("fn_twohot")
    encode = jax.jit(two_hot, static_argnums=1)
    below, above, weight = encode(jnp.asarray(arrays["values"]), count)
    np.testing.assert_array_equal(below, arrays[f"n{count}/below"])
    np.testing.assert_array_equal(above, arrays[f"n{count}/above"])
    close(weight, arrays[f"n{count}/weight_below"])


@pytest.mark.parametrize(
    ("value", "below", "above", "weight"),
    [
        (0.0, 127, 128, 1.0),
        (0.5, 129, 130, 0.4446084),
        (1.0, 131, 132, 0.6173297),
        (-3.0, 118, 119, 0.7903178),
        (100.0, 156, 157, 0.7105302),
        (1e9, 254, 254, 1.0),
        (-1e9, 0, 0, 1.0),
    ],
)
def test_two_hot_targets_of_the_specification(value, below, above, weight):
    found = two_hot(jnp.asarray(value), 255)
    assert (int(found[0]), int(found[1])) == (below, above)
    assert float(found[2]) == pytest.approx(weight, rel=1e-5)


@pytest.mark.parametrize("count", [255, 31, 6])
def test_two_hot_losses(count):
    arrays = golden.load("fn_twohot")
    logits, values = jnp.asarray(arrays[f"n{count}/logits"]), jnp.asarray(arrays["values"])
    loss = jax.jit(lambda x: TwoHot(x).nll(values))
    close(loss(logits), arrays[f"n{count}/loss"])
    if f"n{count}/grad" in arrays:
        close(jax.jit(jax.grad(lambda x: loss(x).sum()))(logits), arrays[f"n{count}/grad"])


def test_two_hot_losses_of_the_specification():
    uniform, rising = jnp.zeros(255), jnp.arange(255) / 100
    for value in (0.0, -7.3, 1e12):
        assert TwoHot(uniform).nll(jnp.asarray(value)) == pytest.approx(5.5412636, rel=1e-6)
    assert TwoHot(rising).nll(jnp.asarray(1.0)) == pytest.approx(5.7550402, rel=1e-6)


def test_two_hot_targets_sum_to_one_and_decode_to_their_value():
    values = jnp.asarray(np.random.default_rng(0).normal(size=200) * 1e3, jnp.float32)
    target = TwoHot(jnp.zeros((200, 255))).target(values)
    close(target.sum(-1), np.ones(200))
    decoded = np.asarray(target, np.float64) @ symexp_bins(255).astype(np.float64)
    np.testing.assert_allclose(decoded, values, rtol=1e-4)


def test_two_hot_targets_carry_no_gradient():
    slope = jax.grad(lambda value: TwoHot(jnp.arange(31.0)).nll(value))(jnp.asarray(0.3))
    assert slope == 0.0


def test_two_hot_means():
    arrays = golden.load("fn_twohot")
    mean = jax.jit(lambda x: TwoHot(x).mean())
    pred = np.asarray(mean(arrays["pred/logits"]), np.float64)
    assert (np.abs(pred - arrays["pred/pred_float64"]) <= arrays["pred/atol"]).all()
    assert (np.abs(pred - arrays["pred/pred"]) <= 2 * arrays["pred/atol"]).all()
    even = mean(arrays["pred_even/logits"])
    probs = np.asarray(jax.nn.softmax(arrays["pred_even/logits"], -1))
    scale = (probs * np.abs(symexp_bins(6))).sum(-1)
    assert (np.abs(even - arrays["pred_even/pred"]) <= 2e-6 * scale).all()


@pytest.mark.parametrize("count", [255, 31, 5, 6])
def test_uniform_logits_mean_exactly_zero(count):
    logits = jnp.full((7, count), 0.37)
    assert (jax.jit(lambda x: TwoHot(x).mean())(logits) == 0.0).all()
    assert (jax.jit(lambda x: jax.vmap(lambda y: TwoHot(y).mean())(x))(logits) == 0.0).all()
    assert (TwoHot(logits).mean() == 0.0).all()


def test_two_hot_mean_is_the_expectation():
    probs = jax.nn.softmax(jnp.asarray(np.random.default_rng(1).normal(size=(9, 31)), jnp.float32))
    expected = np.asarray(probs, np.float64) @ symexp_bins(31).astype(np.float64)
    np.testing.assert_allclose(two_hot_mean(probs), expected, rtol=1e-4)
