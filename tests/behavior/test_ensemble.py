"""The ensemble as one network against its members one by one, and the two forms of the bonus."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from reverie.behavior import plan2explore as station
from reverie.behavior.ensemble import Ensemble, Members
from reverie.behavior.imagine import Imagined
from reverie.behavior.plan2explore import Plan2Explore
from reverie.records import Latent

CONFIG = Plan2Explore(heads=4, layers=2, units=8)
MEMBERS = Members(heads=4, layers=2, units=8)
PUBLISHED = dataclasses.replace(CONFIG, form="published")
B, T, D, Z, C, A, E = 2, 5, 6, 3, 4, 2, 7


def normal(seed, *shape):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


@pytest.fixture(scope="module")
def net():
    return Ensemble(D + Z * C + A, Z * C, MEMBERS, key=jax.random.key(0))


def members(net):
    return [jax.tree.map(lambda leaf, i=i: leaf[i], net.heads) for i in range(CONFIG.heads)]


def test_one_network_equals_its_members_in_value_and_gradient(net):
    x, target = normal(1, 10, D + Z * C + A), normal(2, 10, Z * C)
    loss, grads = jax.value_and_grad(lambda n: n.loss(x, target).mean())(net)
    total = 0.0
    for index, head in enumerate(members(net)):

        def one(head):
            return 0.5 * jnp.square(head(x) - target).sum(-1).mean()

        value, gradient = jax.value_and_grad(one)(head)
        total += value
        mine = jax.tree.map(lambda leaf, i=index: leaf[i], grads.heads)
        for a, b in zip(jax.tree.leaves(mine), jax.tree.leaves(gradient), strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(loss, total, rtol=1e-5)


def test_members_differ_by_their_first_weights(net):
    first = net.heads.trunk.layers[0].linear.kernel
    assert first.shape == (CONFIG.heads, D + Z * C + A, CONFIG.units)
    assert np.unique(np.asarray(first)[:, 0, 0]).size == CONFIG.heads


def test_disagreement_is_the_population_spread_over_members(net):
    x = normal(3, 6, D + Z * C + A)
    expected = np.stack([np.asarray(head(x), np.float64) for head in members(net)])
    mean = expected.mean(0)
    variance = ((expected - mean) ** 2).mean(0)
    np.testing.assert_allclose(net.disagreement(x), variance.mean(-1), rtol=1e-4)
    np.testing.assert_allclose(
        net.disagreement(x, root=True), np.sqrt(variance).mean(-1), rtol=1e-4
    )
    np.testing.assert_allclose(net.disagreement(x, log=True), np.log(variance.mean(-1)), rtol=1e-4)


def test_pairs_lead_from_a_row_and_the_right_action_to_the_next_row():
    latent = Latent(normal(4, B, T, D), normal(5, B, T, Z, C))
    tokens, action = normal(6, B, T, E), normal(7, B, T, A)
    first = jnp.zeros((B, T), bool).at[0, 0].set(True).at[1, 3].set(True)
    flat = latent.stoch.reshape(B, T, Z * C)
    for config, offset in ((CONFIG, 1), (PUBLISHED, 0)):
        found = station.pairs(latent, tokens, action, first, config)
        inputs = found.inputs.reshape(B, T - 1, -1)
        np.testing.assert_array_equal(inputs[..., :D], latent.deter[:, :-1])
        np.testing.assert_array_equal(inputs[..., D:-A], flat[:, :-1])
        np.testing.assert_array_equal(inputs[..., -A:], action[:, offset : T - 1 + offset])
        np.testing.assert_array_equal(found.target.reshape(B, T - 1, -1), flat[:, 1:])
        keep = np.ones((B, T - 1), bool)
        keep[1, 2] = False  # row 3 of sequence 1 begins an episode
        np.testing.assert_array_equal(found.keep.reshape(B, T - 1), keep)


@pytest.mark.parametrize(
    ("target", "width"), [("stoch", Z * C), ("deter", D), ("feature", D + Z * C), ("embed", E)]
)
def test_targets(target, width):
    latent = Latent(normal(4, B, T, D), normal(5, B, T, Z, C))
    tokens = normal(6, B, T, E)
    config = dataclasses.replace(CONFIG, target=target)
    found = station.targets_of(latent, tokens, config)
    assert found.shape == (B, T, width)
    if target == "embed":
        np.testing.assert_array_equal(found, tokens)


def dream_and_actions(steps=3, starts=2):
    dream = Imagined(
        normal(8, steps, starts, D + Z * C), normal(9, starts, D + Z * C), None, {}, None
    )
    return dream, normal(10, steps, starts, A)


@pytest.mark.parametrize("group", [1, 4, 100])
def test_corrected_bonus_belongs_to_the_state_that_the_action_leads_to(net, group, monkeypatch):
    """Also where a CPU takes the six rows one by one, by fours, or at once."""
    monkeypatch.setattr(station, "CACHED", group * CONFIG.heads * Z * C)
    dream, action = dream_and_actions()
    bonus = station.bonus_along(net, dream, action, CONFIG)
    assert bonus.shape == (4, 2)
    np.testing.assert_array_equal(bonus[0], 0)
    for t in range(3):
        x = jnp.concatenate([dream.feature[t], action[t]], -1)
        np.testing.assert_allclose(bonus[t + 1], net.disagreement(x), rtol=1e-5)


def test_published_bonus_sees_the_action_that_led_here(net):
    dream, action = dream_and_actions()
    bonus = station.bonus_along(net, dream, action, PUBLISHED)
    x = jnp.concatenate([dream.feature[0], jnp.zeros_like(action[0])], -1)
    np.testing.assert_allclose(bonus[0], net.disagreement(x, root=True), rtol=1e-5)
    x = jnp.concatenate([dream.last, action[2]], -1)
    np.testing.assert_allclose(bonus[3], net.disagreement(x, root=True), rtol=1e-5)


def test_the_bonus_reaches_the_dream_and_not_the_members(net):
    dream, action = dream_and_actions()
    by_members = jax.grad(lambda n: station.bonus_along(n, dream, action, CONFIG).sum())(net)
    assert all(not np.any(leaf) for leaf in jax.tree.leaves(by_members))
    by_action = jax.grad(lambda a: station.bonus_along(net, dream, a, CONFIG).sum())(action)
    assert np.all(np.any(np.asarray(by_action) != 0, axis=-1))


def test_training_makes_members_agree_where_there_is_data():
    """After training on one region, disagreement there is far below that elsewhere."""
    net = Ensemble(2, 1, MEMBERS._replace(units=16), key=jax.random.key(1))
    rng = np.random.default_rng(0)
    seen = jnp.asarray(rng.uniform(-1, 0, (256, 2)), jnp.float32)
    target = jnp.sin(3 * seen.sum(-1, keepdims=True))

    @jax.jit
    def step(net, _):
        grads = jax.grad(lambda n: n.loss(seen, target).mean())(net)
        return jax.tree.map(lambda p, g: p - 0.05 * g, net, grads), None

    net, _ = jax.lax.scan(step, net, None, length=500)
    far = jnp.asarray(rng.uniform(1, 3, (256, 2)), jnp.float32)
    near = net.disagreement(seen).mean()
    assert near < 0.1 * net.disagreement(far).mean()
