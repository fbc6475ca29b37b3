"""Kills the process of a sweep of real runs at five random moments; `reverie sweep resume` ends it
with the numbers of runs by hand."""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import real

from reverie.sweeps import file
from reverie.sweeps.plan import Plan

KILLS = 5
MOMENTS = {"local": (1.0, 8.0), "ray": (8.0, 25.0)}
"""Seconds between which a process of the sweep is killed; its imports take some two of them, and a
cluster of its own some six more."""


def words(folder: Path, asked: Plan, backend: str) -> list[str]:
    """The command that goes on with the sweep; the one that begins it where none is there."""
    if file.exists(folder):
        return [*real.REVERIE, "sweep", "resume", str(folder)]
    seeds = map(str, asked.seeds)
    given = [f"--backend={backend}", "--jobs=2", f"--logdir={folder}", "--seeds", *seeds]
    return [*real.REVERIE, "sweep", *asked.tasks, *asked.options, *given]


def killed(folder: Path, asked: Plan, backend: str, after: float) -> str:
    """Start the sweep, or go on with it, and kill its process; what its trials were doing then."""
    with (folder.parent / "said.log").open("ab") as log:
        process = subprocess.Popen(words(folder, asked, backend), stdout=log, stderr=log)
        time.sleep(after)
        assert process.poll() is None, "the sweep ended before it could be killed: more --steps"
        process.kill()
        process.wait()
    if not file.exists(folder):
        return "not begun"
    found = file.read(folder)
    states = ("finished", "running", "stopped", "waiting")
    return ", ".join(f"{found.count(state)} {state}" for state in states if found.count(state))


def main() -> None:
    """Runs by hand, the same as a sweep that is killed, and the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=("local", "ray"), default="local")
    parser.add_argument("--trials", type=int, default=4)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    asked, draws = real.plan(given.trials, given.steps), random.Random(given.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "sweep")
        for number in range(1, KILLS + 1):
            after = draws.uniform(*MOMENTS[given.backend])
            states = killed(folder, asked, given.backend, after)
            sys.stdout.write(f"kill {number} after {after:.1f} s: {states}\n")
            sys.stdout.flush()
        with Path(name, "said.log").open("ab") as log:
            subprocess.run(words(folder, asked, given.backend), check=True, stdout=log, stderr=log)
        found = file.read(folder)
        assert found.count("finished") == given.trials
        real.by_hand(Path(name, "hand"), asked)
        real.check_same(folder, Path(name, "hand"), asked)
        tries = [record.tries for record in found.trials.values()]
    sys.stdout.write(
        f"{given.backend}: {KILLS} kills, {given.trials} of {given.trials} trials finished with "
        f"the numbers of runs by hand; tries {tries}\n"
    )


if __name__ == "__main__":
    main()
