"""Line charts as inline SVG, with the numbers beside them for the pointer."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from markupsafe import Markup, escape

from reverie.report.scale import Scale, spread, tick_label

COLORS = 6


@dataclass(frozen=True)
class Line:
    """One curve. `color` picks a colour of the page's palette, −1 the colour of text."""

    x: np.ndarray  # (N,)
    y: np.ndarray  # (N,)
    label: str = ""
    color: int = 0
    kind: Literal["line", "faint", "points", "band"] = "line"  # of a `band` only the area
    error: np.ndarray | None = None  # (N,) half length of the bars of points
    band: tuple[np.ndarray, np.ndarray] | None = None  # (N,) each, NaN where there is none


@dataclass(frozen=True)
class Chart:
    """What a chart shows and how large its paper is."""

    lines: Sequence[Line]
    title: str  # for readers that cannot see
    width: int = 340
    height: int = 170
    x_range: tuple[float, float] | None = None
    observed: float | None = None  # x up to which a dream was still observation
    x_name: str = "step"
    margin: tuple[int, int, int, int] = field(default=(10, 10, 24, 44))  # top right bottom left


def draw(chart: Chart) -> Markup:
    """The chart as SVG and, for the pointer, its curves as JSON; both stand in one `<div>`."""
    lines, x, y, inner = _parts(chart)
    return Markup(
        f'<div class="chart">{_svg(chart, inner)}'
        f'<script type="application/json">{_numbers(chart, lines, x, y)}</script></div>'
    )


def svg(chart: Chart) -> Markup:
    """The chart as SVG alone, for a page whose script draws it anew."""
    return Markup(_svg(chart, _parts(chart)[3]))


def _svg(chart: Chart, inner: str) -> str:
    return (
        f'<svg viewBox="0 0 {chart.width} {chart.height}" role="img" '
        f'aria-label="{escape(chart.title)}">{inner}</svg>'
    )


def picture(chart: Chart) -> str:
    """The chart as an SVG file that stands alone, with its title and a legend."""
    lines, _, _, inner = _parts(chart)
    named = [line for line in lines if line.label and line.kind != "faint"]
    legend = "".join(
        f'<text class="name c{line.color % COLORS}" x="{chart.margin[3]}" '
        f'y="{chart.height + 34 + 18 * row}">{escape(line.label)}</text>'
        for row, line in enumerate(named)
    )
    tall = chart.height + 44 + 18 * len(named)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 -22 {chart.width} {tall}" '
        f'width="{chart.width}" height="{tall}"><style>{STYLE}</style>'
        f'<rect x="0" y="-22" width="{chart.width}" height="{tall}" fill="#fff"/>'
        f'<text class="name" x="{chart.margin[3]}" y="-6">{escape(chart.title)}</text>'
        f"{inner}{legend}</svg>\n"
    )


STYLE = (
    "text{font:11px sans-serif;fill:#667}.tick.y{text-anchor:end}.tick.x{text-anchor:middle}"
    ".name{font-size:13px;fill:currentColor}.grid{stroke:#eee}.axis{stroke:#ccc}"
    "polyline{fill:none;stroke:currentColor;stroke-width:1.9}.faint{stroke-width:1;opacity:.26}"
    ".dash{stroke-dasharray:5 4}.dot,.band{fill:currentColor}.band{opacity:.16}.ink{color:#223}"
    ".c0{color:#0069a8}.c1{color:#d0560a}.c2{color:#008a66}.c3{color:#b0478f}.c4{color:#8a6d00}"
    ".c5{color:#3d9fd6}"
)
"""The page's colours and lines, for a picture without the page."""


def _parts(chart: Chart) -> tuple[list[Line], Scale, Scale, str]:
    """The lines that have points, both scales, and what stands inside the SVG."""
    lines = [line for line in chart.lines if len(line.x)]
    values = np.concatenate([_extent(line) for line in lines]) if lines else np.zeros(0)
    top, right, bottom, left = chart.margin
    x_range = chart.x_range or spread(np.concatenate([line.x for line in lines]))
    x = Scale(*x_range, left, chart.width - right)
    y = Scale(*spread(values), chart.height - bottom, top)
    parts = [*_axes(chart, x, y), *(_band(line, x, y) for line in lines if line.band)]
    for kind in ("faint", "line", "points"):
        parts += [_curve(line, x, y) for line in lines if line.kind == kind]
    parts.append('<g class="hover"></g>')
    return lines, x, y, "".join(parts)


