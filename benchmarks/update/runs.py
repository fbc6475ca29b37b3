"""Whole runs of N seeds: one command for all, beside one command after another, by turns.

python benchmarks/update/runs.py [SIZE] [STEPS] [SEEDS] [TURNS] [TASK [--OPTION VALUE …]]

`reverie train TASK` (gym:CartPole-v1) with its quick settings at SIZE, without evaluations; from
the start of Python to the report, with programs that were compiled before. Prints wall seconds of
every turn and the ratio of the medians.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory


def seconds(folder: Path, options: Sequence[str], size: str, steps: str) -> float:
    """Wall time of one command; `options` begin with the task."""
    words = ["train", *options, "--size", size, "--steps", steps]
    words += ["--train.eval_episodes", "0", "--log.progress", "none"]
    with TemporaryDirectory(dir=folder) as logdir:
        words += ["--logdir", f"{logdir}/run", "--device.cache", str(folder / "cache")]
        begun = time.perf_counter()
        command = [sys.executable, "-m", "reverie", *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - begun


def main(size="tiny", steps="600", seeds="8", turns="2", *task: str) -> None:
    numbers, task = [str(seed) for seed in range(int(seeds))], task or ("gym:CartPole-v1",)
    at_once, alone = [*task, "--seeds", *numbers], [[*task, "--seed", n] for n in numbers]
    ways = {"at once": [at_once], "one by one": alone}
    found: dict[str, list[float]] = {name: [] for name in ways}
    with TemporaryDirectory() as folder:
        for options in (at_once, alone[0]):  # compiles
            seconds(Path(folder), options, size, steps)
        for _ in range(int(turns)):
            for name, commands in ways.items():
                took = [seconds(Path(folder), options, size, steps) for options in commands]
                found[name].append(sum(took))
                told = " ".join(f"{part:.1f}" for part in took)
                sys.stdout.write(f"{name}: {sum(took):.1f} s ({told})\n")
    first, second = map(statistics.median, found.values())
    sys.stdout.write(f"{size}, {steps} steps: {first:.1f} : {second:.1f} s, {first / second:.2f}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
