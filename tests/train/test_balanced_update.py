"""Loss balancing inside the whole update: optimiser, precision, seeds, weights of zero."""

import functools as ft

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from networks import fresh_state, stored

from reverie.config.balances import BALANCES
from reverie.config.edit import apply
from reverie.config.schema import Config
from reverie.config.sizes import size_edits
from reverie.module import named_leaves, tree_at
from reverie.nn.layers import to_compute
from reverie.nn.loss import by_name
from reverie.optim.adam import Adam, GroupConfig
from reverie.optim.laprop import LaProp
from reverie.optim.optimizer import WHOLE
from reverie.records import Spec
from reverie.train.arrays import from_host, to_host
from reverie.train.losses import agent_loss, draw_noise, world_loss
from reverie.train.state import init
from reverie.train.step import train_step
from reverie.world.balance import Sigmas, balance
from reverie.world.model import outline, unpack
from reverie.world.optimum import harmony_sigma, unrectified_sigma

BATCH, ROWS = 2, 5
CONFIG = apply(
    Config(),
    size_edits("debug")
    | {
        "world.reward.bins": 31,
        "behavior.critic.bins": 31,
        "behavior.imagine": 2,
        "world.encoder.mults": (1,),
        "world.dynamics.free_nats": 0.0,
        "train.batch": BATCH,
        "train.length": ROWS - 1,
        "optim.lr": 1e-3,
        "optim.warmup": 0,
        "device.precision": "f32",
    },
)
ACTION = {"a": Spec("discrete", (), (3,))}
VECTOR = {"x": Spec("vector", (3,))}
IMAGE = {"image": Spec("image", (8, 8, 3))}
SPACES = {"vector": VECTOR, "image": IMAGE, "mixed": VECTOR | IMAGE}


def balanced(name, **edits):
    return apply(CONFIG, {**BALANCES[name].edits, **edits})


def inputs(obs, config, seed=0):
    state = fresh_state(obs, ACTION, config, seed=seed)
    if state.agent.world.sigmas is not None:  # as `init` makes them
        state = with_s(state, np.zeros_like(state.agent.world.sigmas.s))
    rows = stored(obs, ACTION, config, batch=BATCH, rows=ROWS, seed=seed)
    return state, jax.tree.map(jnp.asarray, rows), jax.random.key(seed)


def with_s(state, s):
    return tree_at(lambda x: x.agent.world.sigmas.s, state, jnp.asarray(s))


# The scalar law.

FROZEN = {"dyn": 2.0, "rep": 2.0, "rew": 0.4, "con": 0.1, "x": 34.0}
ENTERING = np.array([0.4, 34.0, 2.2])  # own weights: 1.0 and 0.1 for the halves of the KL
OPTIMA = {
    "harmony": harmony_sigma(ENTERING),
    "harmony_torch": harmony_sigma(np.array([0.4, 34.0, 2.0])),
    "harmony_jax": np.array(
        [harmony_sigma(0.4), harmony_sigma(34.0), harmony_sigma(2.0, 1.0 / 1.1)]
    ),
    "unrectified": unrectified_sigma(ENTERING),
}


LAPROP = LaProp(lr=1.0, warmup=0).chain(WHOLE, 3e-3)
ADAM = Adam(world=GroupConfig(1e-4, 1e-5, 100.0)).chain("world", 3e-3)


def train_s(config, losses, *, optimizer=LAPROP, updates=15000):
    """s after training it alone, with the agent's own optimiser, on losses (T,) in turn."""
    start = {"world": {"sigmas": Sigmas(("rew", "obs", "dyn"))}}
    count = len(next(iter(losses.values())))
    keys = [name for name in losses if name not in ("dyn", "rep", "rew", "con")]
    named = outline(dict.fromkeys(keys, Spec("vector", (1,))), {}, config.world)

    def step(carry, k):
        params, opt_state = carry
        now = [x.valued(losses[x.name][k % count]) for x in named if x.name in losses]

        def total(params):
            return balance(now, config.world.balance, params["world"]["sigmas"], None).total

        steps, opt_state = optimizer.update(jax.grad(total)(params), opt_state, params)
        params = jax.tree.map(jnp.add, params, steps)
        return (params, opt_state), params["world"]["sigmas"].s

    carry = (start, optimizer.init(start))
    return jax.jit(lambda: jax.lax.scan(step, carry, jnp.arange(updates))[1])()


@pytest.mark.parametrize("optimizer", [LAPROP, ADAM], ids=["laprop", "adam"])
@pytest.mark.parametrize("name", OPTIMA)
def test_training_s_on_frozen_losses_ends_at_the_optimum(name, optimizer):
    losses = {key: jnp.asarray([value]) for key, value in FROZEN.items()}
    s = train_s(balanced(name), losses, optimizer=optimizer)
    np.testing.assert_allclose(s[-1], np.log(OPTIMA[name]), atol=1e-4)


