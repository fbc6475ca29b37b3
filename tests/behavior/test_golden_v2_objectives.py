"""Returns, scales, schedules, optimisers and slow critic against the recorded numbers."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from reverie.behavior.options import BehaviorConfig
from reverie.behavior.returns import RewardScale, imagined_return, lambda_return
from reverie.behavior.scale import NoScale, RangeScale
from reverie.behavior.schedule import value_at
from reverie.config.edit import apply
from reverie.config.schema import Config
from reverie.optim.adam import Adam, GroupConfig
from reverie.part.errors import ConfigError
from reverie.train.step import mix_slow

FOLDER = Path(__file__).parents[1] / "golden" / "dreamerv2"


def arrays(prefix, name="functions"):
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as file:
        start = f"{prefix}/"
        return {k.removeprefix(start): file[k] for k in file.files if k.startswith(start)}


def close(actual, expected, rtol=2e-5):
    expected = np.asarray(expected)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=rtol * np.abs(expected).max())


def test_lambda_return_and_its_gradients():
    golden = arrays("lambda_return")
    inputs = [golden[name] for name in ("reward", "discount", "value")]

    def returns(reward, discount, value, bootstrap, lam):
        """The recorded convention: everything belongs to the same state, values[t + 1] follow."""
        after = jnp.concatenate([value[1:], bootstrap[None]])
        along = jax.vmap(lambda r, c, v: lambda_return(r, c, v, lam), 1, 1)
        return along(reward, discount, after)

    for lam, expected in zip(golden["lambda_"], golden["returns"], strict=True):
        close(returns(*inputs, golden["bootstrap"], float(lam)), expected)
    reward, _, value = inputs
    constant = jnp.full_like(reward, 0.99)
    found = returns(reward, constant, value, golden["bootstrap"], 0.95)
    close(found, golden["returns_constant_discount_0.99"])
    nothing = jnp.zeros_like(golden["bootstrap"])
    close(returns(*inputs, nothing, 0.95), golden["returns_no_bootstrap"])

    def total(*args):
        return jnp.sum(returns(*args, 0.95) * golden["grad_cotangent"])

    grads = jax.grad(total, argnums=(0, 1, 2, 3))(*map(jnp.asarray, inputs), golden["bootstrap"])
    for name, grad in zip(("reward", "discount", "value", "bootstrap"), grads, strict=True):
        close(grad, golden[f"grad_{name}"], 1e-4)


def test_own_reward_is_the_recorded_convention_and_weights_come_before():
    golden = arrays("lambda_return")
    options = BehaviorConfig(own_reward=True, replay_value=False)
    reward, discount, value = (golden[name] for name in ("reward", "discount", "value"))
    end = golden["bootstrap"][None]
    column = jax.vmap(lambda *a: imagined_return(*a, options), (1, 1, 1), 1)
    pad = np.zeros_like(end)
    returns, weight = column(
        np.concatenate([reward, pad]),
        np.concatenate([discount, pad]),
        np.concatenate([value, end]),
    )
    close(returns, golden["returns"][2])
    before = np.cumprod(np.concatenate([np.ones_like(end), discount]), 0)
    close(weight, before)


def test_return_range():
    golden, scale = arrays("perc_norm"), RangeScale()
    seen = scale.initial()
    for k, batch in enumerate(golden["inputs"]):
        seen = scale.update(seen, jnp.asarray(batch))
        close(seen.low, golden["lo"][k])
        close(seen.high, golden["hi"][k])
        close(scale.divisor(seen), golden["scale"][k])
        close(scale.zero(seen), golden["offset"][k])


def test_without_a_range_nothing_is_scaled():
    scale = NoScale()
    seen = scale.update(scale.initial(), jnp.arange(100.0))
    assert float(scale.divisor(seen)) == 1.0 and float(scale.zero(seen)) == 0.0


@pytest.mark.parametrize("momentum", ["0.9", "1.0"])
def test_reward_scale(momentum):
    golden = arrays(f"stream_norm_momentum_{momentum}")
    options, scale = BehaviorConfig(reward_momentum=float(momentum)), RewardScale.initial()
    for k, batch in enumerate(arrays("perc_norm")["inputs"]):
        scale = scale.update(jnp.asarray(batch), options)
        close(scale.magnitude, golden["mag"][k])
        close(1.5 * scale.divide(jnp.asarray(batch)), golden["outputs"][k])


def test_schedules():
    golden = arrays("schedule")
    for text, expected in zip(golden["strings"], golden["values"], strict=True):
        actor = apply(Config(), {"behavior.actor.entropy": str(text)}).behavior.actor
        for step, value in zip(golden["steps"], expected, strict=True):
            assert float(value_at(actor.entropy, float(step))) == pytest.approx(value, rel=2e-6), (
                text
            )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lineer(1,2,3)", "did you mean 'linear'"),
        ("linear(1,2)", "linear takes 3 numbers, found 2"),
        ("warmup(0, 1)", "must be above 0, found 0"),
        ("horizon(0.5, 10, 100)", "must be at least 1, found 0.5"),
        ("exp(1, x, 3)", "'x' in 'exp\\(1, x, 3\\)' is no number"),
        ("often", "takes a number or a schedule such as linear"),
        ("linear(1, -1, 10)", "at least 0 at every step"),
    ],
)
def test_a_wrong_schedule_is_named(text, message):
    with pytest.raises(ConfigError, match=rf"actor\.entropy.*{message}"):
        apply(Config(), {"behavior.actor.entropy": text})


def follow(optimizer, params, gradients):
    """Parameters after each update by one of the gradients."""
    state, seen = optimizer.init(params), []
    step = jax.jit(optimizer.update)
    for gradient in gradients:
        change, state = step(gradient, state, params)
        params = jax.tree.map(jnp.add, params, change)
        seen.append(params)
    return seen


@pytest.mark.parametrize("name", ["adam_coupled_l2", "adam_plain"])
def test_adam_as_pytorch_counts(name):
    golden = arrays(name)
    values = [golden[k].item() for k in ("lr", "eps", "clip", "wd")]
    config = Adam(world=GroupConfig(*values))
    params = [golden[f"param{i}_start"] for i in range(3)]
    gradients = [[golden[f"step{k}/grad{i}"] for i in range(3)] for k in (1, 2, 3, 4)]
    for k, found in enumerate(follow(config.chain("world"), params, gradients), 1):
        for i, param in enumerate(found):
            np.testing.assert_allclose(param, golden[f"step{k}/param{i}"], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("form", "name"), [("torch", "coupled_l2"), ("tensorflow", "multiplicative_decay")]
)
def test_both_forms_of_adam(form, name):
    golden = arrays("adam_forms", "harmony_forms")
    values = [golden[k].item() for k in ("lr", "eps", "clip", "wd")]
    config = Adam(form=form, world=GroupConfig(*values))
    found = follow(config.chain("world"), list(golden["start"]), map(list, golden["grads"]))
    np.testing.assert_allclose(np.stack(found), golden[name], rtol=0, atol=2e-6)
    other = {"coupled_l2": "multiplicative_decay", "multiplicative_decay": "coupled_l2"}[name]
    assert np.abs(np.stack(found) - golden[other]).max() > 1e-4, (
        "the test could not tell them apart"
    )


@pytest.mark.parametrize(
    "name",
    ["slow_target_ema_0.02", "slow_target_every_2_fraction_0.25", "slow_target_hard_every_3"],
)
def test_slow_critic(name):
    golden = arrays(name)
    edits = {
        "behavior.slow_rate": golden["fraction"].item(),
        "behavior.slow_every": int(golden["every"]),
        "behavior.slow_copy_first": True,
    }
    config, slow = apply(Config(), edits), jnp.asarray(golden["target_start"])
    for count, (critic, target) in enumerate(zip(golden["critic"], golden["target"], strict=True)):
        slow = mix_slow(slow, jnp.asarray(critic), count, config)
        np.testing.assert_allclose(slow, target, rtol=1e-6)


def test_an_option_without_effect_is_refused():
    with pytest.raises(ConfigError, match="optim is 'adam', which has no option 'lr'; 'laprop'"):
        apply(Config(), {"optim": "adam", "optim.lr": 1e-3})
