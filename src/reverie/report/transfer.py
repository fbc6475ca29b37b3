"""Continual-learning metrics: average performance, forgetting and forward transfer.

A curve holds the evaluation returns of one task over the whole sequence of tasks; `Curve.step`
counts environment steps from the beginning of the sequence. Returns are clipped below at 0, as the
published code does (they are at most 1 on the suites these metrics were made for).
Source: Continual-Dreamer (arXiv:2211.15944), section 5, and its metric functions; the second form
of forward transfer is that of Continual World (arXiv:2105.10919), section 4.3.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float


class Curve(NamedTuple):
    """Evaluation returns of one task under S seeds; NaN where a seed has no value."""

    step: Float[np.ndarray, " K"]  # increasing, environment steps of the whole sequence
    value: Float[np.ndarray, "K S"]  # reward


def fill_forward(value: Float[np.ndarray, "K S"]) -> Float[np.ndarray, "K S"]:
    """Every gap takes the value before it; a gap at the beginning stays."""
    row = np.where(np.isnan(value), 0, np.arange(len(value))[:, None])
    return np.take_along_axis(value, np.maximum.accumulate(row, 0), 0)


def fill_both(value: Float[np.ndarray, "K S"]) -> Float[np.ndarray, "K S"]:
    """Every gap takes the value before it; a gap at the beginning the first value after it."""
    return fill_forward(fill_forward(value)[::-1])[::-1]


def smooth(value: Float[np.ndarray, "K S"], keep: float) -> Float[np.ndarray, "K S"]:
    """y_k = keep·y_{k−1} + (1 − keep)·x_k from y_0 = x_0."""
    result = value.copy()
    for k in range(1, len(value)):
        result[k] = keep * result[k - 1] + (1 - keep) * value[k]
    return result


def average_performance(curves: Sequence[Curve], keep: float = 0.0) -> Float[np.ndarray, " S"]:
    """Mean over the N tasks of the last return, a value a seed; `keep` smooths the curves."""
    return np.mean([_settled(curve, keep)[-1] for curve in curves], 0)


def forgetting(
    curves: Sequence[Curve], ends: Sequence[float], keep: float = 0.0
) -> Float[np.ndarray, " S"]:
    """Mean over the N tasks of (return when the task's training ended − last return).

    The last task contributes nothing, and the sum is divided by N, as published. Negative values
    are improvement afterwards.

    Args:
        curves: one a task, in the order of training.
        ends: step at which each task's training ended; the last evaluation up to it counts.
        keep: smoothing, see `smooth`.

    Raises ValueError where a task has no evaluation before its end.
    """
    losses = []
    for curve, end in zip(curves, ends, strict=True):
        values, before = _settled(curve, keep), np.flatnonzero(curve.step <= end)
        if not len(before):
            raise ValueError(f"no evaluation up to step {end:g}, the end of the task's training.")
        losses.append(values[before[-1]] - values[-1])
    return np.mean(losses, 0)


def area(curve: Curve, begin: float, end: float) -> Float[np.ndarray, " S"]:
    """Mean return over [begin, end) by right rectangles, a value a seed.

    The time before the first evaluation in that span is lost, as in the published code.
    """
    inside = (curve.step >= begin) & (curve.step < end)
    step, value = curve.step[inside], _clipped(fill_forward(curve.value[inside]))
    return (np.diff(step)[:, None] * value[1:]).sum(0) / (end - begin)


Definition = Literal["published", "continual_world"]


def forward_transfer(
    areas: Sequence[Float[np.ndarray, " S"]],
    references: Sequence[Float[np.ndarray, " R"] | None],
    definition: Definition,
) -> Float[np.ndarray, " S"]:
    """Mean over the N tasks of how much of what was left to gain the sequence gained.

        published          (A − R) / (1 − A)     as Continual-Dreamer's code computes it
        continual_world    (A − R) / (1 − R)     as the papers write it

    Args:
        areas: `area` of each task over its own training span in the sequence.
        references: `area` of a run on that task alone over a span of equal length; seeds as in
            `areas`, or one value for all. None where there is no such run: the task adds nothing
            but is still counted, as published.
        definition: which of the two.
    """
    total = np.zeros_like(areas[0])
    for value, reference in zip(areas, references, strict=True):
        if reference is not None:
            left = 1 - (value if definition == "published" else reference)
            total = total + (value - reference) / left
    return total / len(areas)


def _settled(curve: Curve, keep: float) -> Float[np.ndarray, "K S"]:
    return _clipped(smooth(fill_both(curve.value), keep))


def _clipped(value: Float[np.ndarray, "K S"]) -> Float[np.ndarray, "K S"]:
    return np.maximum(value, 0.0)
