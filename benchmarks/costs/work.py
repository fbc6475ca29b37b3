"""One side of a comparison: does pieces of work when it is asked to, and says how long they took.

    PYTHONPATH=TREE/src python work.py row TASK | share TASK | checkpoint MEGABYTES
    PYTHONPATH=TREE/src python work.py update SIZE-OBS

Each line of input is a number of pieces, each line of output the seconds that they took. `row`: a
step of four environments in this process by `Vector`. `share`: the same, but the simulator answers
every step with one and the same result. `checkpoint`: a tree of float32 arrays, saved and pruned.
`update`: one of the learner in float32, `1m-vector` or `12m-image`, in CPU seconds.
"""

import inspect
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax  # noqa: F401 a run has it loaded, and a simulator is slower for it
import numpy as np

ENVIRONMENTS = 4
ACTIONS = 256


def row(task: str) -> Callable[[], None]:
    """A step of all environments."""
    return stepping(vector_of(task))


def share(task: str) -> Callable[[], None]:
    """The same without the simulator's part."""
    vector = vector_of(task)
    turn = stepping(vector)
    turn()
    for seat in vector._crew._seats:
        seat._env._env = Constant(seat._env._env)
    turn()
    return turn


def vector_of(task: str) -> Any:
    from reverie.config.presets import resolve
    from reverie.envs.make import maker
    from reverie.envs.vector import Vector

    settings = {"num": ENVIRONMENTS, "seed": 0, "restarts": 0, "timeout": 60.0, "parallel": False}
    return Vector(maker(task, resolve(task).env), **settings)


def stepping(vector: Any) -> Callable[[], None]:
    rng, count = np.random.default_rng(0), 0
    actions = [
        {
            key: rng.integers(
                0, np.reshape(spec.classes, spec.shape), (ENVIRONMENTS, *spec.shape), np.int32
            )
            if spec.kind == "discrete"
            else rng.uniform(-1, 1, (ENVIRONMENTS, *spec.shape)).astype(np.float32)
            for key, spec in vector.action_specs.items()
        }
        for _ in range(ACTIONS)
    ]

    def turn() -> None:
        nonlocal count
        count += 1
        vector.send(actions[count % ACTIONS])
        vector.recv()

    return turn


class Constant:
    """An environment whose every step ends as the first did."""

    def __init__(self, env: Any):
        self._env, self._answer = env, None

    def step(self, action: Any) -> Any:
        if self._answer is None:
            observation, reward, _, _, info = self._env.step(action)
            self._answer = observation, reward, False, False, info
        return self._answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)


def checkpoint(megabytes: str) -> Callable[[], None]:
    """A checkpoint of so many arrays of 1 MiB; two are kept."""
    from reverie.train import checkpoint as station

    rng = np.random.default_rng(0)
    state = {f"t{i}": rng.standard_normal((256, 1024), np.float32) for i in range(int(megabytes))}
    tree = {"learner": {"state": state}, "envs": {"envs": []}, "replay": {}, "clocks": {"step": 1}}
    home, count = tempfile.TemporaryDirectory(), 0
    folder = Path(home.name, "checkpoints")
    beside = [{}] if len(inspect.signature(station.save).parameters) > 3 else []

    def save() -> None:
        nonlocal count
        count += 1
        assert home  # the folder goes with the process
        station.save(folder, count, tree, *beside)
        station.prune(folder, 2)

    return save


def update(case: str) -> Callable[[], None]:
    """A learning update on rows of chance."""
    from reverie.bench.case import cases
    from reverie.bench.update import prepare

    size, _, obs = case.partition("-")
    start, wait = prepare(cases([size], [obs], ["f32"], {})[0]).contender

    def turn() -> None:
        start()
        wait()

    return turn


def main(kind: str, what: str) -> None:
    """Serve until the input ends."""
    kinds = {"row": row, "share": share, "checkpoint": checkpoint, "update": update}
    clock = time.process_time if kind == "update" else time.perf_counter
    work = kinds[kind](what)
    work()
    for line in sys.stdin:
        begin = clock()
        for _ in range(int(line)):
            work()
        print(clock() - begin, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