def test_s_settles_at_the_mean_of_a_skewed_loss_and_not_at_its_median():
    """Adaptive gradient clipping would leave only the gradient's sign near s = 0."""
    skewed = jnp.asarray([0.1] * 9 + [10.0])
    s = train_s(balanced("harmony"), dict.fromkeys(FROZEN, skewed))[-2000:].mean(0)
    at_mean, at_median = np.log(harmony_sigma(1.09)), np.log(harmony_sigma(0.1))
    assert at_mean - at_median > 1.4
    assert abs(float(s[0]) - at_mean) < 0.1


# The update.


@pytest.fixture(scope="module")
def harmony_run():
    """Three harmony updates of each of two seeds with mixed observations."""
    config = balanced("harmony")
    step = jax.jit(ft.partial(train_step, config=config))

    def follow(seed):
        state, rows, key = inputs(SPACES["mixed"], config, seed)
        history = []
        for k in range(3):
            state, metrics, _ = step(state, rows, jax.random.fold_in(key, k))
            history.append(metrics)
        return state, history

    return follow(0), follow(1)


def test_harmony_logs_what_it_does(harmony_run):
    history = harmony_run[0][1]
    first, last = history[0], history[-1]
    for task in ("rew", "obs", "dyn"):
        assert float(first[f"balance/coef/{task}"]) == 1.0
        assert float(first[f"balance/s/{task}"]) == 0.0
        s = float(last[f"balance/s/{task}"])
        assert float(last[f"balance/coef/{task}"]) == pytest.approx(np.exp(-s), rel=1e-6)
        assert float(last[f"balance/sigma/{task}"]) == pytest.approx(np.exp(s), rel=1e-6)
    for metrics in history:
        losses = {n[5:]: float(v) for n, v in metrics.items() if n.startswith("loss/")}
        assert float(metrics["balance/before/obs"]) == pytest.approx(losses["x"] + losses["image"])
        total = sum(float(metrics[f"balance/after/{task}"]) for task in ("rew", "obs", "dyn"))
        total += float(metrics["balance/penalty"]) + losses["con"] + losses["policy"]
        assert losses["total"] == pytest.approx(
            total + losses["value"] + 0.3 * losses["repval"], rel=1e-5
        )


def test_s_moves_against_its_gradient_at_the_rate_of_the_model(harmony_run):
    state, history = harmony_run[0]
    s = state.agent.world.sigmas.s
    assert s.dtype == jnp.float32
    for k, task in enumerate(("rew", "obs", "dyn")):
        before = float(history[0][f"balance/before/{task}"])
        assert np.sign(float(s[k])) == np.sign(before - 0.5)
        assert abs(float(s[k])) <= 3.1 * CONFIG.optim.lr


@pytest.mark.slow
def test_balanced_seeds_at_once_equal_each_alone(harmony_run):
    config = balanced("harmony")
    pairs = [inputs(SPACES["mixed"], config, seed) for seed in (0, 1)]
    state, rows, keys = jax.tree.map(lambda *x: jnp.stack(x), *pairs)
    many = jax.jit(jax.vmap(ft.partial(train_step, config=config)))
    for k in range(3):
        state, metrics, _ = many(state, rows, jax.vmap(jax.random.fold_in, (0, None))(keys, k))
        for seed in (0, 1):
            for name, value in harmony_run[seed][1][k].items():
                found = float(metrics[name][seed])
                assert found == pytest.approx(float(value), rel=1e-4, abs=1e-5), (k, name)
    for seed in (0, 1):
        alone = harmony_run[seed][0].agent.world.sigmas.s
        np.testing.assert_allclose(state.agent.world.sigmas.s[seed], alone, rtol=1e-4)


CASES = [(name, "mixed", "bf16") for name in ("harmony_keys", "unrectified", "reciprocal", "dwa")]
CASES += [("harmony", "vector", "bf16"), ("harmony", "image", "f32")]


@pytest.mark.parametrize(("name", "spaces", "precision"), CASES)
def test_balancing_keeps_the_state_as_it_is_and_names_its_tasks(name, spaces, precision):
    config = balanced(name, **{"device.precision": precision})
    args = inputs(SPACES[spaces], config)
    state, metrics, _ = jax.eval_shape(ft.partial(train_step, config=config), *args)
    assert jax.tree.structure(state) == jax.tree.structure(args[0])
    found = [leaf.dtype for leaf in jax.tree.leaves(state)]
    assert found == [leaf.dtype for leaf in jax.tree.leaves(args[0])]
    tasks = {n.rpartition("/")[2] for n in metrics if n.startswith("balance/coef")}
    keys = set(SPACES[spaces]) if config.world.balance.per_key else {"obs"}
    assert tasks == {"rew", "dyn", *keys}
    dtypes = {value.dtype for n, value in metrics.items() if n.startswith("balance")}
    assert dtypes == {jnp.dtype("float32")}


def test_half_precision_leaves_the_sigmas_exact():
    config = balanced("harmony", **{"device.precision": "bf16"})
    state = with_s(inputs(VECTOR, config)[0], np.array([1e-4, 3.0001, -2.0001], np.float32))
    half = to_compute(state.agent, jnp.bfloat16)
    np.testing.assert_array_equal(half.world.sigmas.s, state.agent.world.sigmas.s)
    assert half.world.reward.out.kernel.dtype == jnp.bfloat16


