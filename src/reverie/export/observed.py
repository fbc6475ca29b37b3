"""The environment's observations inside a traced program: what `envs/observations.py` does."""

import functools as ft
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from gymnasium import spaces

from reverie.envs import image_space
from reverie.envs.image_space import Layout
from reverie.envs.observations import Reader, leaves, readers
from reverie.envs.own_terms import OwnTerms
from reverie.export import classes
from reverie.export.port import Leaf, Port, bound, named, same, shown
from reverie.records import Spec, Specs

NAME = "observation/"


def of_env(own: OwnTerms, exclude: tuple[str, ...]) -> list[Leaf]:
    """The observations that the agent reads, in the environment's own terms.

    Raises RunError for one whose classes no exported program can count.
    """
    parts = dict(leaves(own.observation_space))
    found = sorted(readers(own.observation_space, exclude)[0], key=lambda reader: reader.key)
    return [_leaf(reader, parts[reader.path]) for reader in found]


def of_agent(specs: Specs) -> list[Leaf]:
    """The observations as the agent itself sees them."""
    return [_plain(key, spec) for key, spec in sorted(specs.items())]


def _plain(key: str, spec: Spec) -> Leaf:
    low, high = {"image": (0, 255), "vector": (None, None)}.get(spec.kind, (0, None))
    if spec.kind == "discrete":
        high = bound(np.reshape(spec.classes, spec.shape) - 1, spec.shape)
    port = Port(NAME + key, "observation", spec.shape, spec.dtype, low, high)
    return Leaf(key, port, same, same)


def _leaf(reader: Reader, space: Any) -> Leaf:
    if not isinstance(space, spaces.Box):
        return classes.leaf_of("observation", reader.key, reader.path, reader.spec, space)
    low, high = bound(space.low, space.shape), bound(space.high, space.shape)
    where = {"path": reader.path, "space": named(space)}
    kind = shown(space.dtype)
    port = Port(NAME + reader.key, "observation", space.shape, kind, low, high, **where)
    ways = _of_picture(space) if reader.spec.kind == "image" else _of_numbers(space)
    return Leaf(reader.key, port, *ways)


def _of_numbers(space: spaces.Box) -> tuple[Any, Any]:
    kind = shown(space.dtype)
    back = ft.partial(_cast, to=kind, whole=np.dtype(kind).kind in "iub")
    return ft.partial(_cast, to="float32", whole=False), back


def _cast(x: Any, *, to: str, whole: bool) -> Any:
    return (jnp.rint(x) if whole else x).astype(to)


def _of_picture(space: spaces.Box) -> tuple[Any, Any]:
    layout = image_space.layout_of(space)
    assert layout is not None, "a reader made a picture of it"
    offset, factor = image_space.scale_of(space, layout)
    if offset is None:
        offset, factor = 0.0, 1.0
    how: dict[str, Any] = {"layout": layout, "offset": offset, "factor": factor}
    to_env = ft.partial(_unread, **how, native=space.shape, to=shown(space.dtype))
    return ft.partial(_read, **how), to_env


def _read(x: Any, *, layout: Layout, offset: Any, factor: Any) -> Any:
    """uint8 (height, width, channels), to the last bit as the training read it."""
    x = _arranged(x, layout)
    if isinstance(offset, float) and offset == 0.0:
        if x.dtype == jnp.uint8 and factor == 1.0:
            return x
        scaled = x.astype(jnp.float32) * np.float32(factor)
        return jnp.rint(jnp.clip(scaled, 0.0, 255.0)).astype(jnp.uint8)
    with jax.enable_x64(True):
        wide = jax.lax.convert_element_type(x, jnp.float64)
        scaled = (wide - np.float64(offset)) * np.float64(factor)
        return jnp.rint(jnp.clip(scaled, 0.0, 255.0)).astype(jnp.uint8)


def _unread(x: Any, *, layout: Layout, offset: Any, factor: Any, native: tuple, to: str) -> Any:
    """A picture of the agent in the environment's own shape, type and bounds."""
    if to != "uint8" or not (isinstance(offset, float) and (offset, factor) == (0.0, 1.0)):
        x = x.astype(jnp.float32) / np.float32(factor) + np.float32(offset)
        x = (jnp.rint(x) if np.dtype(to).kind in "iub" else x).astype(to)
    frames, last = native[:-3], native[-3:]
    if len(native) == 2:
        return x.reshape(native)
    channels = last[0] if layout.first else last[2]
    x = x.reshape(*layout.shape[:2], *frames, channels)
    x = jnp.moveaxis(x, (0, 1), (-3, -2))
    return jnp.moveaxis(x, -1, -3) if layout.first else x


def _arranged(x: Any, layout: Layout) -> Any:
    """Frames and channels last, as `image_space` does."""
    if layout.first:
        x = jnp.moveaxis(x, -3, -1)
    if x.ndim > 3:
        x = jnp.moveaxis(x, (-3, -2), (0, 1))
    assert math.prod(x.shape) == math.prod(layout.shape)
    return x.reshape(layout.shape)
