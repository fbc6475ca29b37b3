"""The recurrent core against the reference's numbers, and laws of observing and imagining."""

import dataclasses

import golden_v3 as golden
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from networks import filled
from networks import rssm as options

from reverie.module import named_leaves
from reverie.nn.scan import ScanForm
from reverie.records import Latent, Spec
from reverie.world.actions import embed_action
from reverie.world.gru_core import GRU
from reverie.world.latents import Gaussians
from reverie.world.rssm import RSSM

close = golden.close
CONFIG = options(deter=12, hidden=5, stoch=2, classes=4, blocks=3)
ACTION = {"action": Spec("vector", (3,), (), (-1.0,) * 3, (1.0,) * 3)}


def model(params, seed=None):
    """An RSSM with the recorded parameters; the parts that were not recorded are zero."""
    shape = jax.eval_shape(lambda k: RSSM(6, 3, CONFIG, key=k), jax.random.key(0))
    rng = np.random.default_rng(seed)
    leaves = []
    for name, leaf in named_leaves(shape).items():
        other = golden.reference_name(f"world.dynamics.{name}").removeprefix("dyn/")
        default = np.zeros(leaf.shape) if seed is None else rng.normal(size=leaf.shape)
        leaves.append(jnp.asarray(params.get(other, default), jnp.float32))
        assert leaves[-1].shape == leaf.shape, name
    return jax.tree.unflatten(jax.tree.structure(shape), leaves)


def by_imagining(rssm, deter, stoch, action):
    carry = rssm.carry(Latent(deter, stoch))
    embedded = embed_action({"action": action}, ACTION)
    uniform = jnp.zeros((deter.shape[0], CONFIG.stoch))
    return rssm.prepared().imagine(carry, embedded, uniform)[0].deter


def by_observing(rssm, deter, stoch, action):
    rows = deter.shape[0]
    embedded = embed_action({"action": action}, ACTION)[:, None]
    uniform, first = jnp.zeros((rows, 1, CONFIG.stoch)), jnp.zeros((rows, 1), bool)
    tokens = jnp.ones((rows, 1, 6))
    latent, _ = rssm.observe(Latent(deter, stoch), tokens, embedded, first, uniform)
    return latent.deter[:, 0]


@pytest.mark.parametrize("step", [by_imagining, by_observing])
def test_core(step):
    a = golden.layer_arrays("core")
    params = {k.removeprefix("param/"): v for k, v in a.items() if k.startswith("param/")}
    inputs = a["deter"], a["stoch"], a["action"]
    y, (rssm, *grads) = golden.pull(step, a["cotangent"], model(params), *inputs)
    close(y, a["y"])
    for grad, name in zip(grads, ("deter", "stoch", "action"), strict=True):
        close(grad, a[f"grad_{name}"], name=name)
    checked = 0
    for name, grad in named_leaves(rssm).items():
        other = golden.reference_name(f"world.dynamics.{name}").removeprefix("dyn/")
        if f"grad_param/{other}" in a:
            close(grad, a[f"grad_param/{other}"], name=name)
            checked += 1
        else:
            assert not np.asarray(grad).any(), name
    assert checked == len(params)


@pytest.mark.parametrize("step", [by_imagining, by_observing])
def test_gates_alone(step):
    """Kernels of zero leave the gates' biases, which were recorded as pre-activations."""
    a = golden.layer_arrays("grucell")
    deter = a["deter"]
    rssm = model({"dyngru/bias": a["preact"]})
    close(step(rssm, deter, jnp.zeros((4, 2, 4)), jnp.zeros((4, 3))), a["y"])
    plain = step(model({}), deter, jnp.zeros((4, 2, 4)), jnp.zeros((4, 3)))
    close(plain, 0.7310586 * deter)


@jax.jit
def observe(rssm, *rows):
    return rssm.observe(*rows)


def random_rows(rows=3, time=5, seed=0):
    rng = np.random.default_rng(seed)

    def normal(*shape):
        return jnp.asarray(rng.normal(size=shape), jnp.float32)

    uniform = jnp.asarray(rng.random((rows, time, CONFIG.stoch)), jnp.float32)
    stoch = jax.nn.one_hot(rng.integers(0, 4, (rows, 2)), 4)
    return Latent(normal(rows, 12), stoch), normal(rows, time, 6), normal(rows, time, 3), uniform


def test_a_first_row_forgets_all_that_was_before():
    """Even what is not finite: the reset selects, it does not multiply by zero."""
    start, tokens, action, uniform = random_rows()
    first = jnp.zeros((3, 5), bool).at[:, 2].set(True)
    rssm = model({}, seed=1)
    latent, logits = observe(rssm, start, tokens, action, first, uniform)
    poisoned = jax.tree.map(lambda x: x * jnp.nan, start)
    changed = action.at[:, 2].set(jnp.nan)
    again, logits2 = observe(rssm, poisoned, tokens, changed, first, uniform)
    for a, b in ((latent.deter, again.deter), (latent.stoch, again.stoch), (logits, logits2)):
        np.testing.assert_array_equal(a[:, 2:], b[:, 2:])
        assert np.isnan(np.asarray(b[:, :2])).any()


