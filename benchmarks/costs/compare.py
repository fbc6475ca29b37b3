"""What something costs now against another tree: two processes that take turns.

    python benchmarks/costs/compare.py BEFORE row TASK [--pieces N] [--rounds N]
    python benchmarks/costs/compare.py BEFORE share TASK | checkpoint MEGABYTES | update SIZE-OBS
    python benchmarks/costs/compare.py BEFORE command train TASK --logdir FRESH   # start-up

BEFORE is the folder of the other tree. Prints both medians in milliseconds a piece, the ratio of
the medians and the median of the ratios round by round; `--itself` compares BEFORE with itself,
which says how much of a ratio is noise.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
NOW = HERE.parents[1]
Side = Callable[[int], float]


def server(tree: Path, words: list[str]) -> Side:
    """`work.py` with the source of a tree."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "work.py"), *words],
        env=surroundings(tree),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    there, back = process.stdin, process.stdout

    def work(pieces: int) -> float:
        there.write(f"{pieces}\n")
        there.flush()
        return float(back.readline())

    return work


def command(tree: Path, words: list[str]) -> Side:
    """`reverie WORDS` from beginning to end; FRESH among them is a new folder each time."""

    def work(pieces: int) -> float:
        seconds = 0.0
        for _ in range(pieces):
            with tempfile.TemporaryDirectory() as fresh:
                said = [fresh if word == "FRESH" else word for word in words]
                begin = time.perf_counter()
                subprocess.run(
                    [sys.executable, "-m", "reverie", *said],
                    env=surroundings(tree),
                    capture_output=True,
                    check=False,
                )
                seconds += time.perf_counter() - begin
        return seconds

    return work


def surroundings(tree: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(tree / "src")}


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("before", type=Path)
    parser.add_argument("kind", choices=["row", "share", "checkpoint", "update", "command"])
    parser.add_argument("what", nargs="*")
    parser.add_argument("--pieces", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--itself", action="store_true")
    options, words = parser.parse_known_args()
    words = [*options.what, *words]
    before = options.before.resolve()
    trees = (before, before if options.itself else NOW)
    made = [
        command(tree, words) if options.kind == "command" else server(tree, [options.kind, *words])
        for tree in trees
    ]
    seconds: list[list[float]] = [[], []]
    for turn in range(options.rounds):
        for side in (0, 1) if turn % 2 else (1, 0):
            seconds[side].append(made[side](options.pieces) / options.pieces)
    one, two = (statistics.median(found) for found in seconds)
    pairs = statistics.median(b / a for a, b in zip(*seconds, strict=True))
    print(f"{options.kind} {' '.join(words)}: {1e3 * one:.4g} ms before, ", end="")
    print(f"{1e3 * two:.4g} ms now, ratio {two / one:.3f}, by rounds {pairs:.3f}")


if __name__ == "__main__":
    main()
