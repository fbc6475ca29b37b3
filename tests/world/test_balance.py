"""Loss balancing against the golden numbers of its forms, and its laws."""

import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from reverie.config.edit import apply
from reverie.config.schema import Config
from reverie.part.errors import ConfigError
from reverie.records import Spec
from reverie.world import balance as rules
from reverie.world.balance import Sigmas
from reverie.world.model import outline
from reverie.world.optimum import harmony_sigma, unrectified_sigma

FOLDER = Path(__file__).parent.parent / "golden" / "dreamerv2"
EVEN = {"world.dynamics.dyn": 0.8, "world.dynamics.rep": 0.2}


@functools.cache
def golden():
    with np.load(FOLDER / "harmony_forms.npz", allow_pickle=False) as file:
        return dict(file)


@pytest.fixture
def exact():
    with jax.enable_x64(True):
        yield


def config(kind="harmony", **edits):
    """Balancing of `kind`; keys of `edits` are dotted paths with _ for the dot of the group."""
    return apply(Config(), {"world.balance": kind, **edits})


def outlined(keys, cfg):
    return outline(dict.fromkeys(keys, Spec("vector", (1,))), {}, cfg.world)


def named(losses, cfg):
    """The losses, given as a dict, as records."""
    keys = [name for name in losses if name not in ("dyn", "rep", "rew", "con")]
    found = {loss.name: loss for loss in outlined(keys, cfg)}
    return tuple(found[name].valued(value) for name, value in losses.items())


def balance(losses, sigmas, history, cfg):
    return rules.balance(named(losses, cfg), cfg.world.balance, sigmas, history)


def tasks_of(names, cfg):
    tasks = cfg.world.balance.tasks(named(dict.fromkeys(names), cfg))
    return {task: tuple(loss.name for loss in group) for task, group in tasks.items()}


def make_sigmas(keys, cfg):
    return cfg.world.balance.sigmas(outlined(keys, cfg))


def make_history(keys, cfg):
    return cfg.world.balance.history(outlined(keys, cfg))


def sigmas(s, tasks=("rew", "obs", "dyn")):
    return jax.tree.map(lambda _: jnp.asarray(s), Sigmas(tasks))


def total_of(losses, cfg, tasks=("rew", "obs", "dyn")):
    """Total and its gradient as functions of s."""

    def total(s):
        return balance(losses, sigmas(s, tasks), None, cfg).total

    return jax.jit(jax.value_and_grad(total))


@pytest.mark.parametrize("form", ["paper", "torch"])
def test_the_scalar_form(exact, form):
    found = golden()
    for i, (reward, image, kl) in enumerate(found["scalar/loss_reward_image_kl"]):
        for j, scale in enumerate(found["scalar/scale_discount"]):
            cfg = config(**EVEN, **{"world.balance.form": form, "world.cont.weight": scale})
            losses = {"dyn": kl, "rep": kl, "rew": reward, "image": image}
            losses["con"] = found["scalar/loss_discount"][i]
            value = total_of(jax.tree.map(jnp.asarray, losses), cfg)
            for k, s in enumerate(found["scalar/s"]):
                total, grad = value(s)
                np.testing.assert_allclose(total, found["scalar/total"][i, j, k], rtol=1e-10)
                np.testing.assert_allclose(
                    grad, found["scalar/grad_s"][i, k], rtol=1e-10, atol=1e-12
                )


def step_losses(free):
    found = golden()
    kl = np.maximum(found["stepwise/kl_before_free_nats"], free)
    names = {"rew": "reward", "con": "cont", "image": "image", "vector": "vector"}
    losses = {ours: found[f"stepwise/loss_{theirs}"] for ours, theirs in names.items()}
    return jax.tree.map(jnp.asarray, {"dyn": kl, "rep": kl, **losses})


