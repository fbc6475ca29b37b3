"""What a sweep adds to its trials: commands that do nothing, bare and as trials of a sweep."""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sweep_parts import HERE, begin, plan

from reverie.sweeps import file
from reverie.sweeps.plan import Plan


def bare(folder: Path, asked: Plan) -> None:
    """The commands of all trials, one after another."""
    folder.mkdir()
    for trial in asked.trials():
        words = [sys.executable, str(HERE / "fake_train.py"), *file.command(folder, trial)]
        subprocess.run(words, check=True)


def spent(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of wall time, and of CPU time in this process and those that it has waited for."""
    began, used = time.perf_counter(), cpu()
    work()
    return time.perf_counter() - began, cpu() - used


def cpu() -> float:
    """Seconds of CPU time until now."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(found.ru_utime + found.ru_stime for found in map(resource.getrusage, kinds))


def main() -> None:
    """The two take turns, so that both meet the same machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trials", type=int)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    asked = plan("a", seeds=given.trials, steps=1)  # seeds 0, 1, ...
    for _ in range(given.rounds):
        with tempfile.TemporaryDirectory() as name:
            alone, alone_cpu = spent(partial(bare, Path(name, "bare"), asked))
            swept, swept_cpu = spent(partial(begin, Path(name, "sweep"), asked, jobs=given.jobs))
        wall = (swept - alone) / given.trials
        used = (swept_cpu - alone_cpu) / given.trials
        sys.stdout.write(
            f"{given.trials} trials, {given.jobs} at a time: {swept:.1f} s as a sweep, "
            f"{alone:.1f} s bare; a trial {wall:+.2f} s, {used:+.2f} s of CPU\n"
        )


if __name__ == "__main__":
    main()
