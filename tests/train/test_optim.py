"""The optimiser and the slow critic against the reference's numbers, tensor by tensor."""

import dataclasses

import golden_v3 as golden
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from reverie.config.schema import Config
from reverie.optim import norms
from reverie.optim.laprop import LaProp, clip_by_tensor_norm
from reverie.optim.optimizer import WHOLE
from reverie.optim.schedule import Cosine, Linear
from reverie.train.step import mix_slow

TENSORS = ("m/kernel", "m/bias", "m/zero/kernel", "n/scale", "s/x")
VARIANTS = ["preset", "fast", "nesterov", "decay", "noagc"]


def tensors(prefix):
    arrays = golden.load("fn_optim")
    return {name: jnp.asarray(arrays[f"{prefix}/{name}"]) for name in TENSORS}


def options(variant):
    arrays = golden.load("fn_optim")
    setting = {k: arrays[f"{variant}/cfg/{k}"].item() for k in ("lr", "warmup", "agc", "nesterov")}
    return LaProp(decay=arrays[f"{variant}/cfg/wd"].item(), **setting)


@pytest.mark.parametrize("variant", VARIANTS)
def test_six_updates(variant):
    config, arrays = options(variant), golden.load("fn_optim")
    optimizer, params = config.chain(WHOLE), tensors("init")
    state, update = optimizer.init(params), jax.jit(optimizer.update)
    for k in range(1, 7):
        updates, state = update(tensors(f"grad_{k}"), state, params)
        params = {name: params[name] + updates[name] for name in TENSORS}
        for name in TENSORS:
            other = arrays[f"{variant}/update_{k}/{name}"]
            worst = np.abs(np.asarray(updates[name]) - other).max()
            assert worst <= 5e-5 * config.lr, (k, name, worst)
            if f"{variant}/params_{k}/{name}" in arrays:
                other = arrays[f"{variant}/params_{k}/{name}"]
                bound = 5e-5 * config.lr * k
                np.testing.assert_allclose(params[name], other, rtol=1e-6, atol=bound)
        assert k > 1 or config.warmup == 0 or not any(u.any() for u in updates.values())


def test_moments():
    arrays, params = golden.load("fn_optim"), tensors("init")
    optimizer = options("fast").chain(WHOLE)
    state, update = optimizer.init(params), jax.jit(optimizer.update)
    for k in range(1, 7):
        updates, state = update(tensors(f"grad_{k}"), state, params)
        params = {name: params[name] + updates[name] for name in TENSORS}
        found = {}
        for part in state:
            found |= {name: getattr(part, name) for name in ("nu", "ema") if hasattr(part, name)}
        for name in TENSORS:
            nu, mu = arrays[f"fast/nu_{k}/{name}"], arrays[f"fast/mu_{k}/{name}"]
            np.testing.assert_allclose(found["nu"][name], nu, rtol=5e-5, atol=1e-20)
            assert np.abs(np.asarray(found["ema"][name]) - mu).max() <= 5e-5


@pytest.mark.parametrize("k", range(1, 7))
def test_clipping_alone(k):
    clip, params = clip_by_tensor_norm(0.3), tensors("init")
    clipped, _ = clip.update(tensors(f"grad_{k}"), clip.init(params), params)
    for name, other in tensors(f"agc_{k}").items():
        golden.close(clipped[name], other, name=name)


SCHEDULES = {
    "const": LaProp(),
    "const_nowarmup": LaProp(warmup=0),
    "linear": LaProp(schedule=Linear(10_000)),
    "cosine": LaProp(schedule=Cosine(10_000)),
}


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_learning_rates(name):
    arrays = golden.load("fn_optim")
    rate = jax.jit(jax.vmap(SCHEDULES[name].rate()))
    found = jnp.broadcast_to(rate(jnp.asarray(arrays["schedule/count"])), (15,))
    np.testing.assert_allclose(found, arrays[f"schedule/{name}"], rtol=1e-6, atol=1e-12)


