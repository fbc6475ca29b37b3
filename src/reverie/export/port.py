"""What goes into an exported program and comes out of it, in words that need no Reverie."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from gymnasium import spaces

NARROW = {"int64": "int32", "uint64": "uint32", "float64": "float32"}
"""Types that exported programs show in half as many bits."""


@dataclass(frozen=True)
class Port:
    """One array of a program, without leading axis of environments.

    `role`: observation, action, state, noise, reset, reward, continue or value. `path` says where
    it stands in the environment's dictionary or tuple, `low` and `high` are bounds that hold
    (numbers, or nested lists of the array's shape; None: no bound), `note` is what else a user
    must know.
    """

    name: str
    role: str
    shape: tuple[int, ...]
    dtype: str
    low: Any = None
    high: Any = None
    path: tuple[str | int, ...] | None = None
    space: str = ""
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """JSON values, without what is not known."""
        told: dict[str, Any] = {"name": self.name, "role": self.role}
        told |= {"shape": list(self.shape), "dtype": self.dtype, "low": self.low, "high": self.high}
        told |= {} if self.path is None else {"path": list(self.path)}
        return told | {k: v for k, v in (("space", self.space), ("note", self.note)) if v}

    @property
    def like(self) -> jax.ShapeDtypeStruct:
        """Shape and dtype, to trace with."""
        return jax.ShapeDtypeStruct(self.shape, self.dtype)


@dataclass(frozen=True)
class Leaf:
    """One array of the environment's terms, and how it becomes the agent's and back.

    Both functions take and give one traced array without leading axis.
    """

    key: str
    port: Port
    to_agent: Callable[[Any], Any] = field(repr=False)
    to_env: Callable[[Any], Any] = field(repr=False)


def shown(dtype: Any) -> str:
    """The name of the type in which programs take and give arrays of the environment's `dtype`."""
    name = np.dtype(dtype).name
    return NARROW.get(name, name)


def named(space: spaces.Space) -> str:
    """A space in a few words: the repr of a Box shows all its bounds."""
    if isinstance(space, spaces.Box):
        return f"Box{space.shape}, {np.dtype(space.dtype).name}"
    return " ".join(str(space).split())


def same(x: Any) -> Any:
    """What is alike in both terms."""
    return x


def bound(values: Any, shape: tuple[int, ...]) -> Any:
    """A bound as JSON: one value where all are alike, nested lists else, None for none."""
    array = np.broadcast_to(np.asarray(values), shape)
    finite = np.isfinite(array.astype(np.float64))
    if not array.size or not finite.any():
        return None
    if finite.all() and (array == array.flat[0]).all():
        return array.flat[0].item()
    listed = array.astype(object)
    listed[~finite] = None
    return listed.tolist()
