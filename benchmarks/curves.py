"""Thins the metrics of run folders to one small CSV: python benchmarks/curves.py OUT.csv RUN…

One line an episode (`kind` episode) or an evaluation (`kind` eval); updates and seconds are those
of the last metrics line before it.
"""

import csv
import json
import sys
from pathlib import Path


def rows(run: Path):
    """(run, kind, step, return, length, updates, seconds) of one run folder."""
    updates = seconds = 0.0
    for line in (run / "metrics.jsonl").read_text().splitlines():
        row = json.loads(line)
        updates = row.get("train/updates", updates)
        seconds = row.get("time/seconds", seconds)
        for kind in ("episode", "eval"):
            if f"{kind}/return" in row:
                numbers = (row[f"{kind}/return"], row[f"{kind}/length"], updates, seconds)
                yield (run.name, kind, row["step"], *(round(number, 3) for number in numbers))


def main(out: str, *runs: str) -> None:
    with Path(out).open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("run", "kind", "step", "return", "length", "updates", "seconds"))
        for run in runs:
            table.writerows(rows(Path(run)))


if __name__ == "__main__":
    main(*sys.argv[1:])
