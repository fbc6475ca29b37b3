"""Acting beside an update, and the memory of small processes."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny_runs import tiny

from reverie.machine.allocator import NAME, TUNABLES
from reverie.records import Spec, Step
from reverie.train.collect import Actor, Episodes
from reverie.train.learner import Learner, purpose_key


def first_rows(envs: int) -> Step:
    flags = np.zeros(envs, bool)
    obs = {"x": np.zeros((envs, 4), np.float32)}
    return Step(obs, np.zeros(envs, np.float32), ~flags, flags, flags)


def test_acting_does_not_wait_for_an_update_in_flight(cache):
    """XLA's CPU client starts one program after the other for each thread; see `Actor`."""
    obs, actions = {"x": Spec("vector", (4,))}, {"a": Spec("discrete", (), (2,))}
    learner = Learner(obs, actions, tiny("probe_memory", Path("x")))
    actor, step = Actor(actions, 2, purpose_key(0, 1)), first_rows(2)
    long = jax.jit(lambda x: jax.lax.fori_loop(0, 400, lambda _, y: y @ y, x))
    x = jnp.eye(512)
    actor(learner.acting, step)
    long(x).block_until_ready()
    result = long(x)
    row = actor(learner.acting, step)
    assert row["action/a"].shape == (2,)
    assert not result.is_ready()
    result.block_until_ready()


def test_returns_and_lengths_by_hand():
    episodes = Episodes(2)

    def add(first, last, reward):
        row = first_rows(2)._replace(
            is_first=np.array(first), is_last=np.array(last), reward=np.array(reward, np.float32)
        )
        return episodes.add(row)

    assert add([True, True], [False, False], [0, 0]) == []
    assert add([False, False], [False, True], [1, 2]) == [{"return": 2.0, "length": 1}]
    assert add([False, True], [True, False], [1, 0]) == [{"return": 2.0, "length": 2}]
    assert add([True, False], [False, True], [0, 5]) == [{"return": 5.0, "length": 1}]
    assert add([True, True], [False, False], [0, 0]) == []  # abandoned: not an episode


def test_logs_are_the_largest_value_of_the_episode():
    episodes = Episodes(2)

    def add(first, last, success):
        log = {"success": np.array(success, np.float32), "position": np.zeros((2, 2), np.int32)}
        row = first_rows(2)._replace(is_first=np.array(first), is_last=np.array(last), log=log)
        return [numbers["log/success"] for numbers in episodes.add(row)]

    assert add([True, True], [False, False], [0, 7]) == []
    assert add([False, False], [False, True], [1, 0]) == [7.0]
    assert add([False, True], [True, False], [0, -1]) == [1.0]
    assert add([True, False], [False, True], [0, -2]) == [-1.0]


CODE = """
import os, sys
sys.argv = ["reverie", "train", "--help"]
from reverie.machine.allocator import restart_with_large_pages
restart_with_large_pages()
sys.stdout.write(f"{os.environ.get('GLIBC_TUNABLES')} {os.getpid()}")
"""


def told(**variables: str) -> tuple[str, bool]:
    """What a process and its children see of the variable, and whether it kept its number."""
    env = {k: v for k, v in os.environ.items() if k != NAME} | variables
    command = [sys.executable, "-c", CODE]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
    seen, pid = child.communicate()[0].split()
    return seen, int(pid) == child.pid


@pytest.mark.skipif(sys.platform != "linux", reason="large pages are Linux's")
def test_large_pages_are_for_the_main_process_alone():
    assert told() == ("None", True)
    assert told(**{NAME: "glibc.malloc.check=1"}) == ("glibc.malloc.check=1", True)
    assert set(TUNABLES) >= {"glibc.malloc.hugetlb", "glibc.malloc.trim_threshold"}
