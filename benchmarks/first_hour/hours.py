"""Predicted hours of learning with the quick and with the published settings of tasks, as a table.

    python hours.py gym:CartPole-v1 minigrid_doorkey_5x5

What `reverie train TASK` says in its plan: the arithmetic of an update, counted, by the speed of a
large matrix product on the cores that this process may use, measured.
"""

import os
import sys
import tempfile
from pathlib import Path

import jax

from reverie.config.presets import resolve
from reverie.machine.flops import best_speed
from reverie.train.alternative import Cost, cost
from reverie.train.losses import compute_dtype
from reverie.train.plan import duration
from reverie.train.sequence import visits
from reverie.train.setup import complete, training_envs

PRESETS = ("quick", "published")


def predicted(task: str, preset: str) -> Cost:
    """The cost of a whole run of `task` under `preset`."""
    config = resolve(task, preset=preset, overrides={"env.num": 1, "env.parallel": False})
    with tempfile.TemporaryDirectory() as folder:
        envs = training_envs(config, None, Path(folder), visits(config)[0])
    try:
        return cost(complete(config, envs), envs.obs_specs, envs.action_specs)
    finally:
        envs.close()


def line(task: str) -> str:
    """The row of a task: of each preset its steps, size and time."""
    costs = [predicted(task, preset) for preset in PRESETS]
    cells = [f"{c.steps:,} steps, {c.size}: {duration(c.seconds)}" for c in costs]
    return " | ".join(["", f"`{task}`", *cells, ""]).strip()


def main(tasks: list[str]) -> None:
    config = resolve("gym:CartPole-v1", overrides={"device.precision": "f32"})
    speed = best_speed(compute_dtype(config.device.precision)) / 1e9
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    head = f"{cores} core(s), {jax.default_backend()}, {speed:.0f} GFLOP/s, load {load:.1f}"
    sys.stdout.write(f"{head}\n\n| task | {' | '.join(PRESETS)} |\n|---|---|---|\n")
    for task in tasks:
        sys.stdout.write(f"{line(task)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
