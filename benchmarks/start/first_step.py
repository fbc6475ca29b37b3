"""Wall seconds from the start of a Python process to the first step of its own environment.

    python benchmarks/start/first_step.py BEFORE [--rounds 4]

BEFORE is the folder of another tree. Both trees train a CartPole of the caller's (`make_env`) with
their default settings, by turns, each round in a process and a run folder of its own that is killed
at its first step. Compiled programs of a tree are kept from its second round on: the first round
tells a first start, the medians are over the others.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import gymnasium

NOW = Path(__file__).parents[2]
STEPPED = "FIRST_STEP"
"""The variable that names the file which the first step leaves."""


class Noted(gymnasium.Wrapper):
    """Notes the moment of the first step of any of its environments."""

    def step(self, action):
        path = Path(os.environ[STEPPED])
        if not path.exists():
            path.write_text(str(time.time()))
        return super().step(action)


def make_env() -> gymnasium.Env:
    """The caller's environment."""
    return Noted(gymnasium.make("CartPole-v1"))


def seconds(tree: Path, folder: Path, cache: Path) -> float:
    """Of one start."""
    stepped, code = folder / "stepped", "import first_step; first_step.train()"
    more = {"PYTHONPATH": f"{tree / 'src'}:{Path(__file__).parent}", STEPPED: str(stepped)}
    more["JAX_COMPILATION_CACHE_DIR"] = str(cache)
    begin = time.time()
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=folder,
        env=os.environ | more,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not stepped.exists() or not stepped.read_text():
        assert process.poll() is None, "the run ended before its first step"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return float(stepped.read_text()) - begin


def train() -> None:
    """What the process of a round does."""
    import reverie

    reverie.train(make_env, logdir="run", steps=4_000)


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("--rounds", type=int, default=4)
    asked = parser.parse_args()
    trees = {"before": asked.before.resolve(), "now": NOW}
    found: dict[str, list[float]] = {name: [] for name in trees}
    with tempfile.TemporaryDirectory() as home:
        for turn in range(asked.rounds):
            for name, tree in trees.items():
                folder = Path(home) / f"{name}-{turn}"
                folder.mkdir()
                found[name].append(seconds(tree, folder, Path(home) / f"cache-{name}"))
    for name, (first, *others) in found.items():
        sys.stdout.write(f"{name}: {first:.2f} s at first, then {statistics.median(others):.2f}\n")


if __name__ == "__main__":
    main()
