"""symlog, symexp and the two-hot code of real numbers."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from reverie.module import to_rank


def symlog(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """sign(x)·log(1 + |x|). Source: DreamerV3 (arXiv:2301.04104), Eq. 9."""
    return jnp.sign(x) * jnp.log1p(jnp.abs(x))


def symexp(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """sign(x)·(exp|x| − 1), the inverse of `symlog`."""
    return jnp.sign(x) * jnp.expm1(jnp.abs(x))


@functools.cache
def symexp_bins(count: int) -> np.ndarray:
    """`count` bin centres, evenly spaced in symlog space over [−20, 20], in raw units.

    The positive half mirrors the negative one exactly; an odd count has a bin at exactly 0.
    Computed by XLA, operation by operation: NumPy's exponential differs in the last bit.
    """
    if count < 2:
        raise ValueError(f"two-hot needs at least 2 bins, got {count}.")
    with jax.ensure_compile_time_eval():
        if count % 2:
            half = np.asarray(symexp(jnp.linspace(-20, 0, (count - 1) // 2 + 1, dtype=jnp.float32)))
            return np.concatenate([half, -half[:-1][::-1]])
        half = np.asarray(symexp(jnp.linspace(-20, 0, count // 2, dtype=jnp.float32)))
        return np.concatenate([half, -half[::-1]])


@functools.cache
def even_bins(count: int) -> np.ndarray:
    """`count` bin centres, evenly spaced over [−20, 20]: those of symlog-compressed numbers."""
    if count < 2:
        raise ValueError(f"two-hot needs at least 2 bins, got {count}.")
    return np.linspace(-20.0, 20.0, count, dtype=np.float32)


def two_hot(
    value: Float[Array, "..."], count: int
) -> tuple[Int[Array, "..."], Int[Array, "..."], Float[Array, "..."]]:
    """`share` of raw values among the `count` symexp-spaced bins: linear in raw space."""
    return share(value, symexp_bins(count))


def share(
    value: Float[Array, "..."], centres: np.ndarray
) -> tuple[Int[Array, "..."], Int[Array, "..."], Float[Array, "..."]]:
    """Indices of the two bins that share each value, and the weight of the lower one.

    Weights are linear between the `centres` (rising). A value on a bin centre gives `below` all
    weight; values beyond the outermost bins give it to that bin.
    """
    bins, count = jnp.asarray(centres), len(centres)
    # One search suffices: the bin above is the next one, except beyond the ends.
    above = _found(bins, value)
    below = jnp.clip(above - 1, 0, count - 1)
    above = jnp.clip(above, 0, count - 1)
    to_below = jnp.abs(bins[below] - value)
    to_above = jnp.abs(bins[above] - value)
    total = to_below + to_above
    same = below == above
    weight = jnp.where(same, 1.0, to_above / jnp.where(same, 1.0, total))
    return below, above, weight


def _found(bins: Float[Array, " N"], value: Float[Array, "..."]) -> Int[Array, "..."]:
    """How many of the rising `bins` are not above each value: by a loop on a CPU, where every round
    on its own would be a kernel to compile, and elsewhere in one kernel."""

    def search(bins, value, method):
        return jnp.searchsorted(bins, value, side="right", method=method).astype(jnp.int32)

    loop, unrolled = (functools.partial(search, method=m) for m in ("scan", "scan_unrolled"))
    return jax.lax.platform_dependent(bins, value, cpu=loop, default=unrolled)


def two_hot_mean(
    probs: Float[Array, "... N"], bins: np.ndarray | None = None
) -> Float[Array, "..."]:
    """Expected value Σ p·bin, exact where it matters; `bins` (None: symexp-spaced) are symmetric.

    Symexp bins reach ±4.85e8, so the order of summation decides whether uniform probabilities give
    0. Mirrored bins are paired, Σ (p₊ − p₋)·bin, which no compiler can contract into rounding
    errors (the symmetric sum of products can be: ±0.17 was seen).
    """
    count = probs.shape[-1]
    half = count // 2
    upper = probs[..., count - half :]
    lower = probs[..., :half][..., ::-1]
    centres = symexp_bins(count) if bins is None else bins
    centres = to_rank(jnp.asarray(centres[count - half :]), probs.ndim)
    return jnp.sum((upper - lower) * centres, -1)
