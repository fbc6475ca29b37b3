"""Laws of one update: finite, compiled once, the same for many seeds and in half precision."""

import dataclasses
import functools as ft

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from networks import fresh_state, stored

from reverie.config.edit import apply
from reverie.config.schema import Config
from reverie.config.sizes import size_edits
from reverie.module import named_leaves
from reverie.nn.loss import by_name
from reverie.records import Spec
from reverie.train.losses import agent_loss, draw_noise
from reverie.train.step import gradients, train_step
from reverie.world.model import unpack

BATCH, ROWS = 3, 6
EDITS = {
    **size_edits("debug"),
    "world.reward.bins": 31,
    "behavior.critic.bins": 31,
    "behavior.imagine": 3,
    "world.encoder.mults": (1,),
    "world.dynamics.free_nats": 0.0,
    "train.batch": BATCH,
    "train.length": ROWS - 1,
    "optim.lr": 1e-3,
    "optim.warmup": 2,
    "device.precision": "f32",
}
CONFIG = apply(Config(), EDITS)
MIXED = (
    {
        "camera": Spec("image", (12, 10, 3)),
        "depth": Spec("image", (12, 10, 1)),
        "map": Spec("image", (7, 7, 2)),
        "speed": Spec("vector", (2, 2)),
        "gear": Spec("discrete", (), (4,)),
        "lights": Spec("discrete", (2,), (2, 3)),
    },
    {
        "wheel": Spec("vector", (2,), (), (-1.0,) * 2, (1.0,) * 2),
        "buttons": Spec("discrete", (2,), (2, 5)),
    },
)
PLAIN = (
    {"x": Spec("vector", (3,))},
    {"a": Spec("vector", (2,), (), (-1.0,) * 2, (1.0,) * 2)},
)


def inputs(spaces, seed):
    """State, stored sequences and key of one seed."""
    state = fresh_state(*spaces, CONFIG, seed=seed)
    rows = stored(*spaces, CONFIG, batch=BATCH, rows=ROWS, seed=seed)
    return state, jax.tree.map(jnp.asarray, rows), jax.random.key(seed)


@pytest.fixture(scope="module")
def step():
    return jax.jit(ft.partial(train_step, config=CONFIG))


@pytest.fixture(scope="module")
def run(step):
    """Three updates of each of two seeds: the last state, and metrics and write-backs."""

    def follow(seed):
        state, rows, key = inputs(MIXED, seed)
        history = []
        for k in range(3):
            state, metrics, written = step(state, rows, jax.random.fold_in(key, k))
            history.append((metrics, written))
        return state, history

    return follow(0), follow(1)


@pytest.mark.slow
def test_stored_and_recomputed_scans_give_the_same_gradients():
    """`device.scan`: all losses, and the gradient of every parameter."""
    state, rows, key = inputs(PLAIN, 0)
    rows = unpack(rows, CONFIG.world, jnp.dtype("float32"))
    noise = draw_noise(state.agent, BATCH, ROWS - 1, CONFIG, key)
    found = {}
    for scan in ("stored", "recomputed"):
        config = apply(CONFIG, {"device.scan": scan})
        grads, (_, out) = jax.jit(lambda *a, c=config: gradients(*a, c))(state, rows, noise)
        found[scan] = named_leaves(grads) | by_name(out.losses)
    for name, value in found["stored"].items():
        bound = 1e-5 * np.abs(value).max() + 1e-7
        np.testing.assert_allclose(found["recomputed"][name], value, atol=bound, err_msg=name)


def test_mixed_observations_and_actions_learn(run):
    for state, history in run:
        for metrics, _ in history:
            assert all(np.isfinite(value) for value in metrics.values()), metrics
        for name, leaf in named_leaves(state).items():
            assert np.isfinite(np.asarray(leaf, np.float64)).all(), name
        assert int(state.updates) == 3
    losses = {n[5:] for n in history[0][0] if n.startswith("loss/")}
    parts = {"dyn", "rep", "rew", "con", "policy", "value", "repval", "total"}
    assert losses == parts | set(MIXED[0])


def test_the_first_update_has_rate_zero_and_the_next_moves_every_part(run, step):
    state, rows, key = inputs(MIXED, 0)
    first, metrics, _ = step(state, rows, jax.random.fold_in(key, 0))
    for name, leaf in named_leaves(first.agent).items():
        np.testing.assert_array_equal(leaf, named_leaves(state.agent)[name], err_msg=name)
    assert metrics["train/lr"] == 0.0
    before, after = named_leaves(state.agent), named_leaves(run[0][0].agent)
    still = [name for name in before if (before[name] == after[name]).all()]
    assert not still, still


def test_what_replay_gets_back(run):
    _, written = run[0][1][0]
    deter, stoch = written["latent/deter"], written["latent/stoch"]
    assert (deter.shape, deter.dtype) == (
        (BATCH, ROWS - 1, CONFIG.world.dynamics.deter),
        jnp.bfloat16,
    )
    assert (stoch.shape, stoch.dtype) == ((BATCH, ROWS - 1, CONFIG.world.dynamics.stoch), jnp.uint8)
    assert int(stoch.max()) < CONFIG.world.dynamics.latent.classes


def test_one_compilation_serves_all_updates_and_seeds(run, step):
    assert len(run) == 2
    assert step._cache_size() == 1


