"""Laws of the update in three steps: DreamerV2 and the V3 of 2023, one seed and many at once."""

import functools as ft

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from networks import fresh_state, stored

from reverie.config.edit import apply
from reverie.config.presets import resolve
from reverie.module import named_leaves
from reverie.optim.groups import groups_of, part_of
from reverie.part.errors import ConfigError
from reverie.records import Spec
from reverie.train.losses import agent_steps
from reverie.train.step import train_step

BATCH, ROWS = 3, 5
OBS = {"x": Spec("vector", (3,)), "gear": Spec("discrete", (), (4,))}
WHEEL = Spec("vector", (2,), (), (-1.0,) * 2, (1.0,) * 2)
BUTTONS = Spec("discrete", (2,), (2, 3))
AGENTS = {
    # Both estimators at once, an entropy bonus that falls, rewards divided by their size.
    "v2": (
        {"wheel": WHEEL, "buttons": BUTTONS},
        {
            "behavior.gradient": "mixed",
            "behavior.gradient.mix": "linear(0.1, 0.5, 20)",
            "behavior.actor.entropy": "linear(1e-2, 1e-3, 10)",
            "behavior.reward_momentum": 0.9,
            "behavior.slow_every": 2,
        },
    ),
    "v3-2023": ({"wheel": WHEEL}, {}),
}
EDITS = {
    "behavior.imagine": 3,
    "world.dynamics.free_nats": 0.0,
    "train.batch": BATCH,
    "train.length": ROWS,
    "train.prefill": 0,
    "device.precision": "f32",
}


def config_of(agent):
    edits = {**EDITS, **AGENTS[agent][1]}
    return resolve("custom:test", agent=agent, size="debug", overrides=edits)


def inputs(agent, seed):
    config = config_of(agent)
    spaces = (OBS, AGENTS[agent][0])
    state = fresh_state(*spaces, config, seed=seed)
    rows = stored(*spaces, config, batch=BATCH, rows=ROWS + config.replay.context, seed=seed)
    return state, jax.tree.map(jnp.asarray, rows), jax.random.key(seed)


@pytest.fixture(params=list(AGENTS), scope="module")
def run(request):
    """Two updates of each of two seeds: the agent, and of each seed (state, metrics) twice."""
    step = jax.jit(ft.partial(train_step, config=config_of(request.param)))

    def follow(seed):
        state, rows, key = inputs(request.param, seed)
        history = []
        for k in range(2):
            state, metrics, _ = step(state, rows, jax.random.fold_in(key, k))
            history.append((state, metrics))
        return history

    return request.param, follow(0), follow(1)


def test_every_part_learns_and_all_numbers_are_finite(run):
    agent, history, _ = run
    state, metrics = history[-1]
    assert all(np.isfinite(value) for _, metrics in history for value in metrics.values())
    old, new = named_leaves(inputs(agent, 0)[0].agent), named_leaves(state.agent)
    same = [name for name in new if (new[name] == old[name]).all()]
    assert all(".encoder.standard." in name for name in same), same  # units are constants
    assert all(metrics[f"train/grad_norm_{group}"] > 0 for group in groups_of(state.agent))
    losses = {name for name in metrics if name.startswith("loss/")}
    assert "loss/repval" not in losses and {"loss/policy", "loss/value"} <= losses


def test_the_first_update_copies_the_critic_whole(run):
    _, ((first, _), (second, _)), _ = run
    for state, same in ((first, True), (second, False)):
        pairs = zip(*map(jax.tree.leaves, (state.slow_critic, state.agent.critic)), strict=True)
        assert all((a == b).all() for a, b in pairs) == same


def test_two_seeds_at_once_equal_each_alone(run):
    agent, *alone = run
    pairs = [jax.tree.leaves(inputs(agent, seed)) for seed in (0, 1)]
    together = [jnp.stack(pair) for pair in zip(*pairs, strict=True)]
    structure = jax.tree.structure(inputs(agent, 0))
    state, rows, keys = jax.tree.unflatten(structure, together)
    many = jax.jit(jax.vmap(ft.partial(train_step, config=config_of(agent))))
    for k in range(2):
        state, metrics, _ = many(state, rows, jax.vmap(jax.random.fold_in, (0, None))(keys, k))
        for seed, history in enumerate(alone):
            for name, value in history[k][1].items():
                found = float(metrics[name][seed])
                assert found == pytest.approx(float(value), rel=1e-4, abs=1e-5), (k, name)
    for seed, history in enumerate(alone):
        single = named_leaves(history[-1][0].agent)
        for name, leaf in named_leaves(state.agent).items():
            np.testing.assert_allclose(leaf[seed], single[name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_the_groups_are_the_whole_agent():
    agent = inputs("v2", 0)[0].agent
    counts = [len(jax.tree.leaves(part_of(agent, name))) for name in groups_of(agent)]
    assert sum(counts) == len(jax.tree.leaves(agent)) and min(counts) > 0


def test_schedules_count_agent_steps():
    config = apply(
        config_of("v3-2023"),
        {"train.prefill": 100, "train.pretrain": 5, "train.ratio": 30.0, "steps": 1000},
    )
    found = [float(agent_steps(jnp.asarray(n), config)) for n in (0, 5, 6, 25)]
    assert found == [100.0, 100.0, 100.5, 110.0]  # an update of 15 rows every half step


def test_what_would_cross_the_groups_is_refused():
    for name in ("behavior.actor_grad_start", "behavior.replay_value"):
        edits = {name: True, "behavior.own_reward": False, "behavior.replay_grad": True}
        edits |= {"behavior.gradient": "reinforce"}
        with pytest.raises(ConfigError, match=r"must be False while train.update is 'ordered'"):
            apply(config_of("v2"), edits)
