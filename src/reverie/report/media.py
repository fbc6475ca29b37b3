"""Dreams and episodes of a run, embedded in the page."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup

from reverie import files
from reverie.report.chart import Chart, Line, draw
from reverie.report.read import Run
from reverie.watch.text import one_line
from reverie.watch.video import MediaFile, load_curves

LARGEST = 12_000_000
"""Most bytes of a video or picture that is embedded."""
MOST_FILMS = 24
"""Most names of videos that are shown, of each kind."""
MOST_CURVES = 12
TYPES = {"mp4": "video/mp4", "png": "image/png"}
MARKS = {"mp4": (4, b"ftyp"), "png": (0, b"\x89PNG\r\n\x1a\n")}
"""What a file of each type has at which byte: nothing else is embedded."""


@dataclass(frozen=True)
class Clip:
    """A video and its stills, as data URIs ("" where there is none)."""

    title: str
    step: int
    video: str
    stills: Sequence[tuple[int, str]]  # (environment step, picture)
    missing: str  # why the video is not embedded


@dataclass(frozen=True)
class VectorDream:
    """Truth and dream of the numbers of an observation, one chart a number."""

    step: int
    context: int
    charts: Sequence[tuple[str, Markup]]
    left_out: int
    missing: str = ""  # why there are no charts


def dreams(run: Run) -> list[Clip]:
    """The newest open-loop video of every picture key, with the first still beside the last."""
    return [_film(files, both=True) for files in _by_name(run, dream=True)]


def episodes(run: Run) -> list[Clip]:
    """The newest video of every kind of episode (`eval`, `train`, …)."""
    return [_film(files, both=False) for files in _by_name(run, dream=False)]


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


def _film(files: Sequence[MediaFile], *, both: bool) -> Clip:
    """Files of one name as a film; `both` shows the first still beside the last."""
    videos = [file for file in files if file.kind == "mp4"]
    stills = [file for file in files if file.kind == "png"]
    newest = max(files, key=lambda file: file.step)
    chosen = ([stills[0]] if both and len(stills) > 1 else []) + stills[-1:]
    missing: list[str] = []
    return Clip(
        title=newest.name.removeprefix("openloop").strip("_") or newest.name,
        step=newest.step,
        video=_embed(videos[-1].path, missing) if videos else "",
        stills=[(f.step, uri) for f in chosen if (uri := _embed(f.path, missing))],
        missing=" ".join(missing),
    )


def _embed(path: Path, missing: list[str]) -> str:
    """A file as a data URI; "" and a sentence for `missing` where it is not what it should be."""
    kind = path.suffix[1:]
    begin, mark = MARKS[kind]
    try:
        if path.lstat().st_size > LARGEST:
            missing.append(f"Too large to embed: videos/{path.name}.")
            return ""
        data = files.read(path, LARGEST)
    except OSError as error:
        missing.append(f"videos/{path.name} cannot be read: {error.strerror}.")
        return ""
    if data[begin : begin + len(mark)] != mark:
        missing.append(f"videos/{path.name} is no {kind} file.")
        return ""
    return f"data:{TYPES[kind]};base64,{base64.b64encode(data).decode()}"
