"""Plan2Explore in the update and in the loop: what learns from what, who acts, and when."""

import dataclasses
import functools as ft

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from networks import fresh_state, stored
from tiny_runs import learn, metrics, newest

import reverie
from reverie.behavior.explore import curious_reward
from reverie.behavior.explorer import NoExplorer
from reverie.behavior.imagine import imagine
from reverie.behavior.plan2explore import Plan2Explore
from reverie.config.edit import apply
from reverie.config.presets import resolve
from reverie.config.schema import Config
from reverie.config.sizes import size_edits
from reverie.launch import read
from reverie.module import named_leaves
from reverie.nn.loss import by_name
from reverie.part.errors import ConfigError
from reverie.records import Spec
from reverie.train.losses import agent_loss, curiosity_loss, draw_noise, explorer_loss, world_loss
from reverie.train.step import gradients, train_step
from reverie.world.model import unpack

BATCH, ROWS = 3, 6
EDITS = {
    **size_edits("debug"),
    "behavior.imagine": 3,
    "train.batch": BATCH,
    "train.length": ROWS - 1,
    "optim.lr": 1e-3,
    "world.dynamics.free_nats": 0.0,
    "optim.warmup": 0,
    "device.precision": "f32",
}
PLAIN = apply(Config(), EDITS)
OBS = {"x": Spec("vector", (3,))}
ACTIONS = {
    "discrete": {"a": Spec("discrete", (), (3,))},
    "continuous": {"a": Spec("vector", (2,), (), (-1.0,) * 2, (1.0,) * 2)},
}


def with_explorer(**changes):
    edits = {"explore": "plan2explore", "explore.heads": 3, "explore.units": 8}
    return apply(PLAIN, {**edits, **changes})


def inputs(config, kind="discrete", seed=0):
    state = fresh_state(OBS, ACTIONS[kind], config, seed=seed)
    rows = stored(OBS, ACTIONS[kind], config, batch=BATCH, rows=ROWS, seed=seed)
    rows = jax.tree.map(jnp.asarray, rows)
    noise = draw_noise(state.agent, BATCH, ROWS - 1, config, jax.random.key(seed))
    return state, unpack(rows, config.world, jnp.dtype("float32")), rows, noise


def zero(tree):
    return all(not np.any(leaf) for leaf in jax.tree.leaves(tree))


def test_the_task_learns_as_without_an_explorer():
    config = with_explorer()
    state, sequence, _, noise = inputs(config)
    plain, _, _, own = inputs(PLAIN)
    for name, leaf in named_leaves(plain.agent).items():
        np.testing.assert_array_equal(named_leaves(state.agent)[name], leaf)
    learn_from = jax.jit(gradients, static_argnames="config")
    grads, (total, out) = learn_from(state, sequence, noise, config)
    alone, (less, seen) = learn_from(plain, sequence, own, PLAIN)
    assert total > less
    found = by_name(out.losses)
    for name, loss in by_name(seen.losses).items():
        np.testing.assert_allclose(found[name], loss, rtol=1e-5, atol=1e-6, err_msg=name)
    for name, leaf in named_leaves(alone).items():
        np.testing.assert_allclose(
            named_leaves(grads)[name], leaf, rtol=1e-4, atol=1e-6, err_msg=name
        )


