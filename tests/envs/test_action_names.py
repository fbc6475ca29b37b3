"""Names of classes are those of the simulators."""

import pytest

from reverie.envs.action_names import ATARI, BY_ID, CRAFTER, MINIGRID, names_of


def test_names_of_tasks():
    assert names_of("minigrid_empty_8x8", 7) == MINIGRID
    assert names_of("gym:MiniGrid-Empty-5x5-v0", 7) == MINIGRID
    assert names_of("gym:my_package:CartPole-v1", 2) == ("push left", "push right")
    assert names_of("atari_pong", 18) == ATARI
    assert names_of("atari100k_pong", 6) == ()  # the needed ones differ from game to game
    assert names_of("minigrid_empty_8x8", 3) == ()
    assert names_of("custom:mine", 2) == ()


def test_names_are_those_of_the_simulators():
    actions = pytest.importorskip("minigrid.core.actions").Actions
    words = {"left": "turn left", "right": "turn right", "pickup": "pick up"}
    assert [words.get(a.name, a.name) for a in actions] == list(MINIGRID)


def test_crafter_and_atari_say_the_same():
    constants = pytest.importorskip("crafter.constants")
    named = [name.replace("_", " ").replace("noop", "no-op") for name in constants.actions]
    assert named == list(CRAFTER)
    meant = [m.name for m in pytest.importorskip("ale_py").Action][:18]
    assert [name.replace("-", "").replace(" ", "").upper() for name in ATARI] == meant


@pytest.mark.parametrize("id", ["CartPole-v1", "MountainCar-v0", "Acrobot-v1", "FrozenLake-v1"])
def test_gymnasium_has_so_many(id):
    import gymnasium

    with gymnasium.make(id) as env:
        assert env.action_space.n == len(BY_ID[id.rpartition("-v")[0]])
