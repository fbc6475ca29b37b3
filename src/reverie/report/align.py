"""Curves of several runs on one grid of environment steps."""

from collections.abc import Sequence

import numpy as np

from reverie.report.read import Series

POINTS = 60
LAST_SHARE = 0.1


def end_of(series: Series) -> float:
    """The last step of a curve; 0 where there is none."""
    return float(series.step[-1]) if len(series.step) else 0.0


def common_grid(curves: Sequence[Series], end: float, points: int = POINTS) -> np.ndarray:
    """Steps (N,) at which all curves have a value, none behind `end`.

    The steps of the measurements themselves where all curves share them and they are few, else
    `points` even ones. The first is where the last curve to begin begins.
    """
    first = curves[0].step[curves[0].step <= end]
    shared = all(np.array_equal(curve.step[curve.step <= end], first) for curve in curves)
    if shared and 1 <= len(first) <= 2 * points and len(np.unique(first)) == len(first):
        return first
    begin = max(float(curve.step[0]) for curve in curves)
    return np.linspace(begin, end, points) if end > begin else np.array([float(end)])


def on_grid(series: Series, grid: np.ndarray) -> np.ndarray:
    """The curve at the steps of `grid` (N,): the mean since the grid's step before.

    At its first step, and where nothing was measured since the step before, it is the last value
    that was measured until then. Every curve must begin at or before the first step.
    """
    last = np.searchsorted(series.step, grid, side="right")
    assert last[0] > 0, "the grid begins before the curve"
    total = np.concatenate([[0.0], np.cumsum(series.value)])
    before = np.concatenate([[last[0] - 1], last[:-1]])
    count = last - before
    means = (total[last] - total[before]) / np.maximum(count, 1)
    return np.where(count > 0, means, series.value[last - 1])


def last_value(series: Series, end: float) -> float:
    """The last measurement at or before `end`; NaN where there is none."""
    index = np.searchsorted(series.step, end, side="right")
    return float(series.value[index - 1]) if index else float("nan")


def last_mean(series: Series, end: float, share: float = LAST_SHARE) -> float:
    """Mean over the last `share` of the steps up to `end`; the last value where that is empty."""
    return window_mean(series, end * (1 - share), end, otherwise=last_value(series, end))


def window_mean(
    series: Series, begin: float, end: float, *, otherwise: float = float("nan")
) -> float:
    """Mean of the values with `begin` < step ≤ `end`; `otherwise` where there are none."""
    inside = (series.step > begin) & (series.step <= end)
    return float(series.value[inside].mean()) if inside.any() else otherwise


def area(grid: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean height of curves (…, N) over the grid (N,): the trapezoid rule by its length."""
    if len(grid) == 1:
        return values[..., 0]
    return np.trapezoid(values, grid, axis=-1) / (grid[-1] - grid[0])