@pytest.mark.slow  # test_group.py has the product
def test_two_seeds_at_once_equal_each_alone(run):
    together = [
        jnp.stack(pair)
        for pair in zip(*(jax.tree.leaves(inputs(MIXED, s)) for s in (0, 1)), strict=True)
    ]
    state, rows, keys = jax.tree.unflatten(jax.tree.structure(inputs(MIXED, 0)), together)
    many = jax.jit(jax.vmap(ft.partial(train_step, config=CONFIG)))
    for k in range(3):
        folded = jax.vmap(jax.random.fold_in, (0, None))(keys, k)
        state, metrics, written = many(state, rows, folded)
        for seed in (0, 1):
            alone_metrics, alone_written = run[seed][1][k]
            for name, value in alone_metrics.items():
                assert float(metrics[name][seed]) == pytest.approx(
                    float(value), rel=1e-4, abs=1e-5
                ), (k, name)
            difference = written["latent/stoch"][seed] != alone_written["latent/stoch"]
            assert not difference.any()
    for seed in (0, 1):
        alone = named_leaves(run[seed][0].agent)
        for name, leaf in named_leaves(state.agent).items():
            np.testing.assert_allclose(leaf[seed], alone[name], rtol=1e-4, atol=1e-5, err_msg=name)


def loss_inputs(spaces, config, seed=0):
    state, rows, key = inputs(spaces, seed)
    precision = jnp.dtype({"f32": "float32", "bf16": "bfloat16"}[config.device.precision])
    sequence = unpack(rows, config.world, precision)
    return state, sequence, draw_noise(state.agent, BATCH, ROWS - 1, config, key)


def test_half_precision_learns_about_the_same():
    half = apply(CONFIG, {"device.precision": "bf16"})
    state, rows, key = inputs(PLAIN, 0)
    following, metrics, _ = jax.jit(ft.partial(train_step, config=half))(state, rows, key)
    assert all(np.isfinite(value) for value in metrics.values()), metrics
    for name, leaf in named_leaves(following.agent).items():
        assert leaf.dtype == jnp.float32, name
    sequence = unpack(rows, CONFIG.world, jnp.dtype("float32"))
    noise = draw_noise(state.agent, BATCH, ROWS - 1, CONFIG, key)
    _, out = jax.jit(lambda *args: agent_loss(state.agent, *args, CONFIG))(state, sequence, noise)
    for name, loss in by_name(out.losses).items():
        exact, found = float(loss.mean()), float(metrics[f"loss/{name}"])
        assert found == pytest.approx(exact, rel=0.1, abs=0.05), name
        assert found != exact, f"{name} was not computed in half precision"


@pytest.mark.slow
def test_compiled_losses_equal_eager_ones():
    state, sequence, noise = loss_inputs(PLAIN, CONFIG)

    def losses(agent):
        total, out = agent_loss(agent, state, sequence, noise, CONFIG)
        return total, out.losses, out.metrics

    for a, b in zip(
        jax.tree.leaves(losses(state.agent)),
        jax.tree.leaves(jax.jit(losses)(state.agent)),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_losses_promote_no_type_in_silence(precision):
    device = dataclasses.replace(CONFIG.device, precision=precision)
    config = dataclasses.replace(CONFIG, device=device)
    state, sequence, noise = loss_inputs(MIXED, config)
    with jax.numpy_dtype_promotion("strict"):
        total, out = jax.eval_shape(
            lambda *args: agent_loss(state.agent, *args, config), state, sequence, noise
        )
    assert total.dtype == jnp.float32
    assert {loss.value.dtype for loss in out.losses} == {jnp.dtype("float32")}


def test_fewer_starts_dream_from_the_last_rows():
    config = apply(CONFIG, {"behavior.starts": 2})
    args = loss_inputs(PLAIN, config)
    _, out = jax.eval_shape(lambda *a: agent_loss(a[0].agent, *a, config), *args)
    shapes = {loss.name: loss.value.shape for loss in out.losses}
    assert shapes["policy"] == shapes["value"] == (BATCH, 2)
    assert shapes["repval"] == (BATCH, 1)
    assert shapes["dyn"] == (BATCH, ROWS - 1)
    assert out.targets.returns.shape == (3, BATCH * 2)


ROUTES = {
    "rew": {"world.reward"},
    "con": {"world.cont", "world.encoder", "world.dynamics"},
    "repval": {"critic"},
    "value": {"critic", "world.encoder", "world.dynamics"},
    "policy": {"actor", "world.encoder", "world.dynamics"},
    "x": {"world.objective", "world.encoder", "world.dynamics"},
}


def test_options_open_and_close_the_ways_of_gradients():
    """With the default options it is the golden arrays that say which loss reaches which part."""
    config = apply(
        CONFIG,
        {
            "world.reward.grad": False,
            "behavior.replay_grad": False,
            "behavior.actor_grad_start": True,
        },
    )
    state, sequence, noise = loss_inputs(PLAIN, config)

    @jax.jit
    @jax.grad
    def gradient(agent, row):
        _, out = agent_loss(agent, state, sequence, noise, config)
        return jnp.stack([by_name(out.losses)[name].mean() for name in ROUTES]) @ row

    rows = np.eye(len(ROUTES), dtype=np.float32)
    for (name, expected), row in zip(ROUTES.items(), rows, strict=True):
        reached = set()
        for leaf, grad in named_leaves(gradient(state.agent, row)).items():
            if np.asarray(grad).any():
                parts = leaf.split(".")
                reached.add(".".join(parts[: 2 if parts[0] == "world" else 1]))
        assert reached == expected, name
