"""Dreams and episodes of a run on a page: embedded, or linked to."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup

from reverie import files
from reverie.report.chart import Chart, Line, draw
from reverie.report.read import ReportError, Run
from reverie.watch.text import one_line
from reverie.watch.video import MediaFile, load_curves

LARGEST = 12_000_000
"""Most bytes of a video or picture that is embedded."""
MOST_FILMS = 24
"""Most names of videos that are shown, of each kind."""
MOST_CURVES = 12
MOST_STEPS = 500
"""Most steps of one film that a page offers."""
EMBEDDED, FURTHER = 8, 8_000_000
"""Most steps of one film that are embedded, and most bytes of those between first and newest."""
TYPES = {"mp4": "video/mp4", "png": "image/png"}
MARKS = {"mp4": (4, b"ftyp"), "png": (0, b"\x89PNG\r\n\x1a\n")}
"""What a file of each type has at which byte: nothing else is embedded."""


@dataclass(frozen=True)
class Shot:
    """What was recorded at one step; addresses, "" where there is none."""

    step: int
    video: str
    still: str


@dataclass(frozen=True)
class Clip:
    """One thing that was filmed again and again."""

    title: str
    shots: Sequence[Shot]  # by step, the newest last; at least one
    early: bool  # whether the first still is shown beside the newest
    left_out: int  # steps that are not among the shots
    missing: str  # why something is not shown

    @property
    def newest(self) -> Shot:
        """The shot that is shown at first."""
        return self.shots[-1]


Link = Callable[[Run, Path, list[str]], str]
"""Gives the address of a file of a run on the page; "" and a sentence where it has none."""


@dataclass(frozen=True)
class VectorDream:
    """Truth and dream of the numbers of an observation, one chart a number."""

    step: int
    context: int
    charts: Sequence[tuple[str, Markup]]
    left_out: int
    missing: str = ""  # why there are no charts


def dreams(run: Run, link: Link | None = None) -> list[Clip]:
    """The open-loop videos of every picture key. `link`: None embeds them, as many as fit."""
    return [_film(run, files, link, both=True) for files in _by_name(run, dream=True)]


def episodes(run: Run, link: Link | None = None) -> list[Clip]:
    """The videos of every kind of episode (`eval`, `train`, …); `link` as in `dreams`."""
    return [_film(run, files, link, both=False) for files in _by_name(run, dream=False)]


def vector_dream(run: Run) -> VectorDream | None:
    """Curves of the newest open-loop prediction of vectors; None without one."""
    files = [file for file in run.media if file.kind == "npz"]
    if not files:
        return None
    newest = max(files, key=lambda file: file.step)
    try:
        curves = load_curves(newest.path)
    except (OSError, ValueError) as error:
        missing = one_line(f"{newest.path.name} cannot be read: {error}")
        return VectorDream(newest.step, 0, (), 0, missing)
    rows = np.arange(len(curves.truth))
    # The numbers that move most come first: a constant one tells nothing about a dream.
    order = np.argsort(-curves.truth.std(axis=0), kind="stable")[:MOST_CURVES]
    charts = [
        (
            one_line(curves.names[index]),
            _compare(rows, curves.truth[:, index], curves.prediction[:, index], curves.context),
        )
        for index in sorted(order)
    ]
    return VectorDream(newest.step, curves.context, charts, len(curves.names) - len(order))


def _compare(rows: np.ndarray, truth: np.ndarray, dream: np.ndarray, context: int) -> Markup:
    lines = [Line(rows, truth, "truth", -1), Line(rows, dream, "dream", 1)]
    chart = Chart(
        lines,
        title="truth and dream over time",
        x_range=(0.0, float(max(1, len(rows) - 1))),
        observed=max(0.0, context - 0.5),
        x_name="row",
    )
    return draw(chart)


def _by_name(run: Run, *, dream: bool) -> list[list[MediaFile]]:
    groups: dict[str, list[MediaFile]] = {}
    for file in run.media:
        if file.kind in TYPES and file.name.startswith("openloop") == dream:
            groups.setdefault(file.name, []).append(file)
    return list(groups.values())[:MOST_FILMS]


def _film(run: Run, files: Sequence[MediaFile], link: Link | None, *, both: bool) -> Clip:
    """Files of one name as a film; `both` shows the first still beside the newest."""
    by_step: dict[int, dict[str, Path]] = {}
    for file in files:
        by_step.setdefault(file.step, {})[file.kind] = file.path
    steps = _that_fit(by_step) if link is None else sorted(by_step)[-MOST_STEPS:]
    missing: list[str] = []
    shots = []
    for step in steps:
        found = {kind: (link or _embed)(run, path, missing) for kind, path in by_step[step].items()}
        shots.append(Shot(step, found.get("mp4", ""), found.get("png", "")))
    title = files[0].name
    return Clip(
        title=title.removeprefix("openloop").strip("_") or title,
        shots=shots,
        early=both and len(shots) > 1 and bool(shots[0].still),
        left_out=len(by_step) - len(shots),
        missing=" ".join(missing),
    )


def _that_fit(by_step: Mapping[int, Mapping[str, Path]]) -> list[int]:
    """The steps that are embedded: the first, the newest, and others evenly spread between them,
    as far as these are small."""
    steps = sorted(by_step)
    for count in range(min(EMBEDDED, len(steps)), 2, -1):
        places = np.linspace(0, len(steps) - 1, count).round().astype(int)
        chosen = [steps[place] for place in places]
        between = [path for step in chosen[1:-1] for path in by_step[step].values()]
        if sum(path.lstat().st_size for path in between if path.exists()) <= FURTHER:
            return chosen
    return steps[:1] + steps[1:][-1:]


def _embed(run: Run, path: Path, missing: list[str]) -> str:
    """A file as a data URI; "" and a sentence for `missing` where it is not what it should be."""
    try:
        kind, data = read(path)
    except ReportError as error:
        missing.append(str(error))
        return ""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def read(path: Path) -> tuple[str, bytes]:
    """Type and bytes of a video or still. Raises ReportError where it is not what its name says, or
    too large."""
    kind = path.suffix[1:]
    begin, mark = MARKS[kind]
    try:
        if path.lstat().st_size > LARGEST:
            raise ReportError(f"Too large to show: videos/{path.name}.")
        data = files.read(path, LARGEST)
    except OSError as error:
        raise ReportError(f"videos/{path.name} cannot be read: {error.strerror}.") from error
    if data[begin : begin + len(mark)] != mark:
        raise ReportError(f"videos/{path.name} is no {kind} file.")
    return TYPES[kind], data
