"""The last points of a run beside the published curve: python benchmarks/dmc/curve.py RUN…

The published points are means over the training episodes that end within the 25,000 frames (5 % of
the budget) before 125,000, 250,000 and 500,000 frames. Where a run ends before the first of them,
its own last 25,000 frames are taken, and named.
"""

import json
import sys
from pathlib import Path

import numpy as np

WINDOW, REPEAT = 25_000, 2
POINTS = (125_000, 250_000, 500_000)


def main(*runs: str) -> None:
    """Prints mean and standard deviation over the episodes of every window."""
    for run in map(Path, runs):
        lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        found = [(REPEAT * x["step"], x["episode/return"]) for x in lines if "episode/return" in x]
        frames, returns = map(np.array, zip(*found, strict=True))
        for end in [p for p in POINTS if p <= frames[-1]] or [int(frames[-1])]:
            inside = returns[(frames > end - WINDOW) & (frames <= end)]
            print(
                f"{run.name}: {end - WINDOW:,} to {end:,} frames, {len(inside)} episodes: "
                f"{inside.mean():.0f} ± {inside.std():.0f}, last eight {inside[-8:].mean():.0f}"
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
