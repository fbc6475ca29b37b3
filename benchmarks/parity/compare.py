"""Run the cases of the present tree and hold their numbers against the record.

    python benchmarks/parity/compare.py [--only PATTERN] [--jobs N] [--against FOLDER]

A line a case: equal to the last bit, what differs first, or the sentence it failed with. Exit code
1 if any case differs or fails.
"""

import argparse
import math
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

from about import about, differences
from cases import CASES, Case
from outcome import Outcome, read
from run import cpu_seconds, run_all

RECORDED = Path(__file__).parent / "recorded"
FIRST = 50
"""Updates of which the size of a difference is told."""


class Gap(NamedTuple):
    """A difference of a metric: absolute, and the magnitudes that it is measured by."""

    name: str
    row: int
    size: float
    here: float
    largest: float


def compare(was: Outcome, now: Outcome) -> list[str]:
    """Sentences about what differs; empty where all is equal to the last bit."""
    found = [*_metrics(was, now), *_tensors(was["learner"], now["learner"])]
    return found + _replay(was["replay"], now["replay"])


def _metrics(was: Outcome, now: Outcome) -> list[str]:
    old, new = was["metrics"], now["metrics"]
    found = []
    if was["rows"] != now["rows"]:
        found.append(f"{now['rows']} metric rows instead of {was['rows']}")
    if missing := sorted(old.keys() - new.keys()):
        found.append(f"metrics missing: {', '.join(missing)}")
    rows = range(min(was["rows"], now["rows"]))
    shared = [name for name in old if name in new]
    apart = [(row, name) for row in rows for name in shared if old[name][row] != new[name][row]]
    if apart:
        row, name = apart[0]
        step = float.fromhex(old["step"][row])
        found.append(
            f"first {name} in row {row} (step {step:g}): {_shown(old[name][row])} was recorded, "
            f"{_shown(new[name][row])} found; {len({name for _, name in apart})} metrics differ"
        )
        found.append(_first_updates(old, new, shared, len(rows)))
    return found


def _shown(text: str) -> str:
    return repr(_number(text)) if text else "nothing"


def _number(text: str) -> Any:
    """A number as it was; other values stay texts."""
    try:
        return float.fromhex(text)
    except ValueError:
        return text


def _first_updates(old: dict, new: dict, names: list[str], rows: int) -> str:
    """How large the differences are in the rows of the first updates."""
    updates = [_number(text) if text else 0.0 for text in old["train/updates"]]
    early = [row for row in range(rows) if row <= _last_early(updates)]
    gaps = [gap for name in names for gap in _gaps(name, old[name], new[name], early)]
    if not gaps:
        return f"the first {FIRST} updates are equal"
    alone = max(gaps, key=lambda gap: gap.size / gap.here)
    scaled = max(gaps, key=lambda gap: gap.size / gap.largest)
    return (
        f"first {FIRST} updates: at most {alone.size / alone.here:.1e} of the value ({alone.name} "
        f"in row {alone.row}), {scaled.size / scaled.largest:.1e} of the metric's largest value "
        f"there ({scaled.name} in row {scaled.row})"
    )


def _last_early(updates: list) -> int:
    """Last row that still belongs to the first updates."""
    late = [row for row, count in enumerate(updates) if count > FIRST]
    return late[0] - 1 if late else len(updates) - 1


def _gaps(name: str, old: list[str], new: list[str], rows: list[int]) -> list[Gap]:
    """Differences of a metric in these rows; one that is no number counts as infinite."""
    values = [_magnitude(text) for row in rows for text in (old[row], new[row])]
    largest = max((value for value in values if value < math.inf), default=0.0)
    found = []
    for row in rows:
        if old[row] != new[row]:
            here = max(_magnitude(old[row]), _magnitude(new[row]))
            size = abs(_number(old[row]) - _number(new[row])) if here < math.inf else math.inf
            found.append(Gap(name, row, size, here if here < math.inf else 1.0, largest or 1.0))
    return found


def _magnitude(text: str) -> float:
    """Absolute value; infinity for what is missing, NaN or no number."""
    value = _number(text)
    return abs(value) if isinstance(value, float) and math.isfinite(value) else math.inf


def _tensors(was: dict, now: dict) -> list[str]:
    """Tensors may have other names as long as all their contents are there."""
    if sorted(map(str, was.values())) == sorted(map(str, now.values())):
        return []
    changed = [name for name in was if name in now and was[name] != now[name]]
    missing = [name for name in was if name not in now]
    added = [name for name in now if name not in was]
    parts = {"differ": changed, "are missing": missing, "are new": added}
    told = [f"{len(names)} {what} ({names[0]})" for what, names in parts.items() if names]
    return [f"of {len(was)} tensors of the learner {', '.join(told)}"]


def _replay(was: dict, now: dict) -> list[str]:
    """Rows may lie in other places."""
    changed = [name for name in was if name not in now or was[name][3] != now[name][3]]
    return [f"replayed columns differ: {', '.join(changed)}"] if changed else []


def against(folder: Path, case: Case, now: Outcome) -> list[str]:
    """What differs from the record of a case or of its twin."""
    path = folder / f"{case.twin or case.name}.json.gz"
    return compare(read(path), now) if path.is_file() else [f"{path.name} is not recorded"]


def chosen(pattern: str) -> list[Case]:
    """The cases whose name contains or matches `pattern`. Exits where there is none."""
    found = [c for c in CASES if fnmatch(c.name, pattern) or pattern in c.name]
    if not found:
        sys.exit(f"no case is called {pattern!r}: {', '.join(case.name for case in CASES)}.")
    return found


def arguments(text: str | None) -> argparse.ArgumentParser:
    """Options that recording and comparing share."""
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("--only", default="*", help="cases: a pattern, or a part of the name")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    return parser


def main() -> int:
    """Compare, and tell."""
    parser = arguments("Hold the present tree against the record.")
    parser.add_argument("--against", type=Path, default=RECORDED, help="folder of the record")
    options = parser.parse_args()
    for line in differences(options.against, about()):
        say(f"caution: {line}")
    wrong, cases = 0, chosen(options.only)
    for case, now, error, seconds in run_all(cases, options.jobs):
        told = [f"failed: {error}"] if now is None else against(options.against, case, now)
        wrong += bool(told)
        say(f"{case.name:28} {seconds:6.1f} s  {'; '.join(told) or 'equal to the last bit'}")
    say(f"{wrong} of {len(cases)} cases differ; {cpu_seconds():.0f} CPU seconds")
    return int(wrong > 0)


def say(text: str) -> None:
    """A line on standard output, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
