"""One update of each of N seeds: all in one program, each apart, or one after another, by turns.

python benchmarks/update/seeds.py [SIZE] [SEEDS] [REPEATS] [TASK] [KEY=VALUE ...]

TASK (`gym:CartPole-v1`) with its quick settings at SIZE, float32, on the CPU; rows are noise, seeds
0 to SEEDS - 1. A group computes its seeds `together` where updates are tiny and `apart` elsewhere
(`reverie.train.group.apart`): the program of one seed for each, begun from a thread of its own.
Prints CPU and wall seconds (medians) of all ways, their ratios to `alone`, one after another, and
what compiling took.
"""

import functools as ft
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from reverie.bench.timing import Contender, by_turns, median
from reverie.config.presets import resolve
from reverie.config.schema import Config
from reverie.train import sequence
from reverie.train.compiling import Compiled, compiled_beside
from reverie.train.group.stack import stacked
from reverie.train.learner import LEARN, Learner, packed_step, purpose_key
from reverie.train.setup import complete, make_replay, training_envs
from reverie.train.state import init

OPTIONS = {"device.kind": "cpu", "device.precision": "f32", "env.parallel": False}


class Updates:
    """Calls of one program, each from the state that the one before it left."""

    def __init__(self, program: Any, state: Any, rest: tuple):
        self._program, self.state, self._rest = program, state, rest

    def start(self) -> None:
        self.state = self._program(self.state, *self._rest)[0]


def compiled(step: Any, arguments: tuple) -> Compiled:
    """The program of `step`, whose first argument is donated, as the learner's is."""
    _, future = compiled_beside(jax.jit(step, donate_argnums=0), arguments, lambda program: None)
    return future.result()


def noise(columns: Any, lead: tuple[int, ...]) -> dict[str, np.ndarray]:
    """A batch (*lead, …) of every column."""
    rng = np.random.default_rng(0)
    shapes = {name: (*lead, *column.shape) for name, column in columns.items()}
    return {
        name: rng.integers(0, 2, shapes[name]).astype(column.dtype)
        if np.dtype(column.dtype).kind in "iub"
        else rng.random(shapes[name]).astype(column.dtype)
        for name, column in columns.items()
    }


def setting(task: str, size: str, changes: Sequence[str]) -> tuple[Config, Any, Any]:
    """Configuration, environments and replay."""
    edits = OPTIONS | dict(change.split("=", 1) for change in changes)
    config = resolve(task, size=size, overrides=edits)
    with TemporaryDirectory() as folder:
        envs = training_envs(config, None, Path(folder), sequence.visits(config)[0])
        config = complete(config, envs)
        return config, envs, make_replay(config, envs)


def apart(updates: Sequence[Updates]) -> Contender:
    """An update of each, begun from threads of their own."""
    threads = [ThreadPoolExecutor(1) for _ in updates]

    def start() -> None:
        begun = [t.submit(one.start) for t, one in zip(threads, updates, strict=True)]
        for future in begun:
            future.result()

    return Contender(start, lambda: jax.block_until_ready([one.state for one in updates]))


def alone(updates: Sequence[Updates]) -> Contender:
    """An update of each, one after another."""
    return Contender(
        lambda: [one.start() for one in updates],
        lambda: jax.block_until_ready([one.state for one in updates]),
    )


def main(
    size: str = "debug",
    seeds: str = "8",
    repeats: str = "4",
    task: str = "gym:CartPole-v1",
    *changes: str,
) -> None:
    jax.config.update("jax_enable_compilation_cache", False)
    count = int(seeds)
    config, envs, replay = setting(task, size, changes)
    numbers = Learner(envs.obs_specs, envs.action_specs, config).numbers
    make = jax.jit(ft.partial(init, envs.obs_specs, envs.action_specs, config))
    states = [[make(jax.random.key(seed)) for seed in range(count)] for _ in range(2)]
    roots = [purpose_key(seed, LEARN) for seed in range(count)]
    rows = noise(replay.columns, (count, config.train.batch, replay.length))
    step = ft.partial(packed_step, config=config)
    every = jax.vmap(step, (0, 0, 0, None))
    everything = (stacked(states[0]), rows, jnp.stack(roots), numbers)
    rest = [({n: column[i] for n, column in rows.items()}, roots[i], numbers) for i in range(count)]
    whole, one = compiled(every, everything), compiled(step, (states[0][0], *rest[0]))
    at_once = Updates(whole.program, everything[0], everything[1:])
    each = [
        [Updates(one.program, *given) for given in zip(own, rest, strict=True)] for own in states
    ]
    ways = {
        "together": Contender(at_once.start, lambda: jax.block_until_ready(at_once.state)),
        "apart": apart(each[0]),
        "alone": alone(each[1]),
    }
    samples = by_turns(ways, int(repeats))
    cpu = {name: median(s.cpu for s in found) for name, found in samples.items()}
    wall = {name: median(s.wall for s in found) for name, found in samples.items()}
    lines = [
        f"{name}: {cpu[name]:.4f} CPU s, {wall[name]:.4f} s; "
        f"ratio {cpu[name] / cpu['alone']:.2f} CPU, {wall[name] / wall['alone']:.2f} wall"
        for name in ways
    ]
    seconds = f"compiled together in {whole.seconds:.0f} s, one in {one.seconds:.0f} s"
    sys.stdout.write("\n".join([*lines, seconds]) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
