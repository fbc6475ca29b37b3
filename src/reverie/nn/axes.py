"""The axes of a batch of sequences: (B, T, …) as (B·T, …), and back; rows of a layer."""

from typing import Any

import jax
from jaxtyping import Array, Float


def fold(tree: Any) -> Any:
    """Every array (B, T, …) as (B·T, …)."""
    return jax.tree.map(lambda x: x.reshape(x.shape[0] * x.shape[1], *x.shape[2:]), tree)


def unfold(tree: Any, lead: tuple[int, ...]) -> Any:
    """Every array (B·T, …) as (*lead, …), where `lead` is (B, T)."""
    return jax.tree.map(lambda x: x.reshape(*lead, *x.shape[1:]), tree)


def in_rows(x: Float[Array, "*n i"]) -> Float[Array, "*m i"]:
    """`x` with one axis of rows; on a mesh with all its axes.

    XLA's weight gradient over several axes is slower on a CPU. But where time comes before the
    batch, one axis of rows cannot stay shared out over devices: each would collect all of them.
    """
    on_mesh = not jax.sharding.get_abstract_mesh().empty
    return x if on_mesh else x.reshape(-1, x.shape[-1])