def test_updates_of_the_specification():
    params = {"w": jnp.array([[1.0, -2.0], [0.5, 0.0]]), "b": jnp.zeros(2)}
    grads = [
        ([[0.1, 0.2], [-0.3, 0.0]], [1e-5, -2.0]),
        ([[10.0, 0.0], [0.0, 5.0]], [0.0, 1e-4]),
        ([[-0.2, 0.1], [0.1, 0.1]], [3e-4, 0.0]),
    ]
    expected = [
        ([[0.0, 0.0], [0.0, 0.0]], [0.0, 0.0]),
        ([[-4.83262e-8, -1.89470e-8], [1.89470e-8, -2.97649e-8]], [-1.89470e-8, 9.53033e-9]),
        ([[-4.53570e-8, -4.67839e-8], [7.73585e-9, -5.33790e-8]], [-7.50154e-8, 1.20272e-8]),
    ]
    clip = clip_by_tensor_norm(0.3)
    optimizer, state = LaProp().chain(WHOLE), None
    state, update = optimizer.init(params), jax.jit(optimizer.update)
    for k, ((w, b), (uw, ub)) in enumerate(zip(grads, expected, strict=True)):
        grad = {"w": jnp.array(w), "b": jnp.array(b)}
        if k == 1:
            clipped, _ = clip.update(grad, clip.init(params), params)
            assert clipped["w"][0, 0] == pytest.approx(0.6148171, rel=1e-5)
        updates, state = update(grad, state, params)
        params = {name: params[name] + updates[name] for name in params}
        np.testing.assert_allclose(updates["w"], uw, atol=5e-5 * 4e-5)
        np.testing.assert_allclose(updates["b"], ub, atol=5e-5 * 4e-5)


def test_tensors_without_gradient_stay_where_they_are():
    """A gradient of exactly zero gives a zero update, not NaN, whatever eps."""
    params = {"kernel": jnp.ones((2, 3)), "bias": jnp.zeros(3)}
    optimizer = LaProp(warmup=0).chain(WHOLE)
    state, zero = optimizer.init(params), jax.tree.map(jnp.zeros_like, params)
    for _ in range(2):
        updates, state = optimizer.update(zero, state, params)
        assert all((u == 0).all() for u in updates.values())


SLOW = [("rate02_every1", 0.02, 1), ("rate02_every3", 0.02, 3), ("rate1_every3", 1.0, 3)]


@pytest.mark.parametrize(("name", "rate", "every"), SLOW)
def test_slow_copies(name, rate, every):
    arrays, config = golden.load("fn_slow"), Config()
    behavior = dataclasses.replace(config.behavior, slow_rate=rate, slow_every=every)
    config = dataclasses.replace(config, behavior=behavior)
    slow = jnp.asarray(arrays["slow_init"])
    for count, source in enumerate(arrays["source"]):
        slow = mix_slow(slow, jnp.asarray(source), jnp.asarray(count), config)
        golden.close(slow, arrays[f"{name}/slow"][count], name=f"{name} {count}")


def test_sums_of_squares_side_by_side_are_those_one_by_one(monkeypatch):
    """Whatever the shapes, also where a tensor is large or has a number that is not finite."""
    monkeypatch.setattr(norms, "LARGE", 3_000)
    rng, shapes = (
        np.random.default_rng(0),
        [(), (1,), (3, 100), (256,), (257,), (7, 9, 11), (70, 60)],
    )
    tensors = [jnp.asarray(rng.normal(size=shape), jnp.float32) for shape in shapes]
    found = norms.side_by_side(tensors)
    expected = [np.square(np.asarray(x, np.float64)).sum() for x in tensors]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(norms.one_by_one(tensors), expected, rtol=1e-6)
    np.testing.assert_allclose(norms.side_by_side(tensors[-1:]), expected[-1:], rtol=1e-6)
    sick = norms.side_by_side([*tensors[:3], jnp.array([jnp.inf]), *tensors[3:]])
    assert np.isfinite(sick).tolist() == [True] * 3 + [False] + [True] * 4
    monkeypatch.setattr(norms, "LARGE_ON_CPU", 300)
    for some in (tensors, tensors[:2], tensors[-1:]):
        whole = sum(np.square(np.asarray(x, np.float64)).sum() for x in some)
        assert norms.tree_norm(some) == pytest.approx(whole**0.5, rel=1e-6)