def test_the_explorer_may_have_an_entropy_bonus_of_its_own():
    def policies(**changes):
        config = with_explorer(**changes)
        state, sequence, _, noise = inputs(config)
        loss = jax.jit(ft.partial(agent_loss, config=config))
        found = by_name(loss(state.agent, state, sequence, noise)[1].losses)
        return found["policy"], found["explorer_policy"]

    both = policies(**{"behavior.actor.entropy": 0.1})
    task, own = policies(**{"behavior.actor.entropy": 0.0, "explore.entropy": 0.1})
    np.testing.assert_allclose(own, both[1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        task, policies(**{"behavior.actor.entropy": 0.0})[0], rtol=1e-5, atol=1e-6
    )
    assert np.all(np.abs(task - both[0]) > 1e-3)


@pytest.mark.parametrize("form", ["corrected", "published"])
def test_each_loss_reaches_its_own_network_only(form):
    config = with_explorer(**{"explore.form": form})
    state, sequence, _, noise = inputs(config)

    def ensemble_part(agent):
        _, world = world_loss(agent.world, sequence, noise, config)
        return curiosity_loss(agent, world, config, start=jnp.zeros(()))[0]

    def explorer_part(agent):
        _, world = world_loss(agent.world, sequence, noise, config)
        return explorer_loss(agent, state, world, noise, config, start=jnp.zeros(()))[0]

    by_ensemble, by_explorer = (
        jax.jit(jax.grad(f))(state.agent) for f in (ensemble_part, explorer_part)
    )
    for grads in (by_ensemble, by_explorer):
        assert zero((grads.world, grads.actor, grads.critic))
    assert zero((by_ensemble.explorer.actor, by_ensemble.explorer.critic))
    assert not zero(by_ensemble.explorer.ensemble)
    assert zero(by_explorer.explorer.ensemble)
    assert not zero(by_explorer.explorer.actor)
    assert not zero(by_explorer.explorer.critic)


def test_pairs_across_episodes_teach_nothing_unless_published():
    losses = {}
    for form in ("corrected", "published"):
        config = with_explorer(**{"explore.form": form})
        state, sequence, _, noise = inputs(config)
        _, world = world_loss(state.agent.world, sequence, noise, config)
        (curiosity,) = curiosity_loss(state.agent, world, config, start=jnp.zeros(()))[1]
        loss = curiosity.value
        assert loss.shape == (BATCH, ROWS - 2)
        losses[form] = np.asarray(loss), np.asarray(world.rows.is_first[:, 1:])
    loss, border = losses["corrected"]
    assert border.any()
    np.testing.assert_array_equal(loss == 0, border)
    assert (losses["published"][0] > 0).all()


@pytest.mark.parametrize("kind", ["discrete", "continuous"])
@pytest.mark.parametrize("extrinsic", [0.0, 0.5])
def test_the_reward_of_a_dream_is_the_disagreement_about_the_next_state(kind, extrinsic):
    changes = {"explore.intrinsic": 2.0, "explore.extrinsic": extrinsic}
    config = with_explorer(**changes)
    state, sequence, _, noise = inputs(config, kind)
    agent = state.agent
    _, world = world_loss(agent.world, sequence, noise, config)
    starts = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), world.observed.state)
    dream = imagine(agent.world, agent.explorer.actor, starts, noise.explorer)
    reward = curious_reward(agent.explorer, config.explore)(agent.world, dream, through=False)
    members = agent.explorer.ensemble.heads
    for t in range(config.behavior.imagine):
        action = agent.world.embed({k: v[t] for k, v in dream.action.items()})
        x = jnp.concatenate([dream.feature[t], action], -1)
        said = [jax.tree.map(lambda leaf, i=i: leaf[i], members)(x) for i in range(3)]
        bonus = np.var(np.stack(said), axis=0).mean(-1)
        arrived = dream.last if t + 1 == len(dream.feature) else dream.feature[t + 1]
        task = agent.world.reward(arrived).mean()
        np.testing.assert_allclose(
            reward[t + 1], 2.0 * bonus + extrinsic * task, rtol=2e-4, atol=1e-6
        )


def test_a_hidden_task_leaves_its_networks_alone():
    config = with_explorer(**{"explore.task": False})
    state, _, rows, _ = inputs(config)
    step = jax.jit(ft.partial(train_step, config=config))
    after, found, _ = step(state, rows, jax.random.key(1))
    for name, leaf in named_leaves(state.agent).items():
        moved = np.any(np.asarray(named_leaves(after.agent)[name]) != np.asarray(leaf))
        hidden = name.startswith(("actor", "critic", "world.reward"))
        if hidden:
            assert not moved, name
        elif name.endswith("kernel"):
            assert moved, name
    assert found["loss/ensemble"] > 0
    assert np.isfinite([float(value) for value in found.values()]).all()


@pytest.mark.parametrize("kind", ["discrete", "continuous"])
def test_three_adams_become_six(kind):
    """Ensemble with the world model first, then all actors and critics, each by its own Adam."""
    adam = {"optim": "adam", "train.update": "ordered", "behavior.replay_grad": False}
    config = with_explorer(**adam, **{"optim.ensemble.lr": 0.5})
    state, _, rows, _ = inputs(config, kind)
    names = ("world", "actor", "critic", "ensemble", "explorer_actor", "explorer_critic")
    assert set(state.opt_state) == set(names)
    step = jax.jit(ft.partial(train_step, config=config))
    after, found, _ = step(state, rows, jax.random.key(1))
    moved = jax.tree.map(lambda a, b: jnp.abs(a - b).max(), after.agent, state.agent)
    rates = {"ensemble": 0.5, "actor": 3e-5, "critic": 3e-5}
    for name, rate in rates.items():
        largest = max(float(x) for x in jax.tree.leaves(getattr(moved.explorer, name)))
        assert largest == pytest.approx(rate, rel=0.05), name  # Adam's first step is its rate
    assert found["train/grad_norm_ensemble"] > 0
    assert found["train/lr_explorer_actor"] == pytest.approx(3e-5)


