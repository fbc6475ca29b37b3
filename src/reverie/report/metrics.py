"""`metrics.jsonl` as curves, whoever wrote it: bounded in size, and every odd line told."""

import json
import math
import os
import time
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
AT_ONCE = 100
"""Lines that are read between two looks at the clock."""
MARK = 4096
"""Bytes before the place where reading stopped that are known again by what they hold."""

NONE_YET = "The run has not written any metrics yet."


class Series(NamedTuple):
    """One metric over the run, in the order of steps."""

    step: np.ndarray  # (N,) float64, environment steps
    value: np.ndarray  # (N,) float64, the metric's unit; finite


Columns = dict[str, tuple[array, array]]
"""Steps and values by name, in the order of the file."""


class MetricsFile:
    """`metrics.jsonl` of a run that may go on: every line is read once.

    A last line without its end is waited for. A file that is no longer the one that was read
    (shorter, replaced, or other bytes where reading stopped: a run that went back to a checkpoint)
    is read again from the start.
    """

    def __init__(self, path: Path):
        self._path = path
        self._forget()

    def _forget(self) -> None:
        self.columns: Columns = {}
        self.half = False  # whether the last line waits for its end
        self.behind = 0  # bytes of the file that were not read yet
        self._trouble = ""  # why the file is not read
        self._ended = ""  # why what follows is not read
        self._broken: list[tuple[int, str]] = []
        self._clean: dict[str, str] = {}
        self._at, self._lines, self._file, self._mark = 0, 0, 0, b""

    def read_on(self, until: float = math.inf) -> bool:
        """Take the lines that are new, as far as `time.monotonic()` is below `until`, and some.

        False where what was read before is not the beginning of what is known now.
        """
        try:
            with files.open_to_read(self._path) as file:
                state = os.fstat(file.fileno())
                goes_on, self._trouble = self._goes_on(file, state), ""
                if not goes_on:
                    self._forget()
                self._file = state.st_ino
                self._read(file, state.st_size, until)
                return goes_on
        except OSError as error:
            known = bool(self._at)
            self._forget()
            if not isinstance(error, FileNotFoundError):
                self._trouble = f"{self._path.name} is not read: {error.strerror}."
            return not known

    def notes(self) -> list[str]:
        """Sentences on what was not taken, and on a file that has nothing yet."""
        notes = [sentence for sentence in (self._trouble, self._ended) if sentence]
        if self._broken:
            many = len(self._broken) > 1
            number, wrong = self._broken[0]
            notes.append(
                f"{f'{len(self._broken)} lines' if many else '1 line'} of metrics.jsonl "
                f"{'are' if many else 'is'} not metrics and left out: "
                f"{'the first is ' if many else ''}line {number}, {wrong}."
            )
        if not self.columns and not self._trouble and not self.behind:
            notes.append(NONE_YET)
        return notes

    def _goes_on(self, file: BinaryIO, state: os.stat_result) -> bool:
        """Whether the file still begins with what was read of it."""
        if self._file and (state.st_ino != self._file or state.st_size < self._at):
            return False
        file.seek(self._at - len(self._mark))
        return file.read(len(self._mark)) == self._mark

    def _read(self, file: BinaryIO, size: int, until: float) -> None:
        if size > FILE_BYTES:
            what = f"it has {size:,} bytes, more than the {FILE_BYTES:,} that are read"
            raise files.NotPlain(self._path, what)
        file.seek(self._at)
        self.half, lines = False, 0
        while not self._ended and (lines % AT_ONCE or not lines or time.monotonic() < until):
            line = file.readline(LINE_BYTES + 1)
            if len(line) > LINE_BYTES:
                where = f"metrics.jsonl, line {self._lines + 1}"
                what = f"it has more than {LINE_BYTES:,} bytes; it and what follows are left out."
                self._ended = f"{where}: {what}"
            elif not line.endswith(b"\n"):
                self.half = bool(line)
                break
            else:
                lines += 1
                self._lines += 1
                self._at += len(line)
                if (wrong := self._take(line)) is not None:
                    self._broken.append((self._lines, wrong))
        self.behind = 0 if self._ended or self.half else max(0, size - self._at)
        begin = max(0, self._at - MARK)
        file.seek(begin)
        self._mark = file.read(self._at - begin)

    def _take(self, line: bytes) -> str | None:
        """Add a line's finite numbers; what is wrong with a line that is not taken."""
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
            clean = self._clean.get(name)
            if clean is None:
                if len(name) > NAME_LENGTH:
                    return f"a name has more than {NAME_LENGTH} characters"
                clean = one_line(name)
                if len(self._clean) < MOST_NAMES:
                    self._clean[name] = clean
            if type(value) is float and -LARGEST <= value <= LARGEST:
                numbers[clean] = value  # nearly all of them
                continue
            if value is None:
                continue  # a number that was not finite when it was logged
            number = _number(value)
            if number is None:
                return f"{clean!r} is no number up to {LARGEST:g}"
            if math.isfinite(number):
                numbers[clean] = number
        return self._add(step, numbers)

    def _add(self, step: float, numbers: dict[str, float]) -> str | None:
        new = numbers.keys() - self.columns.keys()
        if len(self.columns) + len(new) > MOST_NAMES:
            return f"with more than {MOST_NAMES:,} metrics in the file"
        for name in numbers if new else ():
            self.columns.setdefault(name, (array("d"), array("d")))
        for name, number in numbers.items():
            steps, values = self.columns[name]
            steps.append(step)
            values.append(number)
        return None


def read_metrics(path: Path) -> tuple[dict[str, Series], tuple[str, ...]]:
    """Series by name, and sentences on what could not be read."""
    found = MetricsFile(path)
    found.read_on()
    notes = found.notes()
    if found.half:
        notes.insert(0, "The last line of metrics.jsonl is half written and left out.")
    return {name: in_order(*column) for name, column in found.columns.items()}, tuple(notes)


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


def in_order(steps: array, values: array) -> Series:
    """A column of a file by steps."""
    step, value = np.array(steps), np.array(values)
    order = np.argsort(step, kind="stable")
    return Series(step[order], value[order])
