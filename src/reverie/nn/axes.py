"""The axes of a batch of sequences: (B, T, …) as (B·T, …), and back."""

from typing import Any

import jax


def fold(tree: Any) -> Any:
    """Every array (B, T, …) as (B·T, …)."""
    return jax.tree.map(lambda x: x.reshape(x.shape[0] * x.shape[1], *x.shape[2:]), tree)


def unfold(tree: Any, lead: tuple[int, ...]) -> Any:
    """Every array (B·T, …) as (*lead, …), where `lead` is (B, T)."""
    return jax.tree.map(lambda x: x.reshape(*lead, *x.shape[1:]), tree)