def test_the_stepwise_form(exact):
    found = golden()
    for i, (dyn, rep) in enumerate(found["stepwise/scale_dyn_rep"]):
        edits = {"world.dynamics.dyn": dyn, "world.dynamics.rep": rep, "world.balance.form": "jax"}
        cfg = config(**edits, **{"world.balance.outside": ("vector",)})
        off = apply(Config(), {"world.dynamics.dyn": dyn, "world.dynamics.rep": rep})
        for j, free in enumerate(found["stepwise/free"]):
            losses = step_losses(free)
            value = total_of(losses, cfg)
            for k, s in enumerate(found["stepwise/s"]):
                total, grad = value(s)
                np.testing.assert_allclose(total, found["stepwise/total"][i, j, k], rtol=1e-10)
                expected = found["stepwise/grad_s"][i, j, k]
                np.testing.assert_allclose(grad, expected, rtol=1e-10, atol=1e-12)
            plain = balance(losses, None, None, off).total
            np.testing.assert_allclose(
                plain, found["stepwise/total_without_harmony"][i, j], rtol=1e-10
            )


def test_gradient_of_each_half_of_the_kl(exact):
    found = golden()
    cfg = config(
        **{"world.dynamics.dyn": 0.5, "world.dynamics.rep": 0.1, "world.balance.form": "jax"}
    )
    raw = jnp.asarray(found["stepwise/kl_before_free_nats"])
    rest = {k: v for k, v in step_losses(1.0).items() if k not in ("dyn", "rep")}

    def total(dyn, rep):
        losses = {"dyn": jnp.maximum(dyn, 1.0), "rep": jnp.maximum(rep, 1.0), **rest}
        return balance(losses, sigmas(found["stepwise/s"][2]), None, cfg).total

    grads = jax.grad(total, (0, 1))(raw, raw)
    for half, grad in zip(("dyn", "rep"), grads, strict=True):
        expected = found[f"stepwise/grad_kl_{half}_at_s2_scale0_free1"]
        clear = np.asarray(raw) != 1.0  # at the floor itself either side's derivative is right
        np.testing.assert_allclose(np.where(clear, grad, 0), np.where(clear, expected, 0), 1e-10)


def test_closed_forms(exact):
    found = golden()
    sigma = harmony_sigma(found["optimum/loss"])
    np.testing.assert_allclose(sigma, found["optimum/sigma"], rtol=1e-12)
    np.testing.assert_allclose(np.log(sigma), found["optimum/s"], atol=1e-12)
    weight = found["optimum_third_stepwise/regulariser_weight"].item()
    third = harmony_sigma(found["optimum_third_stepwise/weighted_kl"], weight)
    np.testing.assert_allclose(third, found["optimum_third_stepwise/sigma"], rtol=1e-12)
    for bad in (lambda: harmony_sigma(-1.0), lambda: unrectified_sigma(np.array([1.0, -2.0]))):
        with pytest.raises(ValueError, match="there is no minimum"):
            bad()
    with pytest.raises(ValueError, match="penalty must be greater than 0, got 0"):
        harmony_sigma(1.0, 0.0)


def test_adam_on_s_follows_the_recorded_path(exact):
    found, cfg = golden(), config(**EVEN)
    lr, eps = found["adam_on_s/lr"].item(), found["adam_on_s/eps"].item()
    optimizer, counts = optax.adam(lr, eps=eps), found["adam_on_s/updates"]

    def follow(loss):
        losses = {"rew": loss, "image": loss, "dyn": loss, "rep": loss, "con": jnp.zeros(())}
        gradient = jax.grad(lambda s: balance(losses, sigmas(s), None, cfg).total)

        def step(carry, _):
            s, state = carry
            update, state = optimizer.update(gradient(s), state)
            return (s + update, state), s + update

        start = jnp.zeros(3)
        return jax.lax.scan(step, (start, optimizer.init(start)), None, counts[-1])[1]

    path = jax.jit(jax.vmap(follow))(jnp.asarray(found["adam_on_s/loss"]))
    for task in range(3):
        np.testing.assert_allclose(path[:, counts - 1, task], found["adam_on_s/s"], atol=1e-8)


LOSSES = {"dyn": 2.0, "rep": 2.0, "rew": 0.4, "con": 0.1, "image": 30.0, "vector": 4.0}
FORMS = {
    "paper": {},
    "torch": {"world.balance.form": "torch"},
    "jax": {"world.balance.form": "jax"},
}


def tensors(losses=LOSSES):
    return {name: jnp.asarray(value) for name, value in losses.items()}


