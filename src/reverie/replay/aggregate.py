"""From the scores of steps to the score of every window that contains them.

Windows overlap, so sums and maxima slide: those of L steps are put together from those of 1, 2, 4,
… steps. Every window is combined in the same order wherever it lies in the array, so the same steps
give the same bits, whether one window is computed or a thousand.
"""

from collections.abc import Callable
from typing import Literal, assert_never

import numpy as np
from jaxtyping import Float

Kind = Literal["blend", "mean", "max", "sum", "anchor"]
Aggregate = Callable[[Float[np.ndarray, "R N"]], Float[np.ndarray, "R M"]]


def slide(
    steps: Float[np.ndarray, "R N"], length: int, combine: np.ufunc
) -> Float[np.ndarray, "R M"]:
    """`combine` over every window of `length` neighbours, M = N − L + 1 of them in a row."""
    num = steps.shape[1] - length + 1
    result, done, power, span = None, 0, steps, 1
    while True:
        if length & span:
            part = power[:, done : done + num]
            result = part if result is None else combine(result, part)
            done += span
        if done == length:
            assert result is not None
            return result
        power = combine(power[:, :-span], power[:, span:])
        span *= 2


def make_aggregate(kind: Kind, length: int, *, blend: float, anchor: int) -> Aggregate:
    """The function from step scores [R, N] to the scores [R, N − L + 1] of windows of L steps.

    Args:
        kind: `blend`: f · max + (1 − f) · mean; `anchor`: the score of one step of the window.
        length: steps L of a window.
        blend: f in [0, 1].
        anchor: which step, counted from 0, or backwards from −1 (the last).

    Source: dreamerv3's prioritised selector (blend), Curious Replay (anchor).
    """
    match kind:
        case "blend":
            return lambda steps: (
                blend * slide(steps, length, np.maximum)
                + (1.0 - blend) * (slide(steps, length, np.add) / length)
            )
        case "mean":
            return lambda steps: slide(steps, length, np.add) / length
        case "max":
            return lambda steps: slide(steps, length, np.maximum)
        case "sum":
            return lambda steps: slide(steps, length, np.add)
        case "anchor":
            offset = anchor % length
            return lambda steps: steps[:, offset : offset + steps.shape[1] - length + 1]
        case _:
            assert_never(kind)
