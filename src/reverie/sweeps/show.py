"""What people read of a sweep: a line a trial, the counts, what comes next."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reverie.report import closing
from reverie.report.metrics import read_metrics
from reverie.sweeps.file import Entry, Sweep
from reverie.sweeps.grid import run_folders

ORDER = ("finished", "pruned", "failed", "cancelled", "running", "stopped", "waiting")


def counts(sweep: Sweep) -> str:
    """`3 finished, 1 failed of 4 trials`."""
    found = [(state, sweep.count(state)) for state in ORDER]
    told = ", ".join(f"{number} {state}" for state, number in found if number)
    return f"{told or 'none'} of {len(sweep.entries)} trials"


def table(sweep: Sweep) -> list[tuple[str, str]]:
    """Name, and state with tries, step and return, of every trial."""
    return [(entry.trial.name, _line(sweep, entry)) for entry in sweep.entries]


def _line(sweep: Sweep, entry: Entry) -> str:
    found = entry.record
    parts = [found.state]
    if found.tries > 1:
        parts.append(f"{found.tries} tries")
    runs = run_folders(sweep.folder / entry.trial.name)
    runs = [run for run in runs if (run / "metrics.jsonl").is_file()]
    if runs:
        parts.append(f"step {min(map(_reached, runs)):,.0f}")
        scores = [closing.score(run) for run in runs]
        if len(runs) > 1:
            parts.append(closing.summary([score.value for score in scores]))
        elif scores[0].value == scores[0].value:
            parts.append(f"return {scores[0].value:.6g} {scores[0].meaning}")
    return ", ".join(parts) + (f": {found.sentence}" if found.sentence else "")


def _reached(run: Path) -> float:
    """The last step of which a run says anything."""
    series, _ = read_metrics(run / "metrics.jsonl")
    return max((float(found.step[-1]) for found in series.values() if len(found.step)), default=0.0)


def closing_lines(sweep: Sweep, best: tuple[str, float, Mapping[str, Any]] | None) -> list[str]:
    """What is said at the end."""
    folder = shlex.quote(closing.near(sweep.folder))
    lines = [f"sweep: {counts(sweep)}"]
    for entry in sweep.entries:
        if entry.record.state == "failed":
            lines.append(f"- {entry.trial.name} failed: {entry.record.sentence}")
    if best:
        name, value, params = best
        chosen = " ".join(f"--{key}={text}" for key, text in params.items())
        lines.append(f"best: {name} with {value:.6g}: {chosen}")
    lines.append("next:")
    if sweep.count("finished", "pruned"):
        lines.append(f"  reverie compare {folder}")
    if sweep.count("failed") and not sweep.plan.search:
        lines.append(f"  reverie sweep resume {folder} --failed")
    elif sweep.count("cancelled", "stopped", "waiting"):
        lines.append(f"  reverie sweep resume {folder}")
    else:
        lines.append(f"  reverie sweep status {folder}")
    return lines