def test_observing_in_two_pieces_is_observing_once():
    start, tokens, action, uniform = random_rows()
    first = jnp.zeros((3, 5), bool).at[1, 3].set(True)
    rssm = model({}, seed=2)
    whole, logits = observe(rssm, start, tokens, action, first, uniform)
    rows = (tokens, action, first, uniform)
    early, _ = observe(rssm, start, *(x[:, :2] for x in rows))
    middle = jax.tree.map(lambda x: x[:, -1], early)
    late, late_logits = observe(rssm, middle, *(x[:, 2:] for x in rows))
    close(late.deter, whole.deter[:, 2:])
    close(late.stoch, whole.stoch[:, 2:])
    close(late_logits, logits[:, 2:])


def test_sequences_do_not_see_each_other():
    start, tokens, action, uniform = random_rows()
    first = jnp.zeros((3, 5), bool)
    rssm = model({}, seed=3)
    latent, _ = observe(rssm, start, tokens, action, first, uniform)
    other, _ = observe(rssm, start, tokens.at[0].add(1.0), action.at[0].add(1.0), first, uniform)
    close(latent.deter[1:], other.deter[1:])
    assert not np.allclose(latent.deter[0], other.deter[0])


def test_latents_do_not_see_the_future():
    start, tokens, action, uniform = random_rows()
    first = jnp.zeros((3, 5), bool)
    rssm = model({}, seed=4)
    latent, logits = observe(rssm, start, tokens, action, first, uniform)
    later = observe(
        rssm, start, tokens.at[:, 3:].add(1.0), action.at[:, 4:].add(1.0), first, uniform
    )
    np.testing.assert_array_equal(latent.deter[:, :4], later[0].deter[:, :4])
    np.testing.assert_array_equal(logits[:, :3], later[1][:, :3])


FORMS = {
    "plain": {},
    "learned start, deeper": {"initial": "learned", "post_layers": 2},
    "dense core, numbers, absolute": {"core": GRU(), "latent": Gaussians(), "absolute": True},
}


@pytest.mark.parametrize("form", FORMS)
def test_stored_recomputed_and_unrolled_gradients_agree(form):
    """`device.scan`, `device.unroll`: states, statistics, and all gradients."""
    rssm = filled(RSSM, 6, 3, dataclasses.replace(CONFIG, **FORMS[form]))
    (deter, _), tokens, action, uniform = random_rows()
    start = Latent(deter, rssm.initial(3, deter.dtype).stoch)
    first = jnp.zeros((3, 5), bool).at[:, 2].set(True)

    def observed(rssm, start, tokens, action):
        return rssm.observe(start, tokens, action, first, uniform)

    weights = jax.tree.map(jnp.cos, observed(rssm, start, tokens, action))
    forms = (ScanForm(), ScanForm(unroll=2), ScanForm(recompute=True), ScanForm(True, unroll=3))
    plain, *others = (
        golden.pull(observed, weights, rssm.in_form(form), start, tokens, action) for form in forms
    )
    for other in others:
        for value, same in zip(jax.tree.leaves(plain[0]), jax.tree.leaves(other[0]), strict=True):
            close(same, value)
        grads = named_leaves(plain[1])
        for (name, value), same in zip(grads.items(), jax.tree.leaves(other[1]), strict=True):
            close(same, value, name=name)


@pytest.mark.parametrize("form", [ScanForm(unroll=2), ScanForm(recompute=True, unroll=2)])
def test_a_trip_of_a_loop_does_so_many_steps(form):
    rssm = filled(RSSM, 6, 3, CONFIG)
    (deter, _), tokens, action, uniform = random_rows()
    start, first = Latent(deter, rssm.initial(3, deter.dtype).stoch), jnp.zeros((3, 5), bool)

    def loss(rssm):
        states, stats = rssm.observe(start, tokens, action, first, uniform)
        return states.deter.sum() + stats.sum()

    jaxpr = jax.make_jaxpr(jax.grad(loss))(rssm.in_form(form)).jaxpr
    scans = [eqn.params for eqn in jaxpr.eqns if eqn.primitive.name == "scan"]
    assert [(scan["length"], scan["unroll"]) for scan in scans] == 2 * [(5, 2)]


def test_absolute_posteriors_read_the_tokens_alone():
    config = dataclasses.replace(CONFIG, absolute=True)
    rssm = filled(RSSM, 6, 3, config)
    start, tokens, action, uniform = random_rows()
    first = jnp.zeros((3, 5), bool)
    _, logits = observe(rssm, start, tokens, action, first, uniform)
    _, same = observe(rssm, start, tokens, action + 1.0, first, uniform)
    np.testing.assert_array_equal(logits, same)


def test_actions_beyond_one_are_scaled_back_with_a_constant_divisor():
    value = jnp.array([[-3.0, 0.5, 2.0]])
    assert embed_action({"action": value}, ACTION).tolist() == [[-1.0, 0.5, 1.0]]
    grad = jax.grad(lambda v: embed_action({"action": v}, ACTION).sum())(value)
    assert grad[0].tolist() == pytest.approx([1 / 3, 1.0, 0.5])


def test_actions_are_joined_in_the_order_of_their_keys():
    specs = {
        "turn": Spec("vector", (2,)),
        "jump": Spec("discrete", (2,), (2, 3)),
    }
    action = {"turn": jnp.array([[0.25, -0.5]]), "jump": jnp.array([[1, 2]])}
    assert embed_action(action, specs).tolist() == [[0, 1, 0, 0, 1, 0.25, -0.5]]
