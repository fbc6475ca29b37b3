"""Curves made readable: smoothing and thinning."""

import math

import numpy as np

from reverie.report.read import Series

BUCKETS = 300


def window_of(count: int, share: float, least: int = 1) -> int:
    """Points a smoothed value averages: a `share` of the curve, at least one; `least` points
    where these are no more than an eighth of it."""
    return max(1, math.ceil(count * share), min(least, math.ceil(count / 8)))


def trailing_mean(series: Series, window: int) -> Series:
    """Mean of each point and the `window` − 1 points before it (of fewer at the beginning)."""
    if len(series.value) == 0:
        return series
    total = np.concatenate([[0.0], np.cumsum(series.value)])
    end = np.arange(1, len(series.value) + 1)
    begin = np.maximum(0, end - window)
    return Series(series.step, (total[end] - total[begin]) / (end - begin))


def thin(series: Series, buckets: int = BUCKETS) -> Series:
    """At most `buckets` + 1 points: the first, and the last one of every stretch of equal length.

    Meant for smoothed curves, where neighbours say nearly the same.
    """
    if len(series.step) <= buckets:
        return series
    ends = _edges(len(series.step), buckets)[1:] - 1
    keep = np.concatenate([[0], ends])
    return Series(series.step[keep], series.value[keep])


def _edges(count: int, buckets: int) -> np.ndarray:
    return np.linspace(0, count, buckets + 1).astype(int)
