"""Environment processes that are stopped, or killed while they are made."""

import functools as ft
import os
import signal
from pathlib import Path

import gymnasium
import numpy as np
from back_ends import on_back_ends, signal_seat
from gymnasium import spaces
from unruly_envs import is_running, wait_until

from reverie.envs.make import maker
from reverie.envs.options import EnvConfig
from reverie.envs.vector import Vector


class Mortal(gymnasium.Env):
    """Counts its steps. Its process is killed in the middle of the `fatal`-th making; `log` has a
    letter for every making."""

    def __init__(self, log: str = "", fatal: int = 0):
        self.observation_space = spaces.Box(0, np.inf, (1,), np.float32)
        self.action_space = spaces.Discrete(2)
        if log:
            with Path(log).open("a") as file:
                file.write("x")
            if Path(log).stat().st_size == fatal:
                os.kill(os.getpid(), signal.SIGKILL)

    def reset(self, *, seed=None, options=None):
        self.count = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.count += 1
        return np.array([self.count], np.float32), 1.0, False, False, {}


def steps(vector: Vector, num: int) -> list[list[float]]:
    """What `num` steps of all environments show."""
    shown = []
    for _ in range(num):
        vector.send({"action": np.zeros(vector.num, np.int32)})
        shown.append(next(iter(vector.recv().obs.values()))[:, 0].tolist())
    return shown


def open_vector(make, **options) -> Vector:
    return Vector(maker(make, EnvConfig()), seed=0, parallel=True, **options)


def test_a_stopped_process_is_ended_and_replaced(back_end):
    """SIGSTOP, as a debugger or a batch system sends it: no answer, and no end either."""
    with open_vector(Mortal, num=2, timeout=3.0) as vector:
        steps(vector, 3)
        seat = vector._crew._seats[1]
        victim = signal_seat(vector, 1, signal.SIGSTOP)
        assert steps(vector, 1) == [[3, 0]]
        assert vector.restarted == 1
        assert wait_until(lambda: not is_running(victim))
        assert back_end == "ray" or seat.process.returncode == -signal.SIGKILL
        assert steps(vector, 2)[-1] == [5, 2]


@on_back_ends
def test_a_process_that_is_killed_while_it_is_made_again(tmp_path):
    """Both count against env.restarts, and the third try goes on."""
    make = ft.partial(Mortal, str(tmp_path / "log"), 2)
    with open_vector(make, num=1) as vector:
        steps(vector, 3)
        signal_seat(vector, 0)
        assert steps(vector, 3) == [[0], [1], [2]]
        assert vector.restarted == 2
    assert (tmp_path / "log").read_text() == "xxx"
