"""What a sweep adds to its trials: the same commands bare and as trials, so many at once in both.

The commands do nothing, or (`--real`) are runs of size debug, whose numbers are compared.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import real
from sweep_parts import HERE, RUNNER, local, plan

from reverie.api.sweep_runs import backend_of
from reverie.sweeps import control
from reverie.sweeps.backend import AbstractBackend
from reverie.sweeps.file import How, Sweep
from reverie.sweeps.plan import Plan

FAKE = (sys.executable, str(HERE / "fake_train.py"))


def fake_backend(sweep: Sweep) -> AbstractBackend:
    """Where commands that do nothing run."""
    if sweep.how.backend == "local":
        return local(sweep)
    from reverie.sweeps.ray import Ray

    return Ray(sweep.folder, None, jobs=sweep.how.jobs, runner=RUNNER)


def swept(folder: Path, asked: Plan, how: How, *, with_runs: bool) -> None:
    """The sweep. Raises AssertionError unless every trial finished at the first try."""
    make = backend_of if with_runs else fake_backend
    found = control.begin(folder, asked, how, make, len)
    assert len(found.entries) == found.count("finished") == len(asked.seeds)
    assert {record.tries for record in found.trials.values()} == {1}


def spent(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of wall time, and of CPU time in this process and those that it has waited for."""
    began, used = time.perf_counter(), cpu()
    work()
    return time.perf_counter() - began, cpu() - used


def cpu() -> float:
    """Seconds of CPU time until now."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(found.ru_utime + found.ru_stime for found in map(resource.getrusage, kinds))


def round_of(given: argparse.Namespace) -> str:
    """Measure both once; the line that says what was found."""
    make, program = (real.plan, real.REVERIE) if given.real else (_fake_plan, FAKE)
    asked, how = make(given.trials, given.steps), How(given.backend, jobs=given.jobs)
    with tempfile.TemporaryDirectory() as name:
        bare, sweep = Path(name, "bare"), Path(name, "sweep")
        work = partial(real.by_hand, bare, asked, given.jobs, program)
        alone, alone_cpu = spent(work)
        wall, used = spent(partial(swept, sweep, asked, how, with_runs=given.real))
        if given.real:
            real.check_same(bare, sweep, asked)
    more = (wall - alone) * given.jobs / given.trials
    line = f"{given.trials} trials by {given.backend}, {given.jobs} at a time: {wall:.1f} s as a "
    line += f"sweep, {alone:.1f} s bare; a trial {more:+.2f} s"
    if given.backend == "local":  # Ray's processes are not waited for
        line += f", {(used - alone_cpu) / given.trials:+.2f} s of CPU"
    return line


def _fake_plan(trials: int, steps: int) -> Plan:
    return plan("a", seeds=trials, steps=steps)


def main() -> None:
    """The two take turns, so that both meet the same machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trials", type=int)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--backend", choices=("local", "ray"), default="local")
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--steps", type=int, default=1)
    given = parser.parse_args()
    if given.real:  # programs are compiled before
        with tempfile.TemporaryDirectory() as name:
            real.by_hand(Path(name, "first"), real.plan(1, given.steps))
    for _ in range(given.rounds):
        sys.stdout.write(round_of(given) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
