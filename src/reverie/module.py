"""The four Equinox names we use, and the cast to the compute dtype.

Equinox is imported here and nowhere else: a stand-in built on `jax.tree_util.register_dataclass`
would be a change in this one file. The rule that keeps plain `jax.jit`, `grad`, `vmap` and `scan`
working on our modules: every dynamic leaf is an array, everything else is `field(static=True)`.
"""

from collections.abc import Callable
from typing import Any

import equinox
import jax
import jax.numpy as jnp

Module = equinox.Module
field = equinox.field
tree_at = equinox.tree_at
AbstractVar = equinox.AbstractVar


def static(**kwargs: Any) -> Any:
    """A field that is part of the tree's structure (a size, a name, a flag), not a leaf."""
    return equinox.field(static=True, **kwargs)


def cast(tree: Any, dtype: Any) -> Any:
    """`tree` with every floating array in `dtype`; integers, booleans and keys stay as they are."""

    def leaf(x):
        return x.astype(dtype) if jnp.issubdtype(x.dtype, jnp.floating) else x

    return jax.tree.map(leaf, tree)


def to_rank(x: Any, rank: int) -> Any:
    """`x` with axes of length 1 in front, `rank` in all: arrays of different ranks meet only where
    it is said."""
    return jax.lax.expand_dims(x, range(rank - x.ndim))


def count_params(tree: Any) -> int:
    """Number of scalars in all arrays of `tree` (works on shapes from `jax.eval_shape` too)."""
    return sum(int(leaf.size) for leaf in jax.tree.leaves(tree))


def name_of(path: tuple) -> str:
    """The dotted name of a leaf, from the key path that `jax.tree_util` gives."""
    return ".".join(str(getattr(k, "name", getattr(k, "key", getattr(k, "idx", k)))) for k in path)


def named_leaves(tree: Any, is_leaf: Callable | None = None) -> dict[str, Any]:
    """Leaves of `tree` by dotted name, in tree order."""
    pairs = jax.tree_util.tree_flatten_with_path(tree, is_leaf=is_leaf)[0]
    return {name_of(path): leaf for path, leaf in pairs}


def blank(kind: type, **fields: Any) -> Any:
    """An instance of a module class with these fields, without running its `__init__`."""
    module = object.__new__(kind)
    for name, value in fields.items():
        object.__setattr__(module, name, value)
    return module
