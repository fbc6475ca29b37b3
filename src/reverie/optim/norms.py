"""Norms of many tensors at once."""

import functools as ft
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

ROW = 256
"""Numbers of a row, when tensors are laid side by side."""

LARGE = 1 << 20
"""Numbers of a tensor above which it is worth a kernel of its own."""

LARGE_ON_CPU = 1 << 15
"""The same on a CPU, where a kernel costs the time and memory of compiling it."""


def tree_norm(tree: Any) -> Float[Array, ""]:
    """The norm over all tensors of `tree`."""
    on_cpu = ft.partial(_sum_of_squares, large=LARGE_ON_CPU)
    total = jax.lax.platform_dependent(jax.tree.leaves(tree), cpu=on_cpu, default=_sum_of_squares)
    return jnp.sqrt(total)


def tensor_squares(tree: Any) -> list[Float[Array, ""]]:
    """The sum of squares of every tensor of `tree`, in tree order.

    On a CPU each is a number of its own, so that tensors of one shape share their kernels: places
    in one array would make each another one. Elsewhere all are found in a few kernels.
    """
    leaves = jax.tree.leaves(tree)
    return jax.lax.platform_dependent(leaves, cpu=one_by_one, default=side_by_side)


def one_by_one(leaves: list[Array]) -> list[Float[Array, ""]]:
    """The sum of squares of every tensor."""
    return [square(leaf) for leaf in leaves]


def side_by_side(leaves: list[Array]) -> list[Float[Array, ""]]:
    """The same, in a few kernels for all tensors that are not large."""
    small = [leaf for leaf in leaves if leaf.size <= LARGE]
    sums = iter(in_rows(small)) if small else iter(())
    return [square(x) if x.size > LARGE else next(sums) for x in leaves]


def in_rows(leaves: list[Array]) -> Float[Array, " n"]:
    """The same from one array, in which every tensor begins a row: rows are added up, and then the
    rows of every tensor, whose places are known."""
    padded = [jnp.pad(leaf.ravel(), (0, -leaf.size % ROW)) for leaf in leaves]
    rows = jnp.square(jnp.concatenate(padded).reshape(-1, ROW)).sum(1)
    ends = np.cumsum([-(-leaf.size // ROW) for leaf in leaves])[:, None]
    starts = np.concatenate([[[0]], ends[:-1]])
    place = jax.lax.broadcasted_iota(jnp.int32, (len(leaves), len(rows)), 1)
    mine = (starts <= place) & (place < ends)
    return jnp.where(mine, rows[None], 0.0).sum(1)


def square(tensor: Array) -> Float[Array, ""]:
    """The sum of squares of a tensor."""
    return jnp.sum(jnp.square(tensor))


def _sum_of_squares(leaves: list[Array], large: int = LARGE) -> Float[Array, ""]:
    """The sum of squares over all tensors; those that are not `large` as one."""
    small = [leaf.ravel() for leaf in leaves if leaf.size <= large]
    whole = [jnp.concatenate(small)] if small else []
    return sum(map(square, [*whole, *(x for x in leaves if x.size > large)]), jnp.zeros(()))