def test_sigmas_can_have_a_rate_of_their_own():
    """The step of s scales by it; every other parameter's stays."""
    params = {"world": {"sigmas": Sigmas(("rew", "obs")), "kernel": jnp.ones(3)}}
    grads = jax.tree.map(jnp.ones_like, params)
    steps = {}
    for lr in (0.0, 1e-2):
        optimizer = CONFIG.optim.chain(WHOLE, lr)
        steps[lr] = optimizer.update(grads, optimizer.init(params), params)[0]["world"]
    np.testing.assert_allclose(steps[0.0]["sigmas"].s, -1e-3, rtol=1e-5)
    np.testing.assert_allclose(steps[1e-2]["sigmas"].s, -1e-2, rtol=1e-5)
    np.testing.assert_array_equal(steps[0.0]["kernel"], steps[1e-2]["kernel"])


def test_a_checkpoint_holds_what_balancing_learns_and_remembers():
    for name, leaves in {
        "harmony": {"agent.world.sigmas.s"},
        "dwa": {f"history.{n}" for n in ("total", "last", "before", "updates")},
        "fixed": set(),
    }.items():
        config = balanced(name)
        state = inputs(VECTOR, config)[0]
        saved = to_host(state)
        assert {n for n in saved if "sigmas" in n or "history" in n} >= leaves
        assert len(saved) - len(to_host(inputs(VECTOR, CONFIG)[0])) >= len(leaves)
        shape = jax.eval_shape(lambda k, c=config: init(VECTOR, ACTION, c, k), jax.random.key(0))
        again = from_host(shape, saved)
        assert jax.tree.structure(again) == jax.tree.structure(state)


# Weights of zero.


@pytest.fixture(scope="module")
def world_gradient():
    """Gradient of the world model's loss by parameter, for the edits of a balance."""
    base, done = inputs(VECTOR, CONFIG), {}

    def gradient(edits):
        key = repr(sorted(edits.items()))
        if key not in done:
            done[key] = fresh(edits)
        return done[key]

    def fresh(edits):
        config = apply(CONFIG, edits)
        state, rows, key = base
        sequence = unpack(rows, config.world, jnp.dtype("float32"))
        noise = draw_noise(state.agent, BATCH, ROWS - 1, config, key)

        @jax.jit
        @jax.grad
        def run(world):
            return world_loss(world, sequence, noise, config)[0]

        return {n: np.asarray(g) for n, g in named_leaves(run(state.agent.world)).items()}

    return gradient


def part(gradient, *names):
    return {n: g for n, g in gradient.items() if n.split(".")[0] in names}


def test_a_reward_only_world_model_learns_nothing_from_the_observation(world_gradient):
    full, reward = world_gradient({}), world_gradient(BALANCES["reward_only"].edits)
    rest = world_gradient(
        {
            "world.reward.weight": 0.0,
            "world.cont.weight": 0.0,
            "world.dynamics.dyn": 0.0,
            "world.dynamics.rep": 0.0,
        }
    )
    assert all(not g.any() for g in part(reward, "objective").values())
    assert any(g.any() for g in part(full, "objective").values())
    for name, grad in reward.items():  # what is missing is the reconstruction's gradient exactly
        np.testing.assert_allclose(grad + rest[name], full[name], rtol=1e-4, atol=1e-5)
    assert any(g.any() for g in part(rest, "encoder", "dynamics").values())


def test_an_observation_only_world_model_learns_nothing_from_the_reward(world_gradient):
    shut = world_gradient(BALANCES["observation_only"].edits)
    zero, full = world_gradient({"world.reward.weight": 0.0}), world_gradient({})
    assert any(g.any() for g in part(shut, "reward").values())
    assert all(not g.any() for g in part(zero, "reward").values())
    for name, grad in part(shut, "encoder", "dynamics", "objective", "cont").items():
        np.testing.assert_allclose(grad, zero[name], rtol=1e-5, atol=1e-7, err_msg=name)
    encoder = part(full, "encoder")
    assert any(np.abs(g - zero[n]).max() > 1e-4 for n, g in encoder.items())


def test_no_loss_of_the_critic_reaches_an_observation_only_world_model():
    config = balanced("observation_only")
    state, rows, key = inputs(VECTOR, config)
    sequence = unpack(rows, config.world, jnp.dtype("float32"))
    noise = draw_noise(state.agent, BATCH, ROWS - 1, config, key)

    @jax.jit
    @jax.grad
    def run(agent):
        losses = by_name(agent_loss(agent, state, sequence, noise, config)[1].losses)
        return sum(losses[name].mean() for name in ("policy", "value", "repval"))

    gradient = named_leaves(run(state.agent))
    reached = {name.split(".")[0] for name, g in gradient.items() if np.asarray(g).any()}
    assert reached == {"actor", "critic"}
