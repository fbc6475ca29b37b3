"""`metrics.jsonl` as curves, whoever wrote it: bounded in size, and every odd line told."""

import json
import math
from array import array
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from reverie import files
from reverie.watch.text import one_line

FILE_BYTES = 1 << 30
"""Most bytes of a file that is read."""
LINE_BYTES = 1 << 20
"""Most bytes of a line."""
MOST_NAMES = 2_000
"""Most metrics of a run."""
NAME_LENGTH = 200
"""Most characters of a metric's name."""
LARGEST = 1e300
"""Largest magnitude of a value: sums of more would overflow."""
LAST_STEP = 2**63

NONE_YET = "The run has not written any metrics yet."


class Series(NamedTuple):
    """One metric over the run, in the order of steps."""

    step: np.ndarray  # (N,) float64, environment steps
    value: np.ndarray  # (N,) float64, the metric's unit; finite


Columns = dict[str, tuple[array, array]]
"""Steps and values by name, in the order of the file."""


def read_metrics(path: Path) -> tuple[dict[str, Series], tuple[str, ...]]:
    """Series by name, and sentences on what could not be read."""
    try:
        with files.open_to_read(path) as file:
            size = path.stat().st_size
            if size > FILE_BYTES:
                what = f"it has {size:,} bytes, more than the {FILE_BYTES:,} that are read"
                raise files.NotPlain(path, what)
            columns, notes = _take_all(file)
    except FileNotFoundError:
        return {}, (NONE_YET,)
    except OSError as error:
        return {}, (f"{path.name} is not read: {error.strerror}.",)
    if not columns:
        notes.append(NONE_YET)
    return {name: _sorted(*column) for name, column in columns.items()}, tuple(notes)


def _take_all(file: BinaryIO) -> tuple[Columns, list[str]]:
    columns: Columns = {}
    broken: list[tuple[int, str]] = []
    notes, number = [], 0
    while line := file.readline(LINE_BYTES + 1):
        number += 1
        if len(line) > LINE_BYTES:
            notes.append(
                f"metrics.jsonl, line {number}: it has more than {LINE_BYTES:,} bytes; it and what "
                "follows are left out."
            )
            break
        if not line.endswith(b"\n"):
            notes.append("The last line of metrics.jsonl is half written and left out.")
        elif (wrong := _take(line, columns)) is not None:
            broken.append((number, wrong))
    if broken:
        count = "1 line" if len(broken) == 1 else f"{len(broken)} lines"
        where = "" if len(broken) == 1 else "the first is "
        notes.append(
            f"{count} of metrics.jsonl {'is' if len(broken) == 1 else 'are'} not metrics and left "
            f"out: {where}line {broken[0][0]}, {broken[0][1]}."
        )
    return columns, notes


def _take(line: bytes, columns: Columns) -> str | None:
    """Add a line's finite numbers to `columns`; what is wrong with a line that is not taken."""
    try:
        row = json.loads(line)
    except RecursionError:
        return "nested too deeply"
    except ValueError:
        return "no JSON"
    if not isinstance(row, dict):
        return "no JSON object"
    step = _number(row.pop("step", None))
    if step is None or not 0 <= step <= LAST_STEP:
        return "without a 'step' from 0 on"
    numbers = {}
    for name, value in row.items():
        if value is None:
            continue  # a number that was not finite when it was logged
        number = _number(value)
        if len(name) > NAME_LENGTH:
            return f"a name has more than {NAME_LENGTH} characters"
        if number is None:
            return f"{one_line(name)!r} is no number up to {LARGEST:g}"
        if math.isfinite(number):
            numbers[one_line(name)] = number
    new = [name for name in numbers if name not in columns]
    if len(columns) + len(new) > MOST_NAMES:
        return f"with more than {MOST_NAMES:,} metrics in the file"
    for name, number in numbers.items():
        steps, values = columns.setdefault(name, (array("d"), array("d")))
        steps.append(step)
        values.append(number)
    return None


def _number(value: Any) -> float | None:
    """A number as a float; NaN for one that is not finite; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    if not math.isfinite(number):
        return math.nan
    return number if abs(number) <= LARGEST else None


def _sorted(steps: array, values: array) -> Series:
    step, value = np.array(steps), np.array(values)
    order = np.argsort(step, kind="stable")
    return Series(step[order], value[order])
