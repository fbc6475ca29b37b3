"""JAX-native environments: compiled copies against single ones and against their own packages."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from elsewhere import assert_same_elsewhere
from toy_envs import assert_contract, assert_rows_equal, play, random_action

from reverie.envs import names_jax
from reverie.envs.base import EnvError
from reverie.envs.episodes import episode_seed
from reverie.envs.functional import recipe
from reverie.envs.functional.game import Game, Moment
from reverie.envs.functional.spaces import box_action
from reverie.envs.make import make, maker
from reverie.envs.options import EnvConfig
from reverie.envs.vector import Vector
from reverie.records import Spec


def walk(length=5, limit=0):
    """A random walk that the action pushes; ends after `length` steps, or at 3 metres."""
    actions, rescale = box_action([-2.0], [4.0], (1,))

    def show(state):
        image = jnp.full((8, 8, 3), state["count"] * 10, jnp.uint8)
        return {"place": state["place"], "image": image}

    def reset(key):
        state = {"place": jax.random.normal(key, (2,)), "count": jnp.int32(0)}
        return state, show(state)

    def step(key, state, action):
        push = rescale(action["action"])
        place = state["place"] + 0.1 * push + 0.1 * jax.random.normal(key, (2,))
        state = {"place": place, "count": state["count"] + 1}
        ended = state["count"] >= length
        return Moment(state, show(state), push.sum(), ended, jnp.zeros((), bool))

    specs = {"place": Spec("vector", (2,)), "image": Spec("image", (8, 8, 3))}
    return Game(specs, actions, reset, step, limit=limit)


@pytest.fixture
def toy(monkeypatch):
    """Recipes of the walk: toy(config, **arguments of the walk)."""

    def make_recipe(config, **kwargs):
        monkeypatch.setattr(recipe.registry, "build", lambda *_: walk(**kwargs))
        return recipe.Compiled("toy", "walk", config)

    return make_recipe


def drive(vector, steps, seed=0):
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(steps):
        vector.send(random_action(vector.action_specs, rng, (vector.num,)))
        rows.append(vector.recv())
    return rows


def test_copies_play_the_episodes_of_single_environments(toy):
    """Each copy's rows are those of one environment alone, seeds and resets included."""
    make_one = toy(EnvConfig())
    with Vector(make_one, num=3, seed=7) as vector:
        rows = drive(vector, 14)
    rng = np.random.default_rng(0)
    actions = [random_action(vector.action_specs, rng, (3,)) for _ in range(14)]
    for index in range(3):
        env, episode, last = make_one(), -1, True
        for row, action in zip(rows, actions, strict=True):
            if last:
                episode += 1
                obs = env.reset(episode_seed(7, "train", index, episode))
                reward, terminal, last = 0.0, False, False
                assert row.is_first[index]
            else:
                obs, reward, terminal, last = env.step({"action": action["action"][index]})
                assert not row.is_first[index]
            np.testing.assert_allclose(row.obs["place"][index], obs["place"], rtol=1e-6)
            np.testing.assert_array_equal(row.obs["image"][index], obs["image"])
            assert row.reward[index] == pytest.approx(reward, rel=1e-6)
            assert (row.is_terminal[index], row.is_last[index]) == (terminal, last)
        assert episode == 2
        env.close()


def test_actions_are_rescaled_and_clipped(toy):
    env = toy(EnvConfig())()
    env.reset(0)
    for given, want in [(-1.0, -2.0), (0.0, 1.0), (1.0, 4.0), (7.0, 4.0)]:
        assert env.step({"action": np.float32([given])})[1] == pytest.approx(want)
    env.close()


def test_repeat_sums_rewards_and_stops_at_the_end(toy):
    env = toy(EnvConfig(repeat=3))()
    env.reset(0)
    still = {"action": np.float32([0.0])}
    obs, reward, terminal, last = env.step(still)
    assert (reward, terminal, last) == (3.0, False, False)
    assert obs["image"].max() == 30
    obs, reward, terminal, last = env.step(still)
    assert (reward, terminal, last) == (2.0, True, True)
    assert obs["image"].max() == 50
    env.close()


