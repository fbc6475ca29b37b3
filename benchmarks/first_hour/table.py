"""The learning table: python table.py RUNS PEERS OUT.csv prints it, and writes every evaluation.

RUNS: folder of run folders ROW-SEED (`ours.py`). PEERS: folder of files ROW-ALGORITHM-SEED.jsonl
(`peers.py`). A cell says how many seeds reached the threshold, the median of the environment steps
that these needed, and of the minutes, evaluations included.
"""

import csv
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from rows import ROWS


class Point(NamedTuple):
    """One evaluation."""

    row: str
    method: str
    seed: int
    step: int
    value: float  # mean return
    seconds: float  # since the run began


def ours(folder: Path) -> Iterator[Point]:
    """Evaluations of Reverie's runs."""
    for path in sorted(folder.glob("*-*/metrics.jsonl")):
        name, seed = path.parent.name.rsplit("-", 1)
        seconds = 0.0
        for line in path.read_text().splitlines():
            logged = json.loads(line)
            seconds = logged.get("time/seconds", seconds)
            if "eval/return" in logged:
                value = round(logged["eval/return"], 3)
                yield Point(name, "reverie", int(seed), logged["step"], value, round(seconds, 1))


def peers(folder: Path) -> Iterator[Point]:
    """Evaluations of the other methods' runs."""
    for path in sorted(folder.glob("*.jsonl")):
        name, method, seed = path.stem.split("-")
        for line in path.read_text().splitlines():
            said = json.loads(line)
            yield Point(name, method, int(seed), said["step"], said["return"], said["seconds"])


def cell(points: list[Point]) -> str:
    """One method on one row."""
    threshold = ROWS[points[0].row].threshold
    seeds = {point.seed for point in points}
    reached = [
        next((p for p in points if p.seed == s and p.value >= threshold), None) for s in seeds
    ]
    found = [point for point in reached if point]
    if not found:
        best = max(point.value for point in points)
        return f"0 of {len(seeds)} (best {best:g} by {max(p.step for p in points):,})"
    steps, minutes = median(p.step for p in found), median(p.seconds for p in found) / 60
    return f"{len(found)} of {len(seeds)}: {steps:,.0f} steps, {minutes:.1f} min"


def main(runs: str, others: str, out: str) -> None:
    points = [*ours(Path(runs)), *peers(Path(others))]
    with Path(out).open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(Point._fields)
        table.writerows(points)
    cells: dict[tuple[str, str], list[Point]] = defaultdict(list)
    for point in points:
        cells[point.row, point.method].append(point)
    methods = sorted(
        {method for _, method in cells}, key=lambda method: (method != "reverie", method)
    )
    lines = [["row", "threshold", *methods], ["---"] * (2 + len(methods))]
    for name, row in ROWS.items():
        said = [cell(cells[name, m]) if (name, m) in cells else "–" for m in methods]
        lines.append([name, f"{row.threshold:g}", *said])
    sys.stdout.writelines("| " + " | ".join(line) + " |\n" for line in lines)


if __name__ == "__main__":
    main(*sys.argv[1:])
