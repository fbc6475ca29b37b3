"""Draws in proportion to weights: leaves in blocks, every block with its exact sum.

Two levels are enough for millions of leaves: a draw looks through the block sums (about √N of
them), then through one block. A change recomputes the sums of the blocks it touches from their
leaves, so nothing drifts however often weights change, and however far they lie apart.

Source: replay-sampling.md §6.3.
"""

import importlib.util
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, UInt

Leaves = Float[np.ndarray, "K W"]
Find = Callable[[Leaves, Float[np.ndarray, " K"], Float[np.ndarray, " B"]], np.ndarray]
Resum = Callable[[Leaves, Float[np.ndarray, " K"], Int[np.ndarray, " M"]], None]


class TreeKernels(NamedTuple):
    """The two loops over leaves. The compiled pair (`compiled_kernels`) returns the same bits."""

    find: Find
    resum: Resum


def find(
    leaves: Leaves, sums: Float[np.ndarray, " K"], uniform: Float[np.ndarray, " B"]
) -> Int[np.ndarray, " B"]:
    """Flat index of the leaf where the running total of all weights first exceeds u · total.

    Sums run from left to right, one addition at a time. A leaf of weight 0 is never returned.
    """
    prefix = np.cumsum(sums)
    target = uniform * prefix[-1]
    block = np.searchsorted(prefix, target, side="right")
    block = np.minimum(block, np.searchsorted(prefix, prefix[-1]))  # u · total rounded up to total
    rest = target - np.where(block > 0, prefix[block - 1], 0.0)
    running = np.cumsum(leaves[block], axis=1)
    inside = (running <= rest[:, None]).sum(1)
    last = (running < running[:, -1:]).sum(1)
    return block * leaves.shape[1] + np.minimum(inside, last)


def resum(leaves: Leaves, sums: Float[np.ndarray, " K"], blocks: Int[np.ndarray, " M"]) -> None:
    """Recompute the sums of these blocks, from left to right, one addition at a time."""
    sums[blocks] = np.cumsum(leaves[blocks], axis=1)[:, -1]


NUMPY = TreeKernels(find, resum)


def block_of(size: int) -> int:
    """Leaves a block: the power of two next to √size, from 64 to 1024."""
    return min(1024, max(64, 2 ** round(math.log2(max(1, size)) / 2)))


class SumTree:
    """N weights, float64, finite and at least 0; all 0 in the beginning."""

    def __init__(self, size: int, kernels: TreeKernels = NUMPY):
        width = block_of(size)
        self.size = size
        self._kernels = kernels
        self._leaves = np.zeros((-(-size // width), width))
        self._flat = self._leaves.reshape(-1)
        self._sums = np.zeros(len(self._leaves))
        self._touched: Bool[np.ndarray, " K"] = np.zeros(len(self._leaves), bool)

    @property
    def weights(self) -> Float[np.ndarray, " N"]:
        """All weights; to be read, not to be written."""
        return self._flat[: self.size]

    @property
    def total(self) -> float:
        """Sum of all weights."""
        return float(np.cumsum(self._sums)[-1])

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return self._leaves.nbytes + self._sums.nbytes + self._touched.nbytes

    def set(self, index: Int[np.ndarray, "*N"], weight: Float[np.ndarray, "*N"]) -> None:
        """Give leaf `index[i]` the weight `weight[i]`; where an index comes twice the last wins.

        Raises ValueError for a weight that is negative or not finite; nothing changes then.
        """
        if not (np.isfinite(weight).all() and (weight >= 0).all()):
            bad = weight[~(np.isfinite(weight) & (weight >= 0))][0]
            raise ValueError(f"a weight must be finite and at least 0, got {bad}.")
        self._flat[index] = weight
        self._touched[index // self._leaves.shape[1]] = True
        blocks = np.flatnonzero(self._touched)
        self._touched[blocks] = False
        self._kernels.resum(self._leaves, self._sums, blocks)

    def draw(self, uniform: Float[np.ndarray, " B"]) -> Int[np.ndarray, " B"]:
        """The leaf of each of these numbers in [0, 1): leaf i for a share w_i / Σw of them.

        Raises ValueError where every weight is 0.
        """
        if not self.total > 0:
            raise ValueError("nothing to draw: every weight is 0.")
        return self._kernels.find(self._leaves, self._sums, uniform)


MOMENT_BLOCK = 256
"""Places that one entry of the sums of `Moments` covers."""


class Moments:
    """Number, sum and sum of squares of the seen scores in every block of places.

    A block that changed is summed anew from its places, never corrected by differences: nothing
    drifts, whatever came and went.
    """

    def __init__(self, places: int):
        blocks = -(-places // MOMENT_BLOCK)
        self._places = places
        self._sums = np.zeros((3, blocks))
        self._stale: Bool[np.ndarray, " K"] = np.ones(blocks, bool)

    def touch(self, place: Int[np.ndarray, "*N"]) -> None:
        """Scores or visits of these places changed."""
        self._stale[place // MOMENT_BLOCK] = True

    def mean_std(
        self, value: Float[np.ndarray, " P"], visits: UInt[np.ndarray, " P"]
    ) -> tuple[float, float] | None:
        """Mean and population standard deviation of the scores with a visit; None without any.

        `value` and `visits` hold all places; those of blocks that were not touched are not read.
        """
        blocks = np.flatnonzero(self._stale)
        self._stale[blocks] = False
        place = blocks[:, None] * MOMENT_BLOCK + np.arange(MOMENT_BLOCK)
        seen = (visits.take(place, mode="clip") > 0) & (place < self._places)
        scores = np.where(seen, value.take(place, mode="clip"), 0.0).astype(np.float64)
        self._sums[:, blocks] = seen.sum(1), scores.sum(1), np.square(scores).sum(1)
        count, total, squares = self._sums.sum(1)
        if not count:
            return None
        mean = total / count
        return float(mean), float(np.sqrt(max(0.0, squares / count - mean * mean)))


def compilable() -> bool:
    """Whether Numba can be imported (an optional extra, `reverie[fast]`)."""
    return importlib.util.find_spec("numba") is not None


def compiled_kernels() -> TreeKernels:
    """`find` and `resum`, compiled at their first call (some seconds).

    Raises ImportError without Numba.
    """
    import numba

    compiled = numba.njit(nogil=True)
    return TreeKernels(compiled(_find), compiled(_resum))


def _find(leaves, sums, uniform):
    width = leaves.shape[1]
    total = 0.0
    for value in sums:
        total += value
    found = np.empty(len(uniform), np.int64)
    for i in range(len(uniform)):
        target = uniform[i] * total
        block, before, prefix = -1, 0.0, 0.0
        for k in range(len(sums)):
            after = prefix + sums[k]
            if after > prefix:  # the last such block is taken where nothing exceeds the target
                block, before = k, prefix
            prefix = after
            if after > target:
                break
        rest = target - before
        inside, running = 0, 0.0
        for j in range(width):
            after = running + leaves[block, j]
            if after > running:
                inside = j
            running = after
            if after > rest:
                break
        found[i] = block * width + inside
    return found


def _resum(leaves, sums, blocks):
    for block in blocks:
        total = 0.0
        for j in range(leaves.shape[1]):
            total += leaves[block, j]
        sums[block] = total