@pytest.mark.parametrize("labelled", [False, True])
def test_limits_truncate_and_are_terminal_only_if_asked(toy, labelled):
    for config, kwargs in [
        (EnvConfig(limit=3, limit_is_terminal=labelled), {"length": 50}),
        (EnvConfig(limit_is_terminal=labelled), {"length": 50, "limit": 3}),
        (EnvConfig(repeat=2, limit_is_terminal=labelled), {"length": 50, "limit": 6}),
    ]:
        rows = play(toy(config, **kwargs)(), 0, 10)
        assert [row[3] for row in rows] == [False, False, False, True]
        assert [row[2] for row in rows] == [False, False, False, labelled]


@pytest.mark.parametrize("at", [3, 8])
def test_a_restored_vector_goes_on_as_if_nothing_had_happened(toy, at):
    make_one = toy(EnvConfig())
    with Vector(make_one, num=3, seed=2) as vector:
        whole = drive(vector, 16)
        vector.rewind()
        rng = np.random.default_rng(0)
        actions = [random_action(vector.action_specs, rng, (3,)) for _ in range(16)]
        for action in actions[:at]:
            vector.send(action)
            vector.recv()
        state = vector.state()
    with Vector(make_one, num=3, seed=2) as fresh:
        assert fresh.load(state) == [True] * 3
        for action, row in zip(actions[at:], whole[at:], strict=True):
            fresh.send(action)
            jax.tree.map(np.testing.assert_array_equal, fresh.recv(), row)


def test_numbers_that_are_not_finite_name_their_copy(toy, monkeypatch):
    game = walk()
    bad = dataclasses.replace(
        game,
        step=lambda key, state, action: game.step(key, state, action)._replace(reward=jnp.nan),
    )
    monkeypatch.setattr(recipe.registry, "build", lambda *_: bad)
    with Vector(recipe.Compiled("toy", "walk", EnvConfig()), num=2, seed=0) as vector:
        drive(vector, 1)
        with pytest.raises(EnvError, match="Environment 0: the reward is nan"):
            drive(vector, 1)


def test_hidden_keys_and_pictures(toy):
    env = toy(EnvConfig(exclude=("place",)))()
    assert list(env.obs_specs) == ["image"]
    env.reset(0)
    assert env.render().shape == (8, 8, 3)
    env.close()
    with pytest.raises(
        EnvError, match=r"env\.exclude is plaze; the environment shows place, image"
    ):
        toy(EnvConfig(exclude=("plaze",)))()


@pytest.mark.slow
def test_names_equal_the_packages():
    import gymnax
    import jumanji
    import pgx
    import xminigrid
    from brax import envs

    assert {*names_jax.gymnax_ids().values(), "MNISTBandit-bsuite"} == set(gymnax.registered_envs)
    assert set(names_jax.xminigrid_ids().values()) == set(xminigrid.registered_environments())
    known = set(jumanji.registration.registered_environments())
    assert {*names_jax.jumanji_ids().values(), "Sokoban-v0"} == known
    assert set(names_jax.pgx_ids().values()) == set(pgx.available_envs())
    assert {*names_jax.BRAX_TASKS, "fast"} == set(envs._envs)


@pytest.mark.slow
def test_navix_names_are_known_to_the_package():
    import navix

    known = {id[6:-3].lower().replace("-", "_") for id in navix.registry()}
    assert set(names_jax.NAVIX_TASKS) <= known
    with pytest.raises(EnvError, match=r"navix knows no task 'emty_5x5'. Did you mean 'empty_5x5'"):
        make("navix_emty_5x5", EnvConfig())


@pytest.mark.slow
def test_playground_names_equal_the_packages():
    from mujoco_playground._src import dm_control_suite

    assert set(names_jax.playground_ids().values()) == set(dm_control_suite.ALL_ENVS)


