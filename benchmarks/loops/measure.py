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
from pathlib import Path
from typing import Any

from reverie.config.presets import resolve
from reverie.machine.device import prepare
from reverie.train import loop
from reverie.train.interrupt import Interrupt
from reverie.train.loop import Run
from reverie.train.preparation import Preparation
from reverie.watch.logger import Logger
from reverie.watch.progress import Progress

LOOPS = ("host", "device")


def main() -> None:
    """Measure every train ratio, and write what was found."""
    options = read()
    found = {
        "task": options.task,
        "size": options.size,
        "envs": options.envs,
        "rounds": options.rounds,
        "machine": platform.processor() or platform.machine(),
        "ratios": {str(ratio): measure(options, ratio) for ratio in options.ratios},
    }
    text = json.dumps(found, indent=2)
    if options.out:
        options.out.write_text(text + "\n")


def read() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="gymnax_cart_pole")
    parser.add_argument("--size", default="debug")
    parser.add_argument("--ratios", type=float, nargs="+", default=[1.0, 32.0])
    parser.add_argument("--envs", type=int, default=1)
    parser.add_argument("--chunk", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def measure(options: argparse.Namespace, ratio: float) -> dict[str, float]:
    """Medians at one train ratio, and how many times faster the device loop is."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        runs = {kind: begun(stack, options, ratio, kind, folder / kind) for kind in LOOPS}
        rates = {kind: [] for kind in LOOPS}
        for _ in range(options.rounds):
            for kind, run in runs.items():
                rates[kind].append(rate(run, options.seconds))
    row = {f"{k}_per_second": statistics.median(r[0] for r in rates[k]) for k in LOOPS}
    row |= {f"{k}_per_cpu_second": statistics.median(r[1] for r in rates[k]) for k in LOOPS}
    pairs = [*zip(rates["device"], rates["host"], strict=True)]
    row["times_wall"] = statistics.median(one[0] / two[0] for one, two in pairs)
    row["times_cpu"] = statistics.median(one[1] / two[1] for one, two in pairs)
    told = ", ".join(f"{name} {value:,.1f}" for name, value in row.items())
    Progress("plain", 1).note(f"ratio {ratio:g}: {told}")
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
    stack, options: argparse.Namespace, ratio: float, kind: str, logdir: Path, **more: Any
) -> Run:
    """A run on the loop `kind`; `more`: its `seed`, and a run that it is `like`."""
    edits = {
        "logdir": str(logdir),
        "seed": more.get("seed", 0),
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
    run = stack.enter_context(loop.opened(config, None, like=more.get("like")))
    run.progress = Progress("none", config.steps)
    run.logger = stack.enter_context(
        contextlib.closing(Logger(logdir, config.log, config, None, notify=lambda _: None))
    )
    return run


def rate(run: Run, seconds: float) -> tuple[float, float]:
    """Environment steps a wall second and a CPU second, over so many wall seconds."""
    step, wall, cpu = run.step, time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < seconds:
        run.turn()
    run.learner.check()
    done = run.step - step
    return done / (time.perf_counter() - wall), done / (time.process_time() - cpu)


if __name__ == "__main__":
    main()
