"""Classes and bits inside a traced program: counted from their own start there, from 0 here."""

import functools as ft
from typing import Any

import jax.numpy as jnp
import numpy as np
from gymnasium import spaces

from reverie.export.port import Leaf, Port, bound, named, shown
from reverie.folder.errors import RunError
from reverie.records import Spec


def leaf_of(role: str, key: str, path: tuple[str | int, ...], spec: Spec, space: Any) -> Leaf:
    """One array of classes of the environment; `role` is that of its port.

    Raises RunError for classes that no exported program can count.
    """
    start = np.asarray(0 if isinstance(space, spaces.MultiBinary) else space.start)
    last = start + np.reshape(spec.classes, spec.shape) - 1
    _check(start, last, f"{role} {key!r}", space.dtype)
    kind = shown(space.dtype)
    port = Port(
        f"{role}/{key}",
        role,
        spec.shape,
        kind,
        bound(start, spec.shape),
        bound(last, spec.shape),
        path=path,
        space=named(space),
    )
    to_agent = ft.partial(_shifted, by=-start, to="int32")
    return Leaf(key, port, to_agent, ft.partial(_shifted, by=start, to=kind))


def _shifted(x: Any, *, by: np.ndarray, to: str) -> Any:
    return (x.astype(jnp.int32) + by.astype(np.int32)).astype(to)


def _check(low: Any, high: Any, name: str, dtype: Any) -> None:
    """Raises RunError where classes from `low` to `high` do not fit what `shown` gives."""
    limits = np.iinfo(shown(dtype) if np.dtype(dtype).kind in "iu" else np.int32)
    if np.min(low) < limits.min or np.max(high) > limits.max:
        raise RunError(
            f"{name} reaches from {np.min(low)} to {np.max(high)}, and exported programs count in "
            f"{limits.dtype}: let a wrapper of the environment count from 0."
        )
