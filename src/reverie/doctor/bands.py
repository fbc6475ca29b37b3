"""What the agent sees in the course of some episodes, key by key: pictures, numbers, classes."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from reverie.doctor.sheet import COLUMNS, GAP, TILE, contact_sheet, stacked
from reverie.records import Array, Spec, Specs, component_names
from reverie.watch.text import number, one_line

WIDTH = COLUMNS * (TILE + GAP)
"""Pixels of a chart, with its names."""
HEIGHT = 150
"""Pixels of a chart."""
ROWS = 200
"""Most rows of a chart, and rows over which pictures are spread."""
NUMBERS = 10_000_000
"""Most numbers of one chart that are looked at."""
LINES = 8
"""Most components of a chart, those that vary most."""
NAMES = 170
"""Pixels at the right of a chart for the names of its lines."""
MARGIN = 56
"""Pixels at its left for the numbers of its axis."""
LETTERS = 13
"""Height of letters, pixels."""
LONGEST = 110
"""Characters of a caption."""
COLORS = ("#0069a8", "#d0560a", "#008a66", "#b0478f", "#8a6d00", "#3d9fd6", "#1c1e26", "#8b909c")


def full_sheet(specs: Specs, shown: Sequence[dict[str, Array]], begins: Sequence[int]) -> Array:
    """One band with its caption for every key, uint8 (H, W, 3); None where nothing was seen.

    Args:
        specs: what the observation has.
        shown: observations, row by row, over episodes.
        begins: rows at which an episode begins.
    """
    rows = shown[:ROWS]
    starts = [begin for begin in begins if 0 < begin < len(rows)]
    return stacked([_band(key, spec, rows, starts) for key, spec in specs.items() if rows])


def captioned(text: str, body: Array) -> Array:
    """A band under its caption."""
    room = Image.new("RGB", (max(body.shape[1], WIDTH), LETTERS + 15), "white")
    short = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    ImageDraw.Draw(room).text((2, 9), short, fill="#1c1e26", font=_font())
    return stacked([np.asarray(room), body])


def describe(spec: Spec) -> str:
    """A key of an observation in words."""
    classes = f", {max(spec.classes)} classes" if spec.classes else ""
    return f"{spec.kind} {'x'.join(map(str, spec.shape)) or 'scalar'}{classes}"


def _band(key: str, spec: Spec, rows: Sequence[dict[str, Array]], starts: Sequence[int]) -> Array:
    """A key under what it is, and what it was in these rows."""
    what = f"{one_line(key)}: {describe(spec)}"
    if spec.kind == "image":
        seen = f"{min(COLUMNS, len(rows))} of the first {len(rows)} rows, in their order"
        return captioned(f"{what}; {seen}", contact_sheet([row[key] for row in rows]))
    values = _values(key, rows)
    more = f"; {LINES} of {spec.size} that vary most" if spec.size > LINES else ""
    return captioned(f"{what}; {_seen(spec, values)}{more}", _chart(key, spec, values, starts))


def _seen(spec: Spec, values: Array) -> str:
    """Classes that were seen, or the interval of numbers."""
    if spec.kind == "discrete":
        found = np.unique(values)
        return f"seen: {', '.join(map(str, found[:LINES].astype(int)))}" + (
            ", …" if len(found) > LINES else ""
        )
    finite = values[np.isfinite(values)]
    if not len(finite):
        return "no finite number"
    return f"from {number(float(finite.min()))} to {number(float(finite.max()))}"


def _values(key: str, rows: Sequence[dict[str, Array]]) -> Array:
    """(rows, components) float64; fewer rows of very long ones."""
    fit = max(2, NUMBERS // max(1, np.size(rows[0][key])))
    return np.stack([np.asarray(row[key], np.float64).reshape(-1) for row in rows[:fit]])


def _chart(key: str, spec: Spec, values: Array, starts: Sequence[int]) -> Array:
    """Lines of numbers, or steps of classes, over rows; grey lines where episodes begin."""
    paper = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(paper)
    low, high = _interval(spec, values)
    right, bottom = WIDTH - NAMES, HEIGHT - 8

    def at(row: float, value: float) -> tuple[float, float]:
        across = row / max(1, len(values) - 1)
        return MARGIN + across * (right - MARGIN), bottom - (value - low) / (high - low) * (
            bottom - 6
        )

    for start in (start for start in starts if start < len(values)):
        draw.line((at(start, low), at(start, high)), fill="#d9d9d4")
    for value in _ticks(spec, values):
        text = f"{value:.0f}" if spec.kind == "discrete" else number(value)
        draw.text((MARGIN - 6, at(0, value)[1]), text, fill="#5b606e", font=_font(), anchor="rm")
    names = component_names(key, values.shape[1])
    order = sorted(np.argsort(-_spread(values), kind="stable")[:LINES])
    for place, index in enumerate(order):
        color = COLORS[place]
        for points in _lines(values[:, index], spec.kind == "discrete"):
            draw.line([at(*point) for point in points], fill=color, width=2)
        label = one_line(names[index])[:24]
        draw.text((right + 10, 4 + place * (LETTERS + 4)), label, fill=color, font=_font())
    return np.asarray(paper)


def _interval(spec: Spec, values: Array) -> tuple[float, float]:
    """What the axis holds: all classes, or the finite numbers with a little air."""
    if spec.kind == "discrete":
        return 0.0, float(max(1, max(spec.classes) - 1))
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    pad = 0.04 * (high - low) or max(1e-6, 0.1 * abs(high))
    return low - pad, high + pad


def _ticks(spec: Spec, values: Array) -> list[float]:
    """Classes, at most about eight; of numbers the least, the largest, and 0 between them."""
    if spec.kind == "discrete":
        count = max(spec.classes)
        return [float(value) for value in range(0, count, max(1, -(-count // 8)))]
    finite = values[np.isfinite(values)]
    if not len(finite):
        return []
    low, high = float(finite.min()), float(finite.max())
    near = 0.15 * (high - low)
    middle = [0.0] if low + near < 0.0 < high - near else []
    return [low, *middle, *([high] if high > low else [])]


def _lines(column: Array, steps: bool) -> list[list[tuple[float, float]]]:
    """Runs of finite points; of classes with the corners between them."""
    found: list[list[tuple[float, float]]] = [[]]
    for row, value in enumerate(column.tolist()):
        if not np.isfinite(value):
            found.append([])
            continue
        if steps and found[-1]:
            found[-1].append((row, found[-1][-1][1]))
        found[-1].append((row, value))
    return [line if len(line) > 1 else line * 2 for line in found if line]


def _spread(values: Array) -> Array:
    """How much each component varies, (components,)."""
    kept = np.where(np.isfinite(values), values, np.nan)
    known = np.isfinite(values).any(0)
    spread = np.zeros(values.shape[1])
    spread[known] = np.nanstd(kept[:, known], axis=0)
    return spread


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=LETTERS)
