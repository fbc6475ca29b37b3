"""Rows a second into replay from environments in local processes and in actors of Ray.

CartPole for what a message costs, and an environment that sleeps 10 ms a step for how actors scale.
Both back ends share the environments out alike and take turns, so that both meet the same machine.
"""

import argparse
import contextlib
import functools as ft
import json
import sys
import time
from pathlib import Path
from typing import Any

import gymnasium

from reverie.bench.env import Turn, replay_for, speeds, vector_turn
from reverie.bench.timing import median, spread
from reverie.config.presets import resolve
from reverie.envs.make import maker
from reverie.envs.vector import Vector

TASK = "gym:CartPole-v1"
NUMS = (1, 2, 4, 8, 16, 32, 64)
EACH = 16
SLOW = 0.01
"""Seconds of a step of the slow simulator."""
ACTORS = (1, 2, 4, 8)
SLOW_NUM = 8


class Slow(gymnasium.Wrapper):
    """An environment whose step takes SLOW seconds."""

    def step(self, action: Any) -> Any:
        """The step, after a sleep."""
        time.sleep(SLOW)
        return self.env.step(action)


def make_slow() -> gymnasium.Env:
    """CartPole that sleeps."""
    return Slow(gymnasium.make("CartPole-v1"))


def turn_of(stack: contextlib.ExitStack, make_one: Any, **where: Any) -> Turn:
    """Rows of all environments into replay."""
    vector = stack.enter_context(Vector(make_one, seed=0, timeout=120.0, **where))
    return vector_turn(vector, replay_for(vector, resolve(TASK)))


def measure(make_one: Any, seconds: float, repeats: int, **where: Any) -> dict[str, Any]:
    """Rows a second of both back ends, and of their ratio the median and the spread."""
    with contextlib.ExitStack() as stack:
        turns = {
            backend: turn_of(stack, make_one, backend=backend, **where)
            for backend in ("local", "ray")
        }
        found = speeds(turns, seconds, repeats)
    ratios = [far / here for here, far in zip(found["local"], found["ray"], strict=True)]
    medians = {backend: round(median(values), 1) for backend, values in found.items()}
    return where | medians | {"ratio": round(median(ratios), 3), "spread": round(spread(ratios), 3)}


def main() -> None:
    """All cases, one line of JSON each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    run = ft.partial(measure, seconds=given.seconds, repeats=given.repeats)
    fast = maker(TASK, resolve(TASK).env)
    slow = maker(make_slow, resolve(TASK).env)
    cases = [(fast, num, -(-num // EACH)) for num in NUMS]
    cases += [(slow, SLOW_NUM, workers) for workers in ACTORS]
    with given.out.open("w") as file:
        for make_one, num, workers in cases:
            line = {"slow": make_one is slow} | run(make_one, num=num, workers=workers)
            file.write(json.dumps(line) + "\n")
            file.flush()
            sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
