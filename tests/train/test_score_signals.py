"""What the update says about every row: oracles 22 and 23, against formulas written down again."""

import functools as ft

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from reverie.bench.case import cases, random_rows
from reverie.config.edit import apply
from reverie.nn.loss import by_name
from reverie.train.learner import to_sequence
from reverie.train.losses import agent_loss, draw_noise
from reverie.train.scores import step_scores
from reverie.train.state import init
from reverie.train.step import train_step
from reverie.world.model import unpack

TINY = {"train.batch": 2, "train.length": 5, "behavior.imagine": 3, "world.dynamics.free_nats": 0.2}
SIGNALS = ("kl", "kl_clipped", "model_loss", "curious", "td", "xp", "visits")


def with_signal(config, signal):
    draw = "uniform" if signal == "none" else "proportional"
    return apply(config, {"replay.signal": signal, "replay.draw": draw})


@pytest.fixture(scope="module")
def case():
    return cases(["debug"], ["vector"], ["f32"], TINY)[0]


@pytest.fixture(scope="module")
def state(case):
    make = ft.partial(init, case.obs_specs, case.action_specs, case.config)
    return jax.jit(make)(jax.random.key(0))


@pytest.fixture(scope="module")
def found(case, state):
    """The update's forward pass, and the scores of all signals."""
    config = case.config

    def forward(state, rows):
        sequence = unpack(to_sequence(rows), config.world, jnp.dtype("float32"))
        noise = draw_noise(state.agent, 2, 5, config, jax.random.key(1))
        total, out = agent_loss(state.agent, state, sequence, noise, config)
        scores = {s: step_scores(state.agent, out, {}, with_signal(config, s)) for s in SIGNALS}
        return total, by_name(out.losses), out.targets, out.returns, scores

    return jax.jit(forward)(state, random_rows(case))


def test_the_surprise_is_the_loss_before_its_floor(case, found):
    """Oracle 23: dyn and rep are equal before the floor, and floored they are its maximum."""
    _, losses, _, _, scores = found
    free = case.config.world.dynamics.free_nats
    kl = np.asarray(scores["kl"])
    assert kl.shape == (2, 5) and (kl < free).any() and (kl > free).any()
    np.testing.assert_allclose(scores["kl_clipped"], np.maximum(kl, free), rtol=1e-6)
    np.testing.assert_allclose(losses["dyn"], np.maximum(kl, free), rtol=1e-5)
    both = losses["dyn"] + losses["rep"]
    np.testing.assert_allclose(both, 2 * scores["kl_clipped"], rtol=1e-5)


def test_other_signals_are_sums_of_losses_and_errors(case, found):
    _, losses, targets, returns, scores = found
    world = case.config.world
    rec = sum(losses[key] for key in case.obs_specs)
    model = rec * world.objective.weight + losses["rew"] * world.reward.weight
    model += losses["con"] * world.cont.weight
    model += losses["dyn"] * world.dynamics.dyn + losses["rep"] * world.dynamics.rep
    np.testing.assert_allclose(scores["model_loss"], model, rtol=1e-5)
    np.testing.assert_array_equal(scores["curious"], scores["model_loss"])
    td = jnp.abs(targets.returns[0] - targets.value[0]).reshape(2, 5)
    np.testing.assert_allclose(scores["td"], td, rtol=1e-6)
    divisor = case.config.behavior.scale.divisor(returns)
    ret = ((targets.returns - returns.low) / divisor).sum(0)
    xp = (0.1 + 0.4 * losses["value"]) * ret.reshape(2, 5) + 0.5 * rec
    np.testing.assert_allclose(scores["xp"], np.maximum(xp, 0), rtol=1e-5)
    assert not scores["visits"].any()


@pytest.mark.slow
def test_scores_change_no_update(case, state):
    """Oracle 22: the same parameters to the last bit, whatever the score."""
    rows, results = random_rows(case), {}
    for signal in ("none", "kl", "curious"):
        step = jax.jit(ft.partial(train_step, config=with_signal(case.config, signal)))
        results[signal] = step(state, to_sequence(rows), jax.random.key(2))
    plain = jax.tree.leaves(results["none"][0])
    assert "score" not in results["none"][2]
    for signal in ("kl", "curious"):
        for a, b in zip(plain, jax.tree.leaves(results[signal][0]), strict=True):
            np.testing.assert_array_equal(a, b)
        assert results[signal][2]["score"].shape == (2, 5)


@pytest.mark.slow
def test_importance_weights_scale_the_losses_of_their_sequence(case, state):
    """Weights of one change nothing; those of another sequence take it out of the losses."""
    rows = random_rows(case)
    noise = draw_noise(state.agent, 2, 5, case.config, jax.random.key(1))

    def total(weight):
        extra = {} if weight is None else {"weight": np.array(weight, np.float32)}
        arrays = jax.tree.map(jnp.asarray, rows | extra)
        sequence = unpack(to_sequence(arrays), case.config.world, jnp.dtype("float32"))
        return agent_loss(state.agent, state, sequence, noise, case.config)[0]

    plain, first, second = total(None), total([1, 0]), total([0, 1])
    assert total([1, 1]) == plain
    np.testing.assert_allclose(first + second, plain, rtol=1e-5)
