"""The environment's actions inside a traced program: what `envs/actions.py` does, and back."""

import functools as ft
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from gymnasium import spaces

from reverie.envs.actions import Writer, writers
from reverie.envs.observations import leaves
from reverie.envs.own_terms import OwnTerms
from reverie.export import classes
from reverie.export.port import Leaf, Port, bound, named, same, shown
from reverie.folder.errors import RunError
from reverie.records import Spec, Specs

NAME = "action/"
FLOAT32 = np.finfo(np.float32)


def of_env(own: OwnTerms) -> list[Leaf]:
    """The parts of the action that the environment takes.

    Raises RunError for classes or bounds that no exported program can hold.
    """
    parts = dict(leaves(own.action_space))
    found = sorted(writers(own.action_space)[0], key=lambda writer: writer.key)
    return [_leaf(writer, parts[writer.path]) for writer in found]


def of_agent(specs: Specs) -> list[Leaf]:
    """The parts of the action as the agent itself chooses them."""
    return [_plain(key, spec) for key, spec in sorted(specs.items())]


def _plain(key: str, spec: Spec) -> Leaf:
    low, high, note = -1.0, 1.0, ""
    if spec.kind == "discrete":
        low, high = 0, bound(np.reshape(spec.classes, spec.shape) - 1, spec.shape)
    else:
        note = f"the environment's own bounds are {list(spec.low)} and {list(spec.high)}"
    port = Port(NAME + key, "action", spec.shape, spec.dtype, low, high, note=note)
    clip = same if spec.kind == "discrete" else _clipped
    return Leaf(key, port, same, clip)


def _clipped(x: Any) -> Any:
    return jnp.clip(x, -1.0, 1.0)


def _leaf(writer: Writer, space: Any) -> Leaf:
    if isinstance(space, spaces.Box):
        return _box(writer, space)
    return classes.leaf_of("action", writer.key, writer.path, writer.spec, space)


def _box(writer: Writer, space: spaces.Box) -> Leaf:
    kind = shown(space.dtype)
    low, high = _inside(space, kind, writer.key)
    wide = space.low.astype(np.float64), space.high.astype(np.float64)
    bounded = np.isfinite(wide[0]) & np.isfinite(wide[1])
    least, most = np.where(bounded, wide[0], -1.0), np.where(bounded, wide[1], 1.0)
    scale = most / 2 - least / 2
    how = {"scale": scale, "centre": np.where(bounded, least + scale, 0.0)}
    port = Port(
        NAME + writer.key,
        "action",
        space.shape,
        kind,
        bound(np.where(bounded, low, np.maximum(low, -1.0)), space.shape),
        bound(np.where(bounded, high, np.minimum(high, 1.0)), space.shape),
        path=writer.path,
        space=named(space),
        note="" if bounded.all() else "components without two finite bounds stay in [-1, 1]",
    )
    to_env = ft.partial(_to_box, **how, low=low, high=high, to=kind)
    return Leaf(writer.key, port, ft.partial(_from_box, **how), to_env)


def _inside(space: spaces.Box, kind: str, key: str) -> tuple[np.ndarray, np.ndarray]:
    """The bounds in float32 or less, none of them outside the environment's own.

    Raises RunError where they are finite and float32 does not reach them.
    """
    found = []
    for wide, inward in ((space.low, np.inf), (space.high, -np.inf)):
        with np.errstate(over="ignore"):
            near = wide.astype(kind if kind != "float64" else "float32")
        if (np.isinf(near) & np.isfinite(wide)).any():
            raise RunError(
                f"action {key!r} has the bound {wide[np.isinf(near)].flat[0]:g}, and exported "
                f"programs count in float32 (up to {FLOAT32.max:.3g}): rescale it in a wrapper."
            )
        outside = near < wide if inward > 0 else near > wide
        found.append(np.where(outside, np.nextafter(near, near.dtype.type(inward)), near))
    return found[0], found[1]


def _to_box(x: Any, *, scale, centre, low: np.ndarray, high: np.ndarray, to: str) -> Any:
    """In float64, as in the training: near a bound a wide range leaves float32 few digits."""
    with jax.enable_x64(True):
        wide = jax.lax.convert_element_type(x, jnp.float64)
        inside = jnp.minimum(jnp.maximum(wide, -1.0), 1.0) * scale + centre
        kept = jnp.minimum(jnp.maximum(inside, low.astype(np.float64)), high.astype(np.float64))
        return jax.lax.convert_element_type(kept, np.dtype(to))


def _from_box(x: Any, *, scale, centre) -> Any:
    wide = x.astype(jnp.float32) - centre.astype(np.float32)
    divisor = np.where(scale == 0, 1, scale).astype(np.float32)
    return jnp.where(scale == 0, np.float32(0), wide / divisor)
