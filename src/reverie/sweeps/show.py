"""What people read of a sweep: a line a trial, the counts, what comes next."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from reverie.report import closing
from reverie.report.metrics import read_metrics
from reverie.sweeps.file import Sweep
from reverie.sweeps.record import ENDS

ORDER = ("finished", "pruned", "failed", "cancelled", "running", "stopped", "waiting")


def counts(sweep: Sweep) -> str:
    """`3 finished, 1 failed of 4 trials`."""
    found = [(state, sweep.count(state)) for state in ORDER]
    told = ", ".join(f"{number} {state}" for state, number in found if number)
    return f"{told or 'none'} of {len(sweep.entries)} trials"


def table(sweep: Sweep) -> list[tuple[str, str]]:
    """Name, and state with tries, step and return, of every trial."""
    return [(entry.trial.name, _line(sweep, entry)) for entry in sweep.entries]


def _line(sweep: Sweep, entry: Any) -> str:
    found = entry.record
    parts = [found.state]
    if found.tries > 1:
        parts.append(f"{found.tries} tries")
    file = sweep.folder / entry.trial.name / "metrics.jsonl"
    if file.is_file():
        series, _ = read_metrics(file)
        last = max((float(s.step[-1]) for s in series.values() if len(s.step)), default=0.0)
        parts.append(f"step {last:,.0f}")
        score = closing.score(file.parent)
        if score.value == score.value:
            parts.append(f"return {score.value:.6g} {score.meaning}")
    return ", ".join(parts) + (f": {found.sentence}" if found.sentence else "")


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
    if sweep.count("failed"):
        lines.append(f"  reverie sweep resume {folder} --failed")
    elif sweep.count("cancelled", "stopped", "waiting"):
        lines.append(f"  reverie sweep resume {folder}")
    else:
        lines.append(f"  reverie sweep status {folder}")
    return lines


def unended(sweep: Sweep) -> Sequence[str]:
    """Names of the trials that have something left to do."""
    return [name for name, found in sweep.trials.items() if found.state not in ENDS]
