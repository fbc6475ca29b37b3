"""Norms of many tensors at once."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def tensor_squares(tree: Any) -> Float[Array, " n"]:
    """The sum of squares of every tensor of `tree`, in tree order.

    One array, so that a GPU adds up tensors of one shape in one kernel and asking twice costs
    nothing.
    """
    rows = [x.reshape(1, -1) for x in jax.tree.leaves(tree)]
    return jnp.concatenate([jnp.sum(jnp.square(row), 1) for row in rows])


def tree_norm(tree: Any) -> Float[Array, ""]:
    """The norm over all tensors of `tree`."""
    return jnp.sqrt(tensor_squares(tree).sum())
