"""One run folder, read on where reading stopped."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reverie.live.known import Known
from reverie.live.tracked import Tracked
from reverie.report.curves import as_json, most_of, optima
from reverie.report.head import Head, ReportError
from reverie.report.metrics import MetricsFile, Series, in_order
from reverie.report.read import Run, head_of, odd_note
from reverie.watch.text import one_line
from reverie.watch.video import MediaFile, media_of


class Sorted(Mapping[str, Series]):
    """The metrics of a file that grows, each put in order when somebody asks for it."""

    def __init__(self, file: MetricsFile):
        self._file = file
        self._known: dict[str, Series] = {}

    def __getitem__(self, name: str) -> Series:
        steps, values = self._file.columns[name]
        known = self._known.get(name)
        if known is None or len(known.value) != len(values):
            known = self._known[name] = in_order(steps, values)
        return known

    def __iter__(self) -> Iterator[str]:
        return iter(self._file.columns)

    def __len__(self) -> int:
        return len(self._file.columns)

    def forget(self) -> None:
        """What the file was before."""
        self._known.clear()


class Watched:
    """A folder that is, or becomes, the folder of a run.

    Args:
        path: the folder.
        number: tells it apart from others for good.
    """

    def __init__(self, path: Path, number: int):
        self.path, self.number = path, number
        self.head: Head | None = None
        self.trouble = ""  # why it is not shown
        self.media: tuple[MediaFile, ...] = ()
        self.curves: dict[str, Tracked] = {}
        self._file = MetricsFile(path / "metrics.jsonl")
        self._series = Sorted(self._file)
        self._gone: dict[str, int] = {}
        self._odd: list[str] = []
        self._end, self._stamp = 0.0, (-1, -1, -1)

    def refresh(self, version: int, until: float) -> None:
        """Read what is new, of metrics as far as `time.monotonic()` is below `until`."""
        self._look_at_head()
        if self.head is None:
            return
        if not self._file.read_on(until):
            self._begin_again(version)
        for name, (steps, values) in self._file.columns.items():
            self._take(version, name, steps, values)
        media, odd = media_of(self.path)
        self.media, self._odd = tuple(media), odd_note(odd)

    def behind(self) -> int:
        """Bytes of metrics that were not read yet."""
        return self._file.behind

    def run(self, label: str) -> Run:
        """What is known now."""
        assert self.head is not None
        head = self.head
        return Run(
            path=self.path,
            label=one_line(label),
            config=head.config,
            versions=head.versions,
            command=head.command,
            facts=head.facts,
            series=self._series,
            media=self.media,
            notes=(*head.notes, *self._file.notes(), *self._odd),
            end=self._end,
        )

    def news(self, run: Run, known: Known) -> dict[str, Any]:
        """Curves that changed since the page was told of them; None for those that are no more."""
        found: dict[str, Any] = {
            name: None for name, version in self._gone.items() if version > known.since
        }
        changed = {
            name: first
            for name, curve in self.curves.items()
            if (version := known.version_of(name)) is not None
            and (first := curve.unknown(version)) is not None
        }
        found |= {name: as_json(self.curves[name].curve, n) for name, n in changed.items()}
        return found | optima(run, 1, changed)

    def _look_at_head(self) -> None:
        """Read config.json where it is another than before."""
        try:
            state = os.lstat(self.path / "config.json")
            stamp = (state.st_ino, state.st_size, state.st_mtime_ns)
        except OSError:
            stamp = (0, 0, 0)
        if stamp == self._stamp and not self.trouble:
            return
        try:
            self.head, self.trouble = head_of(self.path), ""
        except ReportError as error:
            self.head, self.trouble = None, str(error)
        self._stamp = stamp

    def _begin_again(self, version: int) -> None:
        """The run went back: what was known of it does not hold."""
        self._gone |= dict.fromkeys(self.curves, version)
        self.curves.clear()
        self._series.forget()
        self._end = 0.0

    def _take(self, version: int, name: str, steps: Any, values: Any) -> None:
        """New points of a metric."""
        known = self.curves.get(name)
        if known is None:
            known = self.curves[name] = Tracked(most_of(name, 1))
            self._gone.pop(name, None)
        begin = known.curve.count
        if len(values) > begin:
            step = np.array(steps[begin:])
            known.add(version, step, np.array(values[begin:]))
            self._end = max(self._end, float(step.max()))
