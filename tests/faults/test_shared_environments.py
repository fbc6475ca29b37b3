"""One environment in two places is refused; every environment can be told from the others."""

import functools as ft
import os
import threading

import gymnasium
import pytest
from unruly_envs import Unruly

from reverie.doctor.visit import examine
from reverie.envs.base import EnvError
from reverie.envs.make import make, maker
from reverie.envs.options import EnvConfig
from reverie.envs.vector import Vector


class Held(Unruly):
    """Cannot be pickled, so that it stays in this process."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.lock = threading.Lock()


class Around(Unruly):
    """Plays another environment that it holds, without being a wrapper of Gymnasium's."""

    def __init__(self, simulator):
        super().__init__()
        self.simulator = simulator


class Box:
    """Hands out what it made once."""

    def __init__(self):
        self.env = Held()

    def make_env(self):
        return self.env


def shared_ways():
    env = Held()
    return {
        "same object": lambda: env,
        "one wrapper": ft.partial(gymnasium.wrappers.TimeLimit, env, 5),
        "two wrappers": lambda: gymnasium.wrappers.RecordEpisodeStatistics(
            gymnasium.wrappers.TimeLimit(env, 5)
        ),
        "own wrapper": lambda: Around(env),
        "method": Box().make_env,
    }


@pytest.mark.parametrize("way", shared_ways())
def test_two_seats_or_two_purposes_cannot_share(way):
    make_one = maker(shared_ways()[way], EnvConfig())
    with pytest.raises(EnvError, match="Environment 1 was given the same environment as Environm"):
        Vector(make_one, num=2, seed=0)
    with Vector(make_one, num=1, seed=0, parallel=False) as vector:
        assert vector.here
        with pytest.raises(EnvError, match=r"Evaluation environment 0 was given the same.*lambda:"):
            Vector(make_one, num=1, seed=0, stream="eval", parallel=False)
    with Vector(make_one, num=1, seed=0, parallel=False):
        pass  # one after the other is fine


def test_a_process_with_several_seats_sees_it_too():
    code = "import unruly_envs\nenv = unruly_envs.Unruly()\ndef make_env():\n    return env\n"
    scope: dict = {"__name__": "one_of_a_kind"}
    exec(code, scope)
    make_one = maker(scope["make_env"], EnvConfig())
    with Vector(make_one, num=2, seed=0) as vector:  # each process has its own
        assert not vector.here


SINGLE: list = []


def the_only_one():
    """A module's function that keeps what it made."""
    if not SINGLE:
        SINGLE.append(Unruly())
    return SINGLE[0]


def test_a_module_that_keeps_its_environment():
    make_one = maker(the_only_one, EnvConfig())
    with Vector(make_one, num=2, seed=0):
        pass
    with pytest.raises(EnvError, match="same environment"):
        Vector(make_one, num=2, seed=0, workers=1)


def test_different_environments_are_no_matter():
    for make_env in (Held, lambda: gymnasium.wrappers.TimeLimit(Held(), 5), lambda: Around(Held())):
        with Vector(maker(make_env, EnvConfig()), num=3, seed=0, parallel=False):
            pass


def test_the_doctor_notices():
    env = Held()
    said = [f.text for f in examine(lambda: env, seconds=0, steps=20).findings]
    assert any("a second call gave the same environment" in text for text in said)


class Numbered(Unruly):
    """A class whose own `index` has a default: it means something else."""

    def __init__(self, index=7, **kwargs):
        super().__init__(**kwargs)
        self.number = index


class Asking(Unruly):
    def __init__(self, index):
        super().__init__()
        self.number = index


def by_function(index=0):
    return Asking(index)


def by_keyword(*, env_index):
    return Asking(env_index)


def by_any(**kwargs):
    assert not kwargs
    return Asking(int(os.environ["REVERIE_ENV_INDEX"]))


def numbers_of(make_env, **edits):
    config = EnvConfig(**edits)
    found = []

    def noted():
        found.append(make(make_env, config))
        return found[-1]

    with Vector(noted, num=3, seed=0, parallel=False, first_index=4):
        return [env.inner.unwrapped.number for env in found]


@pytest.mark.parametrize("make_env", [Asking, by_function, by_keyword, by_any])
def test_a_function_may_ask_for_its_number(make_env):
    assert numbers_of(make_env) == [4, 5, 6]


def test_what_the_user_gives_comes_first():
    assert numbers_of(Numbered) == [7, 7, 7]
    assert numbers_of(ft.partial(Numbered, index=2)) == [2, 2, 2]
    assert numbers_of(ft.partial(by_function, index=3)) == [3, 3, 3]
    assert numbers_of(ft.partial(by_function)) == [4, 5, 6]
    assert numbers_of(by_function, kwargs='{"index": 9}') == [9, 9, 9]
    assert numbers_of(Asking, kwargs='{"index": 9}') == [9, 9, 9]
    assert "REVERIE_ENV_INDEX" not in os.environ
