"""Environment steps a second of several seeds on the device: one call for all, or one of each.

    python benchmarks/loops/seeds.py [--task gymnax_cart_pole] [--size debug] [--ratios 1 32]
        [--seeds 3 8] [--envs 1] [--chunk 256] [--rounds 5] [--seconds 3] [--out FILE.json]

Both ways learn in this process, each seed in a run folder of its own. A round lets one way go on
for some seconds and then the other; medians over the rounds are told, of steps of all seeds a wall
second and a CPU second, and the share of calls that all seeds made together.
"""

import argparse
import contextlib
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from measure import compared, opened, parser, write

from reverie.train.group.calls import Calls
from reverie.train.interrupt import Interrupt
from reverie.train.loop import Run
from reverie.train.ondevice import script
from reverie.train.preparation import Preparation
from reverie.watch.progress import Progress


class Turns:
    """Every seed makes calls of its own, one after the other."""

    def __init__(self, runs: Sequence[Run]):
        self.runs = runs
        first, *others = [(run, run.device) for run in runs if run.device is not None]
        complete(runs, first[1].compile_beside)
        for run, device in others:
            device.program, run.learner.names = first[1].program, first[0].learner.names

    def __call__(self) -> None:
        for run in self.runs:
            run.turn()


class Together:
    """One call runs all whose schedules agree."""

    def __init__(self, runs: Sequence[Run]):
        self.runs, self._calls = runs, Calls(runs)
        self.made, self.whole = 0, 0
        complete(runs, self._calls.compile_beside)

    def __call__(self) -> None:
        ready, updates = script.ready(self.runs)
        places = [self.runs.index(run) for run in ready]
        for place in places:
            self._calls.measure(place)
        for take_in in self._calls(places, updates).values():
            take_in()
        self.made, self.whole = self.made + 1, self.whole + (len(ready) == len(self.runs))


WAYS = {"turns": Turns, "together": Together}


def main() -> None:
    """Measure every train ratio with every number of seeds, and write what was found."""
    known = parser(__doc__)
    known.add_argument("--seeds", type=int, nargs="+", default=[3, 8])
    options = known.parse_args()
    cases = {
        f"{seeds} seeds, ratio {ratio:g}": measure(options, ratio, seeds)
        for ratio in options.ratios
        for seeds in options.seeds
    }
    write(options, cases=cases)


def measure(options: argparse.Namespace, ratio: float, seeds: int) -> dict[str, float]:
    """Medians of one case, and how many times faster all together are."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ways = {}
        for name, kind in WAYS.items():
            runs = []
            for seed in range(seeds):
                logdir = folder / name / str(seed)
                like = runs[0] if runs else None
                runs.append(opened(stack, options, ratio, "device", logdir, seed=seed, like=like))
            ways[name] = kind(runs)
            while any(run.updates < 3 for run in runs):
                ways[name]()
        row = compared(ways, options, f"{seeds} seeds, ratio {ratio:g}")
        return row | {"share_together": ways["together"].whole / ways["together"].made}


def complete(runs: Sequence[Run], compiling: Callable) -> None:
    """Compile what they share."""
    assert Preparation(runs, compiling, Progress("none", 1)).complete(Interrupt())


if __name__ == "__main__":
    main()
