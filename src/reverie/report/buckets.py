"""Long curves as few stretches: what lies in each at most, at least and on average."""

from typing import NamedTuple

import numpy as np


class Buckets(NamedTuple):
    """A curve cut into stretches of `width` points each; the last one may have fewer.

    Longer curves have wider stretches: there are never more than `most` of them, and more than
    half as many where the curve has that many points. Nothing of it depends on how the points came
    in: one after the other, or all at once.
    """

    most: int
    width: int = 1
    count: int = 0  # points in all
    step: np.ndarray = np.zeros(0)  # (N,) sums over the points of a stretch
    total: np.ndarray = np.zeros(0)  # (N,) sums
    low: np.ndarray = np.zeros(0)  # (N,)
    high: np.ndarray = np.zeros(0)  # (N,)
    last: float = 0.0  # value of the newest point

    def sizes(self) -> np.ndarray:
        """Points of every stretch, (N,)."""
        sizes = np.full(len(self.low), float(self.width))
        if len(sizes):
            sizes[-1] = self.count - self.width * (len(sizes) - 1)
        return sizes

    def steps(self) -> np.ndarray:
        """Mean step of every stretch, (N,)."""
        return self.step / self.sizes()

    def means(self) -> np.ndarray:
        """Mean value of every stretch, (N,), between its least and its largest."""
        return np.clip(self.total / self.sizes(), self.low, self.high)


def extended(buckets: Buckets, step: np.ndarray, value: np.ndarray) -> Buckets:
    """`buckets` with further points, (M,) each, at their end. `most` is even."""
    if not len(value):
        return buckets
    count = buckets.count + len(value)
    while -(-count // buckets.width) > buckets.most:
        buckets = _halved(buckets)
    place = (buckets.count + np.arange(len(value))) // buckets.width
    starts = np.flatnonzero(np.diff(place, prepend=place[0] - 1))
    joins = place[0] < len(buckets.low)  # the first of them lie in the stretch that is open
    added = {
        name: _joined(getattr(buckets, name), reduce.reduceat(data, starts), reduce, joins)
        for name, data, reduce in (
            ("step", step, np.add),
            ("total", value, np.add),
            ("low", value, np.minimum),
            ("high", value, np.maximum),
        )
    }
    return buckets._replace(count=count, last=float(value[-1]), **added)


def bucketed(step: np.ndarray, value: np.ndarray, most: int) -> Buckets:
    """A whole curve, (N,) each."""
    return extended(Buckets(most), step, value)


def _joined(old: np.ndarray, new: np.ndarray, reduce: np.ufunc, joins: bool) -> np.ndarray:
    if not joins:
        return np.concatenate([old, new])
    return np.concatenate([old[:-1], [reduce(old[-1], new[0])], new[1:]])


def _halved(buckets: Buckets) -> Buckets:
    """Neighbours taken together."""
    starts = np.arange(0, len(buckets.low), 2)
    if not len(starts):
        return buckets._replace(width=2 * buckets.width)
    return buckets._replace(
        width=2 * buckets.width,
        step=np.add.reduceat(buckets.step, starts),
        total=np.add.reduceat(buckets.total, starts),
        low=np.minimum.reduceat(buckets.low, starts),
        high=np.maximum.reduceat(buckets.high, starts),
    )
