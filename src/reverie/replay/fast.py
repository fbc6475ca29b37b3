"""The loops of the priorities in compiled form: Numba, an optional extra (`reverie[fast]`).

Same layout, same order of additions, hence the same bits as the NumPy forms beside them.
"""

import importlib.util

import numpy as np

from reverie.replay.tree import TreeKernels


def available() -> bool:
    """Whether Numba can be imported."""
    return importlib.util.find_spec("numba") is not None


def tree_kernels() -> TreeKernels:
    """`tree.find` and `tree.resum`, compiled at their first call (some seconds).

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
