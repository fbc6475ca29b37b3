"""Numbers of a dream as pictures: a panel each, with a mark at the row that is shown."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from reverie.dream.branch import Row
from reverie.records import component_names

WIDTH, HEIGHT = 200, 48
"""Pixels of a panel."""
DEEP = 4
"""Panels above one another; a further column begins after so many."""
MOST = 8
"""Panels of a film; numbers that vary least are left out, and the last line says how many."""
LINE = 12
"""Pixels of a line of text."""
INK, DREAM, MARK, PAPER = (40, 42, 50), (208, 86, 10), (150, 150, 150), (255, 255, 255)


class Track(NamedTuple):
    """One number along T rows; not a number where it is not known."""

    name: str
    dream: np.ndarray  # (T,)
    real: np.ndarray  # (T,)


def tracks(rows: Sequence[Row]) -> list[Track]:
    """All numbers and classes that are shown in these rows, those first that vary most."""
    found = []
    for key, value in sorted(rows[-1].shown.items()):
        if value.dtype == np.uint8:
            continue
        dream = np.stack([row.shown[key].reshape(-1) for row in rows]).astype(np.float64)
        missing = np.full(value.size, np.nan)
        real = np.stack([missing if r.real is None else r.real[key].reshape(-1) for r in rows])
        names = component_names(key, value.size)
        found += [Track(name, dream[:, i], real[:, i]) for i, name in enumerate(names)]
    return sorted(found, key=lambda track: -float(track.dream.std()))


def frames(rows: Sequence[Row]) -> np.ndarray:
    """(T, H, W, 3) uint8: dark what was real, in colour what was dreamed."""
    found = tracks(rows)
    drawn = found[:MOST]
    places = [(WIDTH * (i // DEEP), HEIGHT * (i % DEEP)) for i in range(len(drawn))]
    columns = -(-len(drawn) // DEEP)
    high = HEIGHT * min(DEEP, len(drawn)) + LINE
    paper = Image.new("RGB", (WIDTH * columns, high), PAPER)
    pen = ImageDraw.Draw(paper)
    for track, place in zip(drawn, places, strict=True):
        _panel(pen, track, place)
    left = len(found) - len(drawn)
    more = f", {left} more vary less" if left else ""
    pen.text((2, high - LINE), f"dark: reality, orange: dream{more}", fill=INK)
    return np.stack([_marked(paper, places, at, len(rows)) for at in range(len(rows))])


def _panel(pen: ImageDraw.ImageDraw, track: Track, place: tuple[int, int]) -> None:
    """The name of a number, its lines and their range."""
    both = np.concatenate([track.dream, track.real])
    low, high = np.nanmin(both), np.nanmax(both)
    pen.text((place[0] + 2, place[1]), f"{track.name} {low:.3g} ... {high:.3g}", fill=INK)
    wide = high - low if high > low else 1.0
    for values, ink in ((track.real, INK), (track.dream, DREAM)):
        across = [_across(place[0], at, len(values)) for at in range(len(values))]
        down = place[1] + HEIGHT - 3 - (HEIGHT - LINE - 6) * (values - low) / wide
        known = np.isfinite(values)
        for at in range(1, len(values)):
            if known[at - 1] and known[at]:
                pen.line((across[at - 1], down[at - 1], across[at], down[at]), fill=ink)


def _across(left: int, at: int, count: int) -> float:
    return left + 3 + (WIDTH - 6) * at / max(1, count - 1)


def _marked(
    paper: Image.Image, places: Sequence[tuple[int, int]], at: int, count: int
) -> np.ndarray:
    """The panels with a mark at row `at`."""
    marked = paper.copy()
    pen = ImageDraw.Draw(marked)
    for left, top in places:
        across = _across(left, at, count)
        pen.line((across, top + LINE, across, top + HEIGHT - 1), fill=MARK)
    return np.asarray(marked)
