"""One update of each of N seeds: all in one program, or one after another, by turns.

python benchmarks/update/seeds.py [SIZE] [SEEDS] [REPEATS]

`gym:CartPole-v1` with its quick settings at SIZE, float32, on the CPU; rows are noise, seeds 0 to
SEEDS - 1. Prints CPU and wall seconds (medians) of both ways, their ratio, and what compiling took.
"""

import functools as ft
import sys
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


def task(size: str) -> tuple[Config, Any, Any]:
    """Configuration, environments and replay."""
    config = resolve("gym:CartPole-v1", size=size, overrides=OPTIONS)
    with TemporaryDirectory() as folder:
        envs = training_envs(config, None, Path(folder), sequence.visits(config)[0])
        config = complete(config, envs)
        return config, envs, make_replay(config, envs)


def main(size: str = "debug", seeds: str = "8", repeats: str = "4") -> None:
    jax.config.update("jax_enable_compilation_cache", False)
    count = int(seeds)
    config, envs, replay = task(size)
    numbers = Learner(envs.obs_specs, envs.action_specs, config).numbers
    make = jax.jit(ft.partial(init, envs.obs_specs, envs.action_specs, config))
    states = [make(jax.random.key(seed)) for seed in range(count)]
    roots = [purpose_key(seed, LEARN) for seed in range(count)]
    rows = noise(replay.columns, (count, config.train.batch, replay.length))
    step = ft.partial(packed_step, config=config)
    every = jax.vmap(step, (0, 0, 0, None))
    everything = (stacked(states), rows, jnp.stack(roots), numbers)
    one = [
        (states[i], {name: column[i] for name, column in rows.items()}, roots[i], numbers)
        for i in range(count)
    ]
    programs = {"together": compiled(every, everything), "alone": compiled(step, one[0])}
    together = Updates(programs["together"].program, everything[0], everything[1:])
    alone = [Updates(programs["alone"].program, given[0], given[1:]) for given in one]
    ways = {
        "together": Contender(together.start, lambda: jax.block_until_ready(together.state)),
        "alone": Contender(
            lambda: [update.start() for update in alone],
            lambda: jax.block_until_ready([update.state for update in alone]),
        ),
    }
    samples = by_turns(ways, int(repeats))
    cpu = {name: median(s.cpu for s in found) for name, found in samples.items()}
    wall = {name: median(s.wall for s in found) for name, found in samples.items()}
    lines = [
        *(f"{name}: {cpu[name]:.4f} CPU s, {wall[name]:.4f} s" for name in ways),
        f"ratio: {cpu['together'] / cpu['alone']:.2f} CPU, "
        f"{wall['together'] / wall['alone']:.2f} wall",
        *(f"compiled {name} in {found.seconds:.0f} s" for name, found in programs.items()),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
