"""Wall seconds from a command to what it shows first, and to its first step and update.

    python benchmarks/start/measure.py [--task gym:CartPole-v1] [--rounds 5]

Every round starts `reverie train` in a process and a run folder of its own, reads what it writes as
it comes, and kills it after its first update. The first round, which fills the cache of compiled
programs where that is empty, is left out; medians over the others are told, and the largest.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

MARKS = {"imports": "environments", "environments": "networks", "networks": "\n\n"}
"""Parts of a start, and what stands on the screen when each is over."""

LAST = "first update after"


def main() -> None:
    """Measure, and tell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--task", default="gym:CartPole-v1")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rounds = [start(options.task) for _ in range(options.rounds + 1)][1:]
    found = {name: spread([one[name] for one in rounds]) for name in rounds[0]}
    found["reverie --help"] = spread([help_page() for _ in range(options.rounds)])
    for name, (median, most) in found.items():
        sys.stdout.write(f"{name:<16} {median:6.2f} s  {most:6.2f} s at most\n")


def start(task: str) -> dict[str, float]:
    """Seconds after which one start has shown each of its parts."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["train", task, "--logdir", f"{folder}/run", "--log.progress", "plain"]
        begin, shown, found = time.monotonic(), "", dict[str, float]()
        process = subprocess.Popen(
            [sys.executable, "-m", "reverie", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert process.stdout is not None
        while LAST not in shown:
            text = os.read(process.stdout.fileno(), 65_536).decode()
            if not text:
                raise SystemExit(f"it ended before its first update:\n{shown}")
            shown += text
            now = time.monotonic() - begin
            for name in over(shown):
                found.setdefault(name, now)
        process.kill()
        process.wait()
    return found


def over(shown: str) -> list[str]:
    """What is over when this stands on the screen."""
    done = [name for name, mark in MARKS.items() if mark in shown]
    steps = [name for name in ("first step", "first update") if f"{name} after" in shown]
    return ["first character", *done, *steps]


def help_page() -> float:
    """Seconds that `reverie --help` takes."""
    begin = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "reverie", "--help"], stdout=subprocess.DEVNULL, check=True
    )
    return time.monotonic() - begin


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Median and largest."""
    return statistics.median(values), max(values)


if __name__ == "__main__":
    main()
