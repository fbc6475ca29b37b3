"""Small networks with random parameters, made without compiling anything."""

import functools as ft
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from reverie.module import named_leaves


def filled(build: Callable, *args: Any, seed: int = 0, **kwargs: Any) -> Any:
    """`build(*args, key=…, **kwargs)` whose kernels, biases and scales are random.

    Kernels are small and scales near one, so that numbers stay moderate; nothing is left at a
    neutral value that could hide its absence.
    """
    shape = jax.eval_shape(lambda key: ft.partial(build, *args, **kwargs)(key=key), KEY)
    rng = np.random.default_rng(seed)
    leaves = [jnp.asarray(random_leaf(rng, *pair)) for pair in named_leaves(shape).items()]
    return jax.tree.unflatten(jax.tree.structure(shape), leaves)


KEY = jax.random.key(0)


def random_leaf(rng: np.random.Generator, name: str, leaf: Any) -> np.ndarray:
    if name.endswith("kernel"):
        value = rng.normal(size=leaf.shape) / max(np.prod(leaf.shape[:-1]), 1) ** 0.5
    elif name.endswith("scale"):
        value = 1.0 + 0.2 * rng.normal(size=leaf.shape)
    else:
        value = 0.2 * rng.normal(size=leaf.shape)
    return value.astype(leaf.dtype)