@pytest.mark.slow
def test_seeds_side_by_side_are_each_alone():
    config = with_explorer()
    states, rows = zip(*[inputs(config, seed=seed)[::2] for seed in (0, 1)], strict=True)
    keys = [jax.random.key(seed) for seed in (3, 4)]
    step = jax.jit(ft.partial(train_step, config=config))
    alone = [step(*args) for args in zip(states, rows, keys, strict=True)]
    together = jax.jit(jax.vmap(ft.partial(train_step, config=config)))(
        jax.tree.map(lambda *x: jnp.stack(x), *states),
        jax.tree.map(lambda *x: jnp.stack(x), *rows),
        jnp.stack(keys),
    )
    for index, (state, found, _) in enumerate(alone):
        for name, leaf in named_leaves(state.agent).items():
            both = named_leaves(together[0].agent)[name][index]
            np.testing.assert_allclose(both, leaf, rtol=1e-4, atol=1e-5, err_msg=name)
        for name, value in found.items():
            np.testing.assert_allclose(
                together[1][name][index], value, rtol=2e-3, atol=1e-5, err_msg=name
            )


def test_who_chooses_the_action():
    def when(**changes):
        options = Plan2Explore(**changes)
        return [options.acts(2 * turn, turn) for turn in range(6)]

    assert when() == [True] * 6
    assert when(until=5) == [True, True, True, False, False, False]
    assert when(every=3) == [True, False, False, True, False, False]
    assert when(collect="task") == [False] * 6
    assert not NoExplorer().acts(0, 0)


RUN = {"explore": "plan2explore", "explore.heads": 3, "explore.units": 8}


@pytest.mark.slow
def test_reward_free_exploration_then_the_task_in_the_same_folder(tmp_path, cache):
    """First without the task's reward; then the same folder goes on with it, by its actor."""
    run = learn("gym:CartPole-v1", tmp_path / "run", {**RUN, "explore.task": False})
    first = newest(run)["learner"]["state"]
    assert first["agent.critic.out.kernel"].any() == 0  # zero-initialised and never taught
    assert first["agent.explorer.critic.out.kernel"].any()
    more = {**RUN, "steps": 400, "explore.until": 240}
    learn("gym:CartPole-v1", tmp_path / "run", more)
    second = newest(run)["learner"]["state"]
    assert second["agent.critic.out.kernel"].any()
    rows = metrics(run)
    assert rows[-1]["step"] == 400
    learned = [row for row in rows if "train/updates" in row]
    assert learned and all("loss/explorer_policy" in row for row in learned)
    evaluated = reverie.evaluate(run, episodes=2)
    assert evaluated["eval/return"] >= 2 * 4  # CartPole never falls sooner


def test_the_explorer_acts_differently_from_the_task():
    config = with_explorer()
    from reverie.behavior.policy import Acting

    state, *_ = inputs(config)
    agent = state.agent
    acting = Acting.of(agent.world, agent.actor, agent.explorer.actor)
    noise = acting.noise(jax.random.key(0), 64)
    obs = {"x": jnp.asarray(np.random.default_rng(0).normal(size=(64, 3)), jnp.float32)}
    first = jnp.ones(64, bool)
    mine, _ = acting(acting.initial(64), obs, first, noise)
    others, _ = acting(acting.initial(64), obs, first, noise, explore=True)
    swapped = dataclasses.replace(acting, actor=agent.explorer.actor)
    expected, _ = swapped(swapped.initial(64), obs, first, noise)
    np.testing.assert_array_equal(others["a"], expected["a"])
    assert (np.asarray(mine["a"]) != np.asarray(others["a"])).any()


def test_the_flag_and_what_does_not_go_together():
    config = read(["gym:CartPole-v1", "--explore", "plan2explore"]).config()
    assert config.explore.active
    published = resolve("gym:CartPole-v1", methods=["plan2explore_published"]).explore
    assert (published.heads, published.layers, published.units) == (10, 4, 400)
    with pytest.raises(ConfigError, match="explore is 'none', which has no option 'task'"):
        resolve("gym:CartPole-v1", overrides={"explore.task": False})
    with pytest.raises(ConfigError, match="there is no task reward to add"):
        with_explorer(**{"explore.task": False, "explore.extrinsic": 1.0})


def test_disagreement_can_say_what_is_drawn():
    """The score of a row is the members' variance about what follows its state and action."""
    changes = {"replay.draw": "proportional", "replay.signal": "disagreement"}
    config = with_explorer(**changes)
    state, sequence, rows, noise = inputs(config)
    step = jax.jit(ft.partial(train_step, config=config))
    after, _, written = step(state, rows, jax.random.key(0))
    _, world = world_loss(state.agent.world, sequence, noise, config)
    latent = world.observed.state
    action = after.agent.world.embed({k: v[:, 1:] for k, v in sequence.action.items()})
    flat = latent.stoch.reshape(*latent.deter.shape[:2], -1)
    x = jnp.concatenate([latent.deter, flat, action], -1)
    heads = after.agent.explorer.ensemble.heads
    said = [jax.tree.map(lambda leaf, i=i: leaf[i], heads)(x) for i in range(3)]
    expected = np.var(np.stack(said), axis=0).mean(-1)
    np.testing.assert_allclose(written["score"], expected, rtol=2e-3, atol=1e-6)
    with pytest.raises(ConfigError, match="needs an ensemble: add --explore plan2explore"):
        apply(PLAIN, changes)
