"""Means, interquartile means and bootstrap intervals of a few runs.

The estimators are those of rliable (arXiv:2108.13264, "Deep Reinforcement Learning at the Edge of
the Statistical Precipice"), and tests hold them to its numbers. They are written here because
rliable 1.2 draws from NumPy's global state, so the same command would give other intervals every
time; because it wants a full matrix, and seeds are missing in practice; and because what it
installs did not import (arch 7.2 with pandas 3) when this was written.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

LEVEL = 0.95
RESAMPLES = 2_000
TRIM = 0.25

Strata = Sequence[np.ndarray]
"""One array a task: (runs, …), the same … in all; the number of runs may differ."""

Statistic = Callable[[Strata], np.ndarray]
"""From strata of (runs, …) to (…); a leading axis of resamples may precede `runs` in all."""


class Estimate(NamedTuple):
    """A number, or a curve of them, with its interval; NaN bounds where there is none."""

    value: np.ndarray  # (…)
    low: np.ndarray  # (…)
    high: np.ndarray  # (…)


def mean(strata: Strata, axis: int = 0) -> np.ndarray:
    """Mean over tasks of the mean over runs."""
    return np.mean([part.mean(axis) for part in strata], axis=0)


def median(strata: Strata, axis: int = 0) -> np.ndarray:
    """Median over tasks of the mean over runs."""
    return np.median([part.mean(axis) for part in strata], axis=0)


def iqm(strata: Strata, axis: int = 0) -> np.ndarray:
    """Interquartile mean: of the runs of all tasks together, without the outer quarters.

    A quarter of n runs is rounded down: of fewer than four runs it is the mean.
    """
    pooled = np.sort(np.concatenate(strata, axis), axis)
    count = pooled.shape[axis]
    cut = int(TRIM * count)
    return pooled.take(range(cut, count - cut), axis).mean(axis)


def optimality_gap(strata: Strata, axis: int = 0, *, target: float = 1.0) -> np.ndarray:
    """How far below `target` the runs are on average; runs above it count as `target`.

    Mean over tasks of the mean over runs of target − min(score, target).
    """
    return target - mean([np.minimum(part, target) for part in strata], axis)


def estimate(
    strata: Strata,
    statistic: Callable[..., np.ndarray],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = LEVEL,
) -> Estimate:
    """`statistic` of the runs and its percentile bootstrap interval.

    Runs are drawn with replacement within each task (stratified): the interval says how far the
    number would move with other seeds on the same tasks. A run's curve stays whole. Where no task
    has two runs there is nothing to draw from, and the bounds are NaN.

    Args:
        statistic: one of this module's, called with `axis` 0, and 1 under resamples.
        seed: root of the draws; the same seed gives the same interval.
    """
    value = np.asarray(statistic(strata, 0))
    if _alone(strata):
        return _without_interval(value)
    draws = resampled(strata, statistic, resamples=resamples, seed=seed)
    return _with_interval(value, draws, level)


def _alone(strata: Strata) -> bool:
    """Whether no task has two runs, so that there is nothing to draw from."""
    return all(len(part) < 2 for part in strata)


def _without_interval(value: np.ndarray) -> Estimate:
    return Estimate(value, np.full(value.shape, np.nan), np.full(value.shape, np.nan))


def _with_interval(value: np.ndarray, draws: np.ndarray, level: float) -> Estimate:
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Estimate(value, low, high)


def resampled(
    strata: Strata, statistic: Callable[..., np.ndarray], *, resamples: int, seed: int
) -> np.ndarray:
    """`statistic` of every resample: (resamples, …). Memory stays below about 100 MB."""
    rng = np.random.default_rng(seed)
    size = max(1, sum(part.size for part in strata))
    at_once = max(1, min(resamples, 10_000_000 // size))
    parts = []
    for start in range(0, resamples, at_once):
        count = min(at_once, resamples - start)
        drawn = [part[rng.integers(len(part), size=(count, len(part)))] for part in strata]
        parts.append(statistic(drawn, 1))
    return np.concatenate(parts)


def difference(
    a: Strata, b: Strata, *, resamples: int = RESAMPLES, seed: int = 0, level: float = LEVEL
) -> Estimate:
    """Mean of `a` minus mean of `b`; both are resampled on their own.

    The bounds are NaN where either has no task with two runs.
    """
    value = mean(a) - mean(b)
    if _alone(a) or _alone(b):
        return _without_interval(value)
    draws = resampled(a, mean, resamples=resamples, seed=seed)
    draws = draws - resampled(b, mean, resamples=resamples, seed=seed + 1)
    return _with_interval(value, draws, level)


def improvement(a: Strata, b: Strata) -> np.ndarray:
    """Probability that a run of `a` beats one of `b` on the same task, ties counting half.

    Mean over tasks (both sequences name the same tasks in the same order); a leading axis of
    resamples may precede `runs` in all.
    """
    wins = []
    for left, right in zip(a, b, strict=True):
        pairs = left[..., :, None] - right[..., None, :]
        wins.append(np.mean((pairs > 0) + 0.5 * (pairs == 0), axis=(-2, -1)))
    return np.mean(wins, axis=0)


def improvement_of(
    a: Strata, b: Strata, *, resamples: int = RESAMPLES, seed: int = 0, level: float = LEVEL
) -> Estimate:
    """`improvement` and its interval: the runs of both are drawn anew, within each task.

    The bounds are NaN where either has no task with two runs.
    """
    if _alone(a) or _alone(b):
        return _without_interval(improvement(a, b))

    def of(strata: Strata, _: int) -> np.ndarray:
        return improvement(strata[: len(a)], strata[len(a) :])

    return estimate([*a, *b], of, resamples=resamples, seed=seed, level=level)


def profile(strata: Strata, axis: int = 0, *, thresholds: np.ndarray) -> np.ndarray:
    """Share of the runs whose score lies above each threshold: (…, thresholds).

    Mean over tasks of the share of their runs.
    """
    shares = [(np.expand_dims(part, -1) > thresholds).mean(axis) for part in strata]
    return np.mean(shares, axis=0)
