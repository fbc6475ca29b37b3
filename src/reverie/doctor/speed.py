"""How fast an environment is."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from reverie.bench.env import loop_turn, speed, vector_turn
from reverie.envs.base import Env
from reverie.envs.vector import Vector


class Speed(NamedTuple):
    """Agent steps a second, and seconds of a reset."""

    alone: float  # in a plain loop of one process, resets included
    processes: float  # `num` environments in processes, together
    reset: float  # one reset, mean
    num: int  # environments of the measurement in processes


def measure(make: Callable[[], Env], *, num: int, seconds: float, **where: Any) -> Speed:
    """Times random actions for about `seconds` each way.

    `where`: `parallel`, `backend` and `workers`, as `Vector` takes them.
    """
    env = make()
    try:
        reset = _reset_seconds(env, seconds / 3)
        alone = speed(loop_turn(env), seconds)
    finally:
        env.close()
    with Vector(make, num=num, seed=0, restarts=0, **where) as vector:
        together = speed(vector_turn(vector), seconds)
    return Speed(alone, together, reset, num)


def _reset_seconds(env: Env, seconds: float) -> float:
    env.reset(0)
    count, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds or not count:
        count += 1
        env.reset(count)
    return (time.perf_counter() - begin) / count
