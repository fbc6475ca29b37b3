"""Trees of device arrays as named arrays of the host, and back."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from reverie.config import version_0_1
from reverie.folder.errors import RunError
from reverie.module import named_leaves


def to_host(tree: Any) -> dict[str, np.ndarray]:
    """Leaves by dotted name, as numpy arrays."""
    return {name: np.asarray(leaf) for name, leaf in named_leaves(tree).items()}


def acting_from_host(like: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """`from_host` for weights that act: `like` may have another precision than they were saved in
    (see `folder/divergence.py`). Raises RunError as it does."""
    types = {name: leaf.dtype for name, leaf in named_leaves(like).items()}
    floats = ("float32", "bfloat16")
    cast = {
        name: array.astype(types[name])
        if name in types and array.dtype.name in floats and types[name].name in floats
        else array
        for name, array in arrays.items()
    }
    return from_host(like, cast)


def from_host(like: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """A tree of the structure of `like` from its named leaves.

    Raises RunError for a missing, unknown or misshapen leaf.
    """
    wanted = named_leaves(like)
    if set(wanted) != set(arrays):
        arrays = {version_0_1.tensor(name): array for name, array in arrays.items()}
    for name in sorted(set(wanted) ^ set(arrays)):
        where = "the checkpoint lacks" if name in wanted else "the checkpoint holds an unknown"
        raise RunError(f"{where} tensor {name!r}: it belongs to another model or version.")
    for name, leaf in wanted.items():
        if arrays[name].shape != leaf.shape or arrays[name].dtype != leaf.dtype:
            raise RunError(
                f"tensor {name!r} of the checkpoint is {arrays[name].dtype}{arrays[name].shape}, "
                f"the model needs {leaf.dtype}{leaf.shape}: it belongs to another configuration."
            )
    leaves = [jnp.array(arrays[name]) for name in wanted]
    return jax.tree.unflatten(jax.tree.structure(like), leaves)