def test_gymnax_equals_the_package_to_the_end():
    """The same keys through gymnax's own functions: states, rewards, ends."""
    import gymnax

    env, params = gymnax.make("CartPole-v1")
    rows = play(make("gymnax_cart_pole", EnvConfig()), 3, 600)
    first, key = jax.random.split(jax.random.PRNGKey(3))
    obs, state = env.reset_env(first, params)
    np.testing.assert_allclose(rows[0][0]["vector"], obs, rtol=1e-6)
    rng = np.random.default_rng(3)
    assert rows[-1][2:] == (True, True)  # the pole falls
    for row in rows[1:]:
        action = int(rng.integers(0, 2, (), np.int32))
        key, use = jax.random.split(key)
        obs, state, reward, ended, _ = env.step_env(use, state, action, params)
        np.testing.assert_allclose(row[0]["vector"], obs, rtol=1e-5, atol=1e-6)
        assert row[1:3] == (float(reward), bool(ended))


def test_gymnax_time_limit_is_truncation():
    env = make("gymnax_pendulum", EnvConfig())
    rows = play(env, 3, 250)
    assert_contract(env, rows)
    assert len(rows) == 201
    assert rows[-1][2:] == (False, True)
    env.close()


QUICK = [
    "gymnax_breakout_minatar",
    "gymnax_frozen_lake_misc",
    "navix_empty_5x5",
    "xminigrid_doorkey_5x5",
    "jumanji_snake",
    "pgx_minatar_breakout",
    "pgx_tic_tac_toe",
]


@pytest.mark.slow
@pytest.mark.parametrize("task", QUICK)
def test_suites_keep_the_contract_to_the_end_of_an_episode(task):
    env = make(task, EnvConfig())
    rows = play(env, 3, 1200)
    assert_contract(env, rows)
    assert rows[-1][3]
    assert_rows_equal(rows[:20], play(env, 3, 1200)[:20])
    env.close()
    assert_same_elsewhere(task, EnvConfig(), 3, 10)


HEAVY = {
    "craftax_classic_symbolic": (1345,),
    "craftax_classic_pixels": (63, 63, 3),
    "brax_ant": (27,),
    "playground_cartpole_balance": (5,),
}


@pytest.mark.slow
@pytest.mark.parametrize("task", HEAVY)
def test_heavy_suites_keep_the_contract_to_the_end_of_an_episode(task):
    env = make(task, EnvConfig())
    rows = play(env, 3, 1001)
    assert_contract(env, rows)
    assert next(iter(env.obs_specs.values())).shape == HEAVY[task]
    assert len(rows) <= 1001
    assert rows[-1][3]
    assert_rows_equal(rows[:20], play(env, 3, 19))
    env.close()
    assert_same_elsewhere(task, EnvConfig(), 3, 5)


@pytest.mark.slow
def test_craftax_pixels_equal_the_package():
    from craftax.craftax_env import make_craftax_env_from_name

    plain = make_craftax_env_from_name("Craftax-Classic-Pixels-v1", auto_reset=False)
    first, _ = jax.random.split(jax.random.PRNGKey(5))
    obs, _ = plain.reset_env(first, plain.default_params)
    env = make("craftax_classic_pixels", EnvConfig())
    shown = env.reset(5)["image"]
    np.testing.assert_array_equal(shown, np.rint(np.asarray(obs) * 255).astype(np.uint8))
    env.close()


@pytest.mark.slow
def test_many_copies_of_a_real_suite_in_one_call():
    with Vector(maker("gymnax_breakout_minatar", EnvConfig()), num=16, seed=1) as vector:
        rows = drive(vector, 60)
        assert rows[0].obs["image"].shape == (16, 10, 10, 4)
        assert sum(row.is_last.sum() for row in rows) > 16
        firsts = np.stack([row.is_first for row in rows[1:]])
        lasts = np.stack([row.is_last for row in rows[:-1]])
        np.testing.assert_array_equal(firsts, lasts)
