"""Returns, weights and the return range against the reference's numbers and brute force."""

import dataclasses

import golden_v3 as golden
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from reverie.behavior.options import BehaviorConfig
from reverie.behavior.returns import imagined_return, lambda_return, replay_return
from reverie.behavior.scale import RangeScale, ReturnRange

close = golden.close
CONFIG = BehaviorConfig()


@pytest.mark.parametrize("case", ["plain", "interior_last", "last_and_term", "magnitudes"])
@pytest.mark.parametrize(("name", "lam"), [("lam95", 0.95), ("lam0", 0.0), ("lam1", 1.0)])
def test_replay_returns(case, name, lam):
    arrays = golden.load("fn_returns")
    inputs = [jnp.asarray(arrays[f"replay/{case}/{k}"]) for k in ("rew", "last", "term", "boot")]
    config = dataclasses.replace(CONFIG, lam=lam)
    returns = jax.vmap(lambda *row: replay_return(*row, config))(*inputs)
    close(returns, arrays[f"replay/{case}/ret_{name}"])


@pytest.mark.parametrize("name", ["contdisc", "nocontdisc"])
def test_imagined_returns(name):
    arrays = golden.load("fn_returns")
    inputs = [jnp.asarray(arrays[f"imagine/{k}"]) for k in ("rew", "con", "val")]
    config = dataclasses.replace(CONFIG, contdisc=name == "contdisc")
    returns, weight = jax.vmap(lambda *row: imagined_return(*row, config))(*inputs)
    close(returns, arrays[f"imagine/ret_{name}"])
    close(weight, arrays[f"imagine/weight_{name}"])


REWARD = jnp.array([0.0, 1.0, 2.0, 0.0, 3.0])


def test_replay_returns_of_the_specification():
    boot, last = jnp.array([5.0, 4.0, 3.0, 2.0, 1.0]), jnp.arange(5) == 2
    ended = replay_return(REWARD, last, last, boot, CONFIG)
    assert ended.tolist() == pytest.approx([3.0936937, 2, 3.885444, 3.9969969], rel=1e-6)
    cut = replay_return(REWARD, last, jnp.zeros(5, bool), boot, CONFIG)
    assert cut.tolist() == pytest.approx([5.9266024, 4.990991, 3.885444, 3.9969969], rel=1e-6)


def test_imagined_returns_of_the_specification():
    value, cont = jnp.array([0.5, 0.4, 0.3, 0.2, 0.1]), jnp.array([1.0, 0.9, 0.8, 0.99, 0.5])
    returns, weight = imagined_return(REWARD, cont, value, CONFIG)
    assert returns.tolist() == pytest.approx([4.6086607, 4.199603, 2.8784251, 3.05], rel=1e-6)
    assert weight.tolist() == pytest.approx([1.0, 0.9, 0.72, 0.7128, 0.3564], rel=1e-6)


def test_lambda_zero_is_the_one_step_target():
    r, c, v = jnp.array([1.0, 2.0]), jnp.array([0.9, 0.5]), jnp.array([10.0, 20.0])
    assert lambda_return(r, c, v, lam=0.0).tolist() == [10.0, 12.0]


def test_lambda_one_is_the_discounted_sum():
    r, c, v = jnp.array([1.0, 2.0]), jnp.array([0.5, 0.5]), jnp.array([10.0, 20.0])
    assert lambda_return(r, c, v, lam=1.0).tolist() == [7.0, 12.0]


def test_lambda_returns_are_mixtures_of_all_n_step_returns():
    rng = np.random.default_rng(0)
    reward, cont, value = rng.normal(size=6), rng.random(6), rng.normal(size=6)
    lam, expected = 0.7, 0.0
    for n in range(1, 7):
        gain, alive = 0.0, 1.0
        for k in range(n):
            gain, alive = gain + alive * reward[k], alive * cont[k]
        share = lam**5 if n == 6 else (1 - lam) * lam ** (n - 1)
        expected += share * (gain + alive * value[n - 1])
    inputs = (jnp.asarray(x, jnp.float32) for x in (reward, cont, value))
    assert lambda_return(*inputs, lam)[0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("kind", "rate"), [("perc", 0.01), ("perc_fast", 0.3)])
def test_return_range(kind, rate):
    """The reference's other normalisers (debiased percentiles, mean and deviation, none) belong to
    options that its default agent switches off and ours does not have."""
    arrays = golden.load("fn_normalize")
    scale = RangeScale(rate=rate)
    seen = scale.initial()
    for index, batch in enumerate(arrays["x"]):
        seen = scale.update(seen, jnp.asarray(batch))
        close(seen.low, arrays[f"{kind}/state/lo"][index])
        close(seen.high, arrays[f"{kind}/state/hi"][index])
        close(scale.zero(seen), arrays[f"{kind}/offset"][index])
        close(scale.divisor(seen), arrays[f"{kind}/scale"][index])


@pytest.mark.parametrize(("low", "high"), [(0.0, 100.0), (5.0, 95.0), (12.5, 50.0)])
def test_percentiles(low, high):
    arrays = golden.load("fn_normalize")
    scale = RangeScale(rate=1.0, low=low, high=high)
    for index, batch in enumerate(arrays["x"]):
        seen = scale.update(scale.initial(), jnp.asarray(batch))
        close(seen.low, arrays[f"percentile/{low:g}"][index])
        close(seen.high, arrays[f"percentile/{high:g}"][index])


def test_return_range_of_the_specification():
    batch = jnp.arange(0.0, 201.0, 10.0)
    scale = RangeScale()
    seen = scale.update(scale.initial(), batch)
    assert scale.divisor(seen) == pytest.approx(1.8)
    for low, divisor in ((0.199, 3.582), (0.297, 5.346), (0.394, 7.093)):
        seen = scale.update(seen, batch)
        found = float(seen.low), float(scale.divisor(seen))
        assert found == pytest.approx((low, divisor), abs=6e-4)


def test_small_ranges_divide_by_the_limit():
    seen = ReturnRange(jnp.asarray(2.0), jnp.asarray(2.3))
    assert RangeScale().divisor(seen) == 1.0


def test_return_range_carries_no_gradient():
    scale = RangeScale()
    slope = jax.grad(lambda x: scale.update(scale.initial(), x).high)(jnp.arange(9.0))
    assert not slope.any()