def _extent(line: Line) -> np.ndarray:
    if line.band is not None:
        values = np.concatenate([line.y, *line.band])
        return values[np.isfinite(values)]
    if line.error is None:
        return line.y
    return np.concatenate([line.y - line.error, line.y + line.error])


def _axes(chart: Chart, x: Scale, y: Scale) -> list[str]:
    parts = []
    if chart.observed is not None:
        edge = float(x(chart.observed))
        parts.append(
            f'<rect class="observed" x="{x.start}" y="{y.end}" width="{edge - x.start:.1f}" '
            f'height="{y.start - y.end}"/>'
        )
    for tick in y.ticks(4 if chart.height < 250 else 5):
        at = float(y(tick))
        parts.append(
            f'<line class="grid" x1="{x.start}" x2="{x.end}" y1="{at:.1f}" y2="{at:.1f}"/>'
        )
        parts.append(
            f'<text class="tick y" x="{x.start - 6}" y="{at + 3.5:.1f}">{tick_label(tick)}</text>'
        )
    for tick in x.ticks(4 if chart.width < 500 else 8):
        at = float(x(tick))
        parts.append(
            f'<text class="tick x" x="{at:.1f}" y="{y.start + 16}">{tick_label(tick)}</text>'
        )
    parts.append(f'<line class="axis" x1="{x.start}" x2="{x.end}" y1="{y.start}" y2="{y.start}"/>')
    return parts


def _band(line: Line, x: Scale, y: Scale) -> str:
    """The area between the two curves of a band; nothing where they are not numbers."""
    assert line.band is not None
    low, high = line.band
    good = np.isfinite(low) & np.isfinite(high)
    px, top, bottom = x(line.x[good]), y(high[good]), y(low[good])
    edge = [*zip(px, top, strict=True), *zip(px[::-1], bottom[::-1], strict=True)]
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in edge)
    return f'<polygon class="band c{line.color % COLORS}" points="{points}"/>' if edge else ""


def _curve(line: Line, x: Scale, y: Scale) -> str:
    color = "ink" if line.color < 0 else f"c{line.color % COLORS}"
    dash = " dash" if line.color >= COLORS else ""
    px, py = x(line.x), y(line.y)
    if line.kind == "points":
        bars = "" if line.error is None else _bars(line, px, y)
        dots = "".join(
            f'<path d="M{a:.1f} {b - 5:.1f}l5 5-5 5-5-5z"/>' for a, b in zip(px, py, strict=True)
        )
        return f'<g class="points {color}">{bars}{dots}</g>'
    if len(px) == 1:
        return f'<circle class="dot {color}" cx="{px[0]:.1f}" cy="{py[0]:.1f}" r="3"/>'
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(px, py, strict=True))
    return f'<polyline class="{line.kind} {color}{dash}" points="{points}"/>'


def _bars(line: Line, px: np.ndarray, y: Scale) -> str:
    assert line.error is not None
    low, high = y(line.y - line.error), y(line.y + line.error)
    return "".join(
        f'<line x1="{a:.1f}" x2="{a:.1f}" y1="{b:.1f}" y2="{c:.1f}"/>'
        for a, b, c in zip(px, low, high, strict=True)
    )


def _interval(line: Line) -> dict[str, list[float | None]]:
    """Bounds of a band for the pointer; null where there are none."""
    if line.band is None:
        return {}
    low, high = ([float(f"{v:.4g}") if np.isfinite(v) else None for v in b] for b in line.band)
    return {"low": low, "high": high}


def _numbers(chart: Chart, lines: Sequence[Line], x: Scale, y: Scale) -> str:
    """What the page's script needs to answer the pointer."""
    curves = [
        {
            "label": line.label,
            "color": "ink" if line.color < 0 else f"c{line.color % COLORS}",
            "x": [float(f"{v:.8g}") for v in line.x],
            "y": [float(f"{v:.4g}") for v in line.y],
            "py": [round(float(v), 1) for v in y(line.y)],
            **_interval(line),
        }
        for line in lines
        if line.kind != "faint"
    ]
    paper = {"x": [x.low, x.high, x.start, x.end], "y": [y.end, y.start], "name": chart.x_name}
    return json.dumps(paper | {"curves": curves}, separators=(",", ":")).replace("<", "\\u003c")
