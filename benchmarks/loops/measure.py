"""Environment steps a second of the loop on the host and on the device, taken in turns.

    python benchmarks/loops/measure.py [--task gymnax_cart_pole] [--size debug] [--ratios 1 32]
        [--envs 1] [--rounds 5] [--seconds 3] [--out FILE.json]

Both loops learn in this process, each in a run folder of its own. A round lets one go on for some
seconds and then the other; medians over the rounds are told, of steps a wall second and a CPU
second. Programs are compiled and the replay is filled before anything is measured.
"""

import argparse
import contextlib
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from reverie.config.presets import resolve
from reverie.machine.device import prepare
from reverie.train import loop
from reverie.train.interrupt import Interrupt
from reverie.train.loop import Run
from reverie.train.preparation import Preparation
from reverie.watch.logger import Logger
from reverie.watch.progress import Progress

LOOPS = ("host", "device")


class Way(Protocol):
    """A way to let runs go on."""

    runs: Sequence[Run]

    def __call__(self) -> None: ...


class Alone:
    """One run, by its own turns."""

    def __init__(self, run: Run):
        self.runs = [run]

    def __call__(self) -> None:
        self.runs[0].turn()


def main() -> None:
    """Measure every train ratio, and write what was found."""
    options = parser(__doc__).parse_args()
    ratios = {str(ratio): measure(options, ratio) for ratio in options.ratios}
    write(options, ratios=ratios)


def parser(description: str | None) -> argparse.ArgumentParser:
    """Of the options that all measurements of loops have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--task", default="gymnax_cart_pole")
    parser.add_argument("--size", default="debug")
    parser.add_argument("--ratios", type=float, nargs="+", default=[1.0, 32.0])
    parser.add_argument("--envs", type=int, default=1)
    parser.add_argument("--chunk", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--out", type=Path)
    return parser


def write(options: argparse.Namespace, **found: Any) -> None:
    """What was found, where it is asked for."""
    told = {
        key: getattr(options, key) for key in ("task", "size", "envs", "chunk", "rounds", "seconds")
    }
    told |= {"machine": platform.processor() or platform.machine(), **found}
    if options.out:
        options.out.write_text(json.dumps(told, indent=2) + "\n")


def measure(options: argparse.Namespace, ratio: float) -> dict[str, float]:
    """Medians at one train ratio, and how many times faster the device loop is."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        runs = {kind: Alone(begun(stack, options, ratio, kind, folder / kind)) for kind in LOOPS}
        return compared(runs, options, f"ratio {ratio:g}")


def compared(ways: Mapping[str, Way], options: argparse.Namespace, title: str) -> dict[str, float]:
    """Two ways by turns: medians of their rates, and how many times faster the second is."""
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, way in ways.items():
            rates[name].append(rate(way, options.seconds))
    row = {f"{k}_per_second": statistics.median(r[0] for r in rates[k]) for k in ways}
    row |= {f"{k}_per_cpu_second": statistics.median(r[1] for r in rates[k]) for k in ways}
    pairs = [*zip(*rates.values(), strict=True)]
    row["times_wall"] = statistics.median(two[0] / one[0] for one, two in pairs)
    row["times_cpu"] = statistics.median(two[1] / one[1] for one, two in pairs)
    told = ", ".join(f"{name} {value:,.2f}" for name, value in row.items())
    Progress("plain", 1).note(f"{title}: {told}")
    return row


def begun(stack, options: argparse.Namespace, ratio: float, kind: str, logdir: Path) -> Run:
    """A run that learns already, on the loop `kind`."""
    run = opened(stack, options, ratio, kind, logdir)
    compiling = (run.device or run.learner).compile_beside
    Preparation([run], compiling, Progress("none", run.config.steps)).complete(Interrupt())
    while run.updates < 3:
        run.turn()
    return run


def opened(
    stack,
    options: argparse.Namespace,
    ratio: float,
    kind: str,
    logdir: Path,
    *,
    seed: int = 0,
    like: Run | None = None,
) -> Run:
    """A run on the loop `kind`; `like`: that of another seed."""
    edits = {
        "logdir": str(logdir),
        "seed": seed,
        "steps": 10**6,
        "env.num": options.envs,
        "train.ratio": ratio,
        "train.loop": kind,
        "train.chunk": options.chunk,
        "train.log_every": 10**6,
        "train.save_every": 1e9,
        "log.progress": "none",
        "log.tensorboard": False,
    }
    config = resolve(options.task, size=options.size, preset="published", overrides=edits)
    prepare(config.device)
    run = stack.enter_context(loop.opened(config, None, like=like))
    run.progress = Progress("none", config.steps)
    run.logger = stack.enter_context(
        contextlib.closing(Logger(logdir, config.log, config, None, notify=lambda _: None))
    )
    return run


def rate(way: Way, seconds: float) -> tuple[float, float]:
    """Environment steps of all runs a wall second and a CPU second, over so many wall seconds."""
    step, wall, cpu = steps(way), time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < seconds:
        way()
    for run in way.runs:
        run.learner.check()
    done = steps(way) - step
    return done / (time.perf_counter() - wall), done / (time.process_time() - cpu)


def steps(way: Way) -> int:
    return sum(run.step for run in way.runs)


if __name__ == "__main__":
    main()
