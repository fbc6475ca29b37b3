"""Matrices as pictures and all metrics as numbers: python benchmarks/continual/summary.py OUT RUN…

Writes OUT/matrix-KEEP.svg and OUT/summary.json from run folders, as `reverie report` shows them.
"""

import json
import re
import sys
from pathlib import Path

from reverie.report.continual import Outcome, outcomes
from reverie.report.continual_panels import matrix
from reverie.report.groups import value_of
from reverie.report.read import read_runs

STYLE = (
    "text{font:11px sans-serif;fill:#667}.tick.y{text-anchor:end}.tick.x{text-anchor:middle}"
    ".c0{color:#0069a8}"
)


def picture(outcome: Outcome) -> str:
    """The task-by-time matrix as a file of its own."""
    head = '<svg xmlns="http://www.w3.org/2000/svg" '
    svg = str(matrix(outcome)).replace("<svg ", head, 1)
    width, height = re.findall(r'viewBox="0 0 (\d+) (\d+)"', svg)[0]
    paper = f'<rect width="{width}" height="{height}" fill="#fff"/>'
    inside = f' width="{width}" height="{height}"><style>{STYLE}</style>{paper}'
    return svg.replace(">", inside, 1)


def numbers(outcome: Outcome) -> dict:
    """Means with their intervals, and all evaluations of every task: step -> a return a seed."""
    names = ("performance", "forgetting", "transfer", "transfer_world")
    found = {name: getattr(outcome, name) for name in names}
    rows: dict = {
        name: value and [round(float(part), 4) for part in value] for name, value in found.items()
    }
    for task, curve in zip(outcome.tasks, outcome.curves, strict=True):
        rows[task] = {
            int(step): [round(float(value), 3) for value in values]
            for step, values in zip(curve.step, curve.value, strict=True)
        }
    return rows | {"notes": list(outcome.notes)}


def main(out: str, *runs: str) -> None:
    found = {
        value_of(outcome.runs[0], "replay.keep"): outcome
        for outcome in outcomes(read_runs([Path(run) for run in runs]))
    }
    for name, outcome in found.items():
        (Path(out) / f"matrix-{name}.svg").write_text(picture(outcome))
    summary = {name: numbers(outcome) for name, outcome in found.items()}
    (Path(out) / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
