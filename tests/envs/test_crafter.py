"""Crafter against the package itself."""

import numpy as np
import pytest
from real_suites import assert_reproducible, ends, episode
from toy_envs import assert_rows_equal, play

from reverie.envs.crafter import Chunks
from reverie.envs.make import make
from reverie.envs.options import EnvConfig

crafter = pytest.importorskip("crafter", reason="needs the extra crafter")

SMALL = '{"area": [32, 32]}'  # a world that is made in a quarter of the time


def test_the_first_picture_and_rewards_equal_the_packages():
    """Before creatures are spawned or removed (every tenth step) nothing depends on the order."""
    env = make("crafter_reward", EnvConfig())
    plain = crafter.Env(seed=7)
    shown, want = env.reset(7), plain.reset()
    # The package counts episodes from 1 and mixes the count into the seed, as we do.
    for action in (0, 1, 2, 3, 4, 5, 1, 1):
        np.testing.assert_array_equal(shown["image"], want)
        shown, reward, _, _ = env.step({"action": np.int32(action)})
        want, expected, _, _ = plain.step(action)
        assert reward == pytest.approx(expected)
    env.close()


def test_the_order_of_creatures_is_that_of_their_birth():
    chunks = Chunks()
    chunks["here"].add("b")
    chunks["here"].add("a")
    chunks["here"].add("c")
    chunks["here"].remove("a")
    chunks["here"].add("a")
    assert list(chunks["here"]) == ["b", "c", "a"]
    assert (len(chunks["here"]), len(chunks["there"])) == (3, 0)
    env = make("crafter_reward", EnvConfig())._env
    env.reset(seed=1)
    objects = env._env._world.objects
    found = [obj for objs in env._env._world.chunks.values() for obj in objs]
    assert len(objects) > 10
    assert sorted(map(id, found)) == sorted(map(id, objects))


def test_episodes_follow_from_their_seed_in_every_process():
    """The package alone fails this: it keeps creatures in sets ordered by memory address."""
    assert_reproducible([("crafter_reward", 120, {})])


def test_death_is_terminal_and_the_length_limit_is_not():
    cut = episode("crafter_reward", 20, kwargs='{"length": 12, "area": [32, 32]}')
    assert len(cut) == 13
    assert ends(cut) == (False, True)
    env = make("crafter_reward", EnvConfig(kwargs=SMALL))
    env.reset(0)
    env._env._env._player.health = 0
    assert env.step({"action": np.int32(0)})[2:] == (True, True)


def test_noreward_pays_nothing():
    assert {row[1] for row in episode("crafter_noreward", 60, kwargs=SMALL)} == {0.0}
    assert len({row[1] for row in episode("crafter_reward", 120, kwargs=SMALL)}) > 1


def test_drawing_for_people_changes_no_episode():
    env = make("crafter_reward", EnvConfig(kwargs=SMALL))
    rows = play(env, 3, 12)
    env.reset(3)
    env._env._env._world.daylight = 0.1  # noise is drawn at night
    before = env._env._env._world.random.get_state()[1].copy()
    assert env.render().shape == (450, 450, 3)
    np.testing.assert_array_equal(before, env._env._env._world.random.get_state()[1])
    assert_rows_equal(rows, play(env, 3, 12))


def test_the_agent_sees_the_picture_alone():
    env = make("crafter_reward", EnvConfig(size=48))
    assert {key: spec.shape for key, spec in env.obs_specs.items()} == {"image": (48, 48, 3)}
    assert env.action_specs["action"].classes == (17,)
