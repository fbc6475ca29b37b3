"""World models of DreamerV2 and of 2023: sizes, Gaussian latents, initial state, clean starts."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from networks import filled
from networks import rssm as options

from reverie.config.edit import apply
from reverie.config.presets import resolve
from reverie.config.schema import Config
from reverie.module import count_params
from reverie.nn.distributions import Normal
from reverie.nn.loss import by_name
from reverie.part.errors import ConfigError
from reverie.records import Latent, Sequence, Spec
from reverie.train.columns import columns_of
from reverie.train.state import Agent
from reverie.world.kl import floored, kl_losses
from reverie.world.model import WorldModel, feature, split_context, unpack
from reverie.world.rssm import RSSM

OBS = {"image": Spec("image", (64, 64, 3))}
SMALL = {"deter": 12, "hidden": 5, "stoch": 3, "classes": 4, "blocks": 3}
CONFIGS = {
    "v2 gaussian": options(core="gru", latent="gaussian", prior_layers=1, **SMALL),
    "block gaussian": options(latent="gaussian", deviation="softplus", **SMALL),
    "2023": options(core="gru", initial="learned", prior_layers=1, **SMALL),
    "2023 gaussian": options(core="gru", initial="learned", latent="gaussian", **SMALL),
}


def action(count):
    return {"action": Spec("discrete", (), (count,))}


@pytest.mark.parametrize(("actions", "published"), [(2, 32_333_580), (8, 32_342_130)])
def test_dreamer_v2_has_the_published_parameters(actions, published):
    """Two logs of official runs; 3 of their numbers are counters and reward scales.

    World model 28.43 M; actor, critic and slow critic 3.91 M. One more action costs 1024 weights
    into the recurrent model and 401 out of the actor.
    """
    config = resolve("gym:X-v0", preset="published", agent="v2", size="w1024")
    agent = jax.eval_shape(lambda k: Agent(OBS, action(actions), config, key=k), jax.random.key(0))
    world, actor, critic = (count_params(p) for p in (agent.world, agent.actor, agent.critic))
    assert world + actor + 2 * critic + 3 == published
    assert critic == 1_301_201
    parts = {n: count_params(getattr(agent.world, n)) for n in ("encoder", "objective", "dynamics")}
    assert (parts["encoder"], parts["objective"]) == (1_551_312, 11_152_275)
    assert parts["dynamics"] == 13_123_584 + 1024 * (actions - 2)


def test_the_parameters_at_seven_actions_round_to_those_of_the_specification():
    config = resolve("gym:X-v0", preset="published", agent="v2", size="w1024")
    agent = jax.eval_shape(lambda k: Agent(OBS, action(7), config, key=k), jax.random.key(0))
    assert f"{count_params(agent.world) / 1e6:.2f}" == "28.43"
    players = count_params(agent.actor) + 2 * count_params(agent.critic)
    assert f"{players / 1e6:.2f}" == "3.91"


def rollout(config, seed=0, *, first=(False, False, True, False)):
    """A model, its inputs, and what it observes along two sequences of four steps."""
    rng = np.random.default_rng(seed)
    rssm = filled(RSSM, 6, 2, config)
    noise = rssm.noise(jax.random.key(seed), (2, 4))
    tokens = jnp.asarray(rng.normal(size=(2, 4, 6)), jnp.float32)
    acts = jnp.asarray(rng.normal(size=(2, 4, 2)), jnp.float32)
    start = Latent(
        jnp.asarray(rng.normal(size=(2, 12)), jnp.float32),
        jnp.asarray(rng.normal(size=(2, 3, config.flat // 3)), jnp.float32),
    )
    is_first = jnp.broadcast_to(jnp.asarray(first), (2, 4))
    return rssm, start, tokens, acts, is_first, noise


@pytest.mark.parametrize("name", CONFIGS)
def test_an_episode_starts_from_the_initial_state(name):
    """Before `is_first` nothing counts: the rest equals a sequence that starts there."""
    rssm, start, tokens, acts, is_first, noise = rollout(CONFIGS[name])
    observe = jax.jit(lambda m, *args: m.observe(*args))
    latent, stats = observe(rssm, start, tokens, acts, is_first, noise)
    fresh = rssm.initial(2, jnp.dtype("float32"))
    late = [x[:, 2:] for x in (tokens, acts.at[:, 2].set(0), is_first, noise)]
    late[2] = jnp.zeros((2, 2), bool)
    again, stats_again = observe(rssm, fresh, *late)
    for a, b in zip(
        jax.tree.leaves((again, stats_again)), jax.tree.leaves((latent, stats)), strict=True
    ):
        np.testing.assert_allclose(a, b[:, 2:], rtol=1e-5, atol=1e-6)
    assert stats.shape == (2, 4, 3, rssm.config.latent.outputs)
    assert feature(latent).shape == (2, 4, sum(rssm.config.widths))


@pytest.mark.parametrize("name", ["2023", "2023 gaussian"])
def test_the_learned_initial_state_is_tanh_with_the_mode_of_its_prior(name):
    rssm = filled(RSSM, 6, 2, CONFIGS[name])
    latent = rssm.initial(2, jnp.dtype("float32"))
    np.testing.assert_allclose(latent.deter, jnp.tanh(rssm.first)[None].repeat(2, 0), rtol=1e-6)
    stats = rssm.prior_of(latent.deter[:1])
    if name == "2023":
        assert (latent.stoch.argmax(-1) == stats.argmax(-1)).all()
        assert (latent.stoch.sum(-1) == 1).all()
    else:
        np.testing.assert_allclose(latent.stoch[:1, :, 0], stats[..., 0], rtol=1e-6)


def test_gradients_reach_the_learned_initial_state():
    """Equal to the gradient through a plain scan of the same steps."""
    rssm, start, tokens, acts, is_first, noise = rollout(CONFIGS["2023"])

    def loss(rssm):
        latent, _ = rssm.observe(start, tokens, acts, is_first, noise)
        return jnp.sum(jnp.cos(feature(latent)))

    def plain(rssm):
        carry, total = rssm.carry(start), 0.0
        for t in range(4):
            if t == 2:
                carry = rssm.carry(rssm.initial(2, jnp.dtype("float32")))
            act = acts[:, t] * (1.0 - is_first[:, t, None])
            carry = rssm.core(carry, rssm.core.embed(act))
            carry = rssm.drawn(carry, rssm.post_of(carry.deter, tokens[:, t]), noise[:, t])
            total = total + jnp.sum(jnp.cos(feature(rssm.state(carry))))
        return total

    ours, theirs = jax.jit(jax.grad(loss))(rssm), jax.jit(jax.grad(plain))(rssm)
    assert np.abs(np.asarray(ours.first)).max() > 1e-3
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_gaussian_latents_follow_mean_and_deviation():
    config = CONFIGS["v2 gaussian"]
    stats = jnp.asarray(np.random.default_rng(0).normal(size=(5, 3, 2)), jnp.float32)
    noise = jnp.asarray(np.random.default_rng(1).normal(size=(5, 3)), jnp.float32)
    dist = config.latent.distribution(stats)
    std = 2 * jax.nn.sigmoid(stats[..., 1] / 2) + 0.1
    expected = stats[..., 0] + std * noise
    np.testing.assert_allclose(config.latent.sample(dist, noise)[..., 0], expected, rtol=1e-6)
    stored = config.pack(Latent(jnp.zeros((5, 12)), expected[..., None]))
    assert stored["stoch"].dtype == jnp.bfloat16
    back = config.unpack(stored, jnp.dtype("float32"))
    np.testing.assert_allclose(back.stoch[..., 0], expected, rtol=1e-2)


def test_the_floor_acts_on_steps_or_on_the_batch():
    """KL {0, 4} with a floor of 1: mean 2.5 by step, 2 by batch; below it no gradient."""
    kl = jnp.array([0.0, 4.0])
    assert floored(kl, "step", 1.0).mean() == 2.5
    assert floored(kl, "batch", 1.0).mean() == 2.0
    slope = jax.grad(lambda x: floored(x, "batch", 1.0).mean())
    assert slope(kl).tolist() == [0.5, 0.5]
    assert slope(kl / 4).tolist() == [0.0, 0.0]
    assert floored(kl / 4, "batch", 1.0).tolist() == [1.0, 1.0]


def test_gaussian_kl_losses_are_sums_over_latents():
    post = Normal(jnp.zeros((2, 3)), jnp.ones((2, 3)))
    prior = Normal(jnp.ones((2, 3)), jnp.ones((2, 3)))
    kl = kl_losses(post, prior, kind="balanced", floor="step", free_nats=0.0)
    assert kl.raw.tolist() == kl.dyn.tolist() == [1.5, 1.5]


def rows(batch=2, time=3):
    rng = np.random.default_rng(0)
    flag = np.zeros((batch, time), bool)
    found = Sequence(
        obs={"state": rng.normal(size=(batch, time, 2)).astype(np.float32)},
        action={"action": rng.integers(1, 3, (batch, time)).astype(np.int32)},
        reward=np.full((batch, time), 2.0, np.float32),
        is_first=flag,
        is_last=flag,
        is_terminal=flag,
        latent=None,
    )
    return jax.tree.map(jnp.asarray, found)


def test_sequences_without_context_start_clean():
    config = apply(Config(), {"replay.context": 0, "world.reward.transform": "tanh"})
    sequence = unpack(rows(), config.world, jnp.dtype("float32"))
    trained, acts, start = split_context(sequence, 0)
    assert start is None
    assert trained.is_first[:, 0].all()
    assert not np.asarray(trained.is_first)[:, 1:].any()
    assert not np.asarray(acts["action"])[:, 0].any()
    np.testing.assert_array_equal(acts["action"][:, 1:, 0], rows().action["action"][:, :-1])
    np.testing.assert_allclose(trained.reward, np.tanh(2.0), rtol=1e-6)


@pytest.mark.parametrize("agent", ["v2", "v3-2023"])
def test_the_agents_store_no_latents(agent):
    config = resolve("gym:X-v0", preset="published", agent=agent, pictures=False)
    columns = columns_of({"state": Spec("vector", (2,))}, action(3), config)
    assert not [name for name in columns if name.startswith("latent/")]
    with_context = apply(config, {"replay.context": 1, "world.dynamics.latent": "gaussian"})
    columns = columns_of({"state": Spec("vector", (2,))}, action(3), with_context)
    assert columns["latent/stoch"] == ((32,), jnp.bfloat16)


@pytest.mark.parametrize("agent", ["v2", "v3-2023"])
def test_losses_of_the_agents(agent):
    """Vector observations: names of the losses, one number a step, no head where none is asked."""
    config = resolve("gym:X-v0", preset="published", agent=agent, size="debug")
    obs, specs = {"state": Spec("vector", (2,))}, action(3)
    for predict in (True, False):
        config = apply(config, {"world.cont.predict": predict})
        world = filled(WorldModel, obs, specs, config.world, config.net)
        sequence = unpack(rows(), config.world, jnp.dtype("float32"))
        trained, acts, start = split_context(sequence, 0)
        noise = world.dynamics.noise(jax.random.key(0), (2, 3))
        observed = world.observe(start, trained.obs, acts, trained.is_first, noise)
        losses = by_name(world.losses(observed, trained, config.world)[0])
        assert set(losses) == {"dyn", "rep", "rew", "state"} | ({"con"} if predict else set())
        assert {loss.shape for loss in losses.values()} == {(2, 3)}
        if agent == "v2":
            x = feature(observed.state)
            expected = 0.5 * np.square(np.tanh(2.0) - np.asarray(world.reward(x).mean()))
            np.testing.assert_allclose(losses["rew"], expected, rtol=1e-5)


def test_options_that_have_no_effect_are_refused():
    for path, value, message in (
        (
            "world.objective.plain",
            True,
            "world.objective.plain must be false unless world.objective.blocks is 0",
        ),
        ("net.maps", "whole", "net.maps must be 'channels' unless net.norm is 'layer'"),
        (
            "world.encoder.stack.widen",
            False,
            "world.encoder.stack is 'pooled', which has no option 'widen'; 'same' has",
        ),
    ):
        with pytest.raises(ConfigError, match=message):
            apply(Config(), {path: value})
    with pytest.raises(
        ConfigError, match=r"net.maps 'whole' goes with world.encoder.stack valid or same"
    ):
        apply(Config(), {"net.norm": "layer", "net.maps": "whole"})
    with pytest.raises(
        ConfigError,
        match=r"world.dynamics.deter must be a multiple of world.dynamics.core.blocks \(8\)",
    ):
        apply(Config(), {"world.dynamics.deter": 203, "world.objective.blocks": 0})
    assert apply(
        Config(),
        {"world.dynamics.deter": 203, "world.objective.blocks": 0, "world.dynamics.core": "gru"},
    )
    assert dataclasses.replace(options(core="gru"), deter=203).widths == (203, 32 * 16)