@pytest.mark.parametrize(("form", "logarithms"), [("paper", 3), ("torch", 3), ("jax", 2 + 5 / 6)])
def test_at_first_it_is_the_plain_sum_and_the_logarithms(form, logarithms):
    cfg = config(**FORMS[form], **{"world.dynamics.dyn": 5 / 6, "world.dynamics.rep": 1 / 6})
    out = balance(tensors(), make_sigmas(("image", "vector"), cfg), None, cfg)
    plain = 2.0 + 0.4 + 0.1 + 30 + 4
    assert float(out.total) == pytest.approx(plain + logarithms * np.log(2), rel=1e-6)
    assert {float(out.metrics[f"balance/coef/{task}"]) for task in ("rew", "obs", "dyn")} == {1.0}
    _, grad = total_of(tensors(), cfg)(np.zeros(3, np.float32))
    half = [0.5, 0.5, 5 / 12 if form == "jax" else 0.5]
    np.testing.assert_allclose(grad, np.array(half) - [0.4, 34, 2], rtol=1e-6)


def test_no_gradient_reaches_s_from_what_is_not_balanced():
    cfg = config()
    value = total_of(tensors(), cfg)
    other = total_of(tensors({**LOSSES, "con": 77.0}), cfg)
    s = np.array([0.3, -0.2, 0.1], np.float32)
    np.testing.assert_array_equal(value(s)[1], other(s)[1])
    assert float(other(s)[0] - value(s)[0]) == pytest.approx(76.9, rel=1e-5)


def test_every_task_has_what_belongs_to_it():
    names = ("dyn", "rep", "rew", "con", "image", "vector")
    assert tasks_of(names, config()) == {
        "rew": ("rew",),
        "obs": ("image", "vector"),
        "dyn": ("dyn", "rep"),
    }
    by_key = config(**{"world.balance.per_key": True})
    assert [*tasks_of(names, by_key)] == ["rew", "image", "vector", "dyn"]
    less = config(**{"world.balance.outside": ("dyn", "image")})
    assert tasks_of(names, less) == {"rew": ("rew",), "obs": ("vector",)}
    none = config(**{"world.balance.outside": ("image", "vector")})
    assert [*tasks_of(names, none)] == ["rew", "dyn"]
    wrong = config(**{"world.balance.outside": ("imag",)})
    with pytest.raises(ConfigError, match=r"names no loss 'imag'; did you mean 'image'\?"):
        tasks_of(names, wrong)


def test_one_sigma_a_key():
    cfg = config(**{"world.balance.per_key": True, **EVEN})
    found = make_sigmas(("vector", "image"), cfg)
    assert found.tasks == ("rew", "image", "vector", "dyn")
    s = np.array([0.1, 2.0, 1.0, 0.5])
    _, grad = total_of(tensors(), cfg, found.tasks)(s)
    expected = 1 / (1 + np.exp(-s)) - np.array([0.4, 30, 4, 2]) * np.exp(-s)
    np.testing.assert_allclose(grad, expected, rtol=1e-6)


def test_the_metrics_explain_the_total():
    for kind in ("fixed", "harmony", "unrectified", "reciprocal", "dwa"):
        cfg = config(kind, **{"world.cont.weight": 3.0, "world.reward.weight": 2.0})
        keys = ("image", "vector")
        learned = make_sigmas(keys, cfg)
        if learned is not None:
            learned = sigmas(np.array([0.3, 2.0, -1.0], np.float32))
        out = balance(tensors(), learned, make_history(keys, cfg), cfg)
        metrics = {name: float(value) for name, value in out.metrics.items()}
        total = 3.0 * 0.1 + metrics.get("balance/penalty", 0.0)
        for task in ("rew", "obs", "dyn"):
            before, coef, after = (
                metrics[f"balance/{n}/{task}"] for n in ("before", "coef", "after")
            )
            assert after == pytest.approx(before * coef, rel=1e-6)
            total += after
        assert float(out.total) == pytest.approx(total, rel=1e-6), kind
        assert ("balance/s/rew" in metrics) == (kind in ("harmony", "unrectified"))


