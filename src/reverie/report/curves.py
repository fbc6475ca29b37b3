"""Curves as the page's script takes them."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from reverie.report import balance
from reverie.report.buckets import Buckets, bucketed
from reverie.report.chart import COLORS
from reverie.report.levels import levels
from reverie.report.read import Run

MAIN = ("episode/return", "eval/return", "eval/return_std")
"""Curves of the largest chart."""
FINE, COARSE, LEAST = 512, 128, 16
"""Most stretches of a curve of the largest chart, of another one, and of one among very many."""
BUDGET, FINE_BUDGET = 8_000, 50_000
"""Stretches of a page's curves together, as far as `LEAST` allows, and what the number of all
curves divides for those of the largest chart."""
SINGLE = (1e-37, 3e38)
"""Magnitudes that 32 bits hold."""
WHOLE = 1 << 24
"""Steps up to here are exact in 32 bits."""


def most_of(name: str, curves: int) -> int:
    """Most stretches of the curve `name` on a page of so many curves; an even number."""
    if name in MAIN:
        return max(COARSE, min(FINE, FINE_BUDGET // max(1, curves))) // 2 * 2
    return max(LEAST, min(COARSE, BUDGET // max(1, curves))) // 2 * 2


def embedded(runs: Sequence[Run]) -> dict[str, Any]:
    """All curves of runs, for a page that stands alone."""
    count = sum(len(run.series) for run in runs)
    return {
        "runs": [told(run, index) for index, run in enumerate(runs)],
        "levels": [level._asdict() for level in levels(runs)],
        "curves": {str(index): _curves(run, count) for index, run in enumerate(runs)},
    }


def told(run: Run, index: int) -> dict[str, Any]:
    """A run as the page's script names and draws it."""
    return {
        "id": index,
        "label": run.label,
        "color": index % COLORS,
        "dash": index >= COLORS,
        "end": run.end,
    }


def _curves(run: Run, count: int) -> dict[str, Any]:
    found = {
        name: as_json(bucketed(*series, most_of(name, count)))
        for name, series in run.series.items()
    }
    return once(found | optima(run, count))


def once(curves: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The curves of a run, steps that are those of an earlier curve as `@` and its name."""
    first: dict[str, str] = {}
    owner = {name: first.setdefault(curve["x"], name) for name, curve in curves.items()}
    return {
        name: {**curve, "x": curve["x"] if owner[name] == name else f"@{owner[name]}"}
        for name, curve in curves.items()
    }


def optima(run: Run, count: int, names: Iterable[str] | None = None) -> dict[str, Any]:
    """Where balancing coefficients would stand at their optimum, by their names and `OPTIMUM`; of
    `names` only, where they are given. `count`: curves of the page."""
    return {
        name + OPTIMUM: as_json(bucketed(*best, most_of(name, count)))
        for name in (run.series if names is None else names)
        if (best := balance.optimum(run, name)) is not None
    }


OPTIMUM = " optimum"


def as_json(curve: Buckets, since: int = 0) -> dict[str, Any]:
    """A curve from its stretch `since` on: `n` points in stretches of `w`, the `last` value, mean
    steps `x` and mean values `y` of the stretches, and `lo` and `hi` where these are not `y`."""
    step, part = curve.steps(), slice(since, None)
    order: Any = part
    if np.any(np.diff(step) < 0):  # a file whose steps go back and forth
        since, order = 0, np.argsort(step, kind="stable")
    found: dict[str, Any] = {
        "n": curve.count,
        "w": curve.width,
        "from": since,
        "last": curve.last,
        "x": packed(step[order], whole=True),
        "y": packed(curve.means()[order]),
    }
    if curve.width > 1:
        found |= {"lo": packed(curve.low[order]), "hi": packed(curve.high[order])}
    return found


def packed(values: np.ndarray, *, whole: bool = False) -> str:
    """Numbers as `f:` or `d:` and base64 of them in 32 or 64 bits, the lowest byte first.

    32 bits are taken where they hold the magnitudes; of `whole` ones where they hold every one.
    """
    size = np.abs(values[values != 0])
    fits = not len(size) or (SINGLE[0] < size.min() and size.max() < SINGLE[1])
    single = fits and not (whole and len(size) and size.max() > WHOLE)
    data = values.astype("<f4" if single else "<f8").tobytes()
    return f"{'f' if single else 'd'}:{base64.b64encode(data).decode()}"