def test_reciprocal_makes_every_task_one_and_keeps_its_direction():
    cfg = config("reciprocal")
    out = balance(tensors(), None, None, cfg)
    assert float(out.total) == pytest.approx(3 + 0.1, rel=1e-6)

    def total(losses):
        return balance(losses, None, None, cfg).total

    grad = jax.grad(total)(tensors())
    for name, expected in {"rew": 1 / 0.4, "image": 1 / 34, "vector": 1 / 34, "con": 1.0}.items():
        assert float(grad[name]) == pytest.approx(expected, rel=1e-6)
    assert float(grad["dyn"]) == pytest.approx(1 / 2.2, rel=1e-6)
    assert float(grad["rep"]) == pytest.approx(0.1 / 2.2, rel=1e-6)
    zero = {name: jnp.zeros(()) for name in LOSSES}
    assert np.isfinite(jax.tree.leaves(jax.grad(total)(zero))).all()


def test_dynamic_weight_averaging_by_hand():
    cfg = config("dwa", **{"world.balance.period": 2, **EVEN})
    history = make_history(("image",), cfg)
    course = np.array([[4, 10, 2], [2, 30, 2], [1, 10, 2], [2, 20, 2], [9, 9, 9]], np.float64)
    weights = []
    step = jax.jit(lambda losses, history: balance(losses, None, history, cfg))
    for rew, image, kl in course:
        losses = {"dyn": kl, "rep": kl, "rew": rew, "image": image, "con": 0.0}
        out = step(tensors(losses), history)
        history = out.history
        weights.append([float(out.metrics[f"balance/coef/{t}"]) for t in ("rew", "obs", "dyn")])
    np.testing.assert_allclose(weights[:4], 1.0, rtol=1e-6)  # two periods of two updates
    ratio = np.exp(np.array([1.5 / 3, 15 / 20, 1.0]) / 2.0)
    np.testing.assert_allclose(weights[4], 3 * ratio / ratio.sum(), rtol=1e-6)


def test_balancing_of_seeds_at_once_is_that_of_each():
    cfg = config()
    s = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)), jnp.float32)
    losses = {name: jnp.arange(1.0, 5.0) * value for name, value in LOSSES.items()}

    def one(s, losses):
        return balance(losses, sigmas(s), None, cfg)

    many = jax.vmap(one)(s, losses)
    for k in range(4):
        alone = one(s[k], {name: loss[k] for name, loss in losses.items()})
        assert float(many.total[k]) == pytest.approx(float(alone.total), rel=1e-6)
        for name, value in alone.metrics.items():
            assert float(many.metrics[name][k]) == pytest.approx(float(value), rel=1e-6)


def test_wrong_parts_are_named():
    cfg = config()
    with pytest.raises(ValueError, match="found no sigmas"):
        balance(tensors(), None, None, cfg)
    with pytest.raises(ValueError, match=r"found sigmas of \('rew', 'dyn'\)"):
        balance(tensors(), Sigmas(("rew", "dyn")), None, cfg)
    with pytest.raises(ValueError, match="dwa needs the history"):
        balance(tensors(), None, None, config("dwa"))


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ({"world.balance.form": "jax"}, "is 'fixed', which has no option 'form'; 'harmony' has"),
        ({"world.balance.lr": 0.1}, "is 'fixed', which has no option 'lr'; 'harmony' or"),
        ({"world.balance.per_key": True}, "is 'fixed', which has no option 'per_key'"),
        ({"world.balance.outside": ("rew",)}, "is 'fixed', which has no option 'outside'"),
        ({"world.balance": "harmonie"}, "Did you mean 'harmony'"),
        ({"world.balance": "dwa", "world.balance.period": 0}, "period must be at least 1"),
        (
            {
                "world.balance": "harmony",
                "world.balance.form": "torch",
                "world.reward.weight": 2,
            },
            r"world.reward.weight \(2\) must be 1 with world.balance.form 'torch'",
        ),
        (
            {"world.balance": "harmony", "world.balance.form": "jax", "world.cont.weight": 5},
            r"world.cont.weight \(5\) must be 1 with world.balance.form 'jax'",
        ),
        (
            {"world.balance": "harmony", "world.balance.form": "jax"}
            | {"world.dynamics.dyn": 0, "world.dynamics.rep": 0},
            "world.dynamics.dyn and world.dynamics.rep are both 0",
        ),
    ],
)
def test_options_without_effect_are_refused(edits, message):
    with pytest.raises(ConfigError, match=message):
        apply(Config(), edits)
