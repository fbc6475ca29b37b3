"""From what JAX suites show and take to specs, and the conversions between them, in JAX."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from reverie.envs.observations import IMAGE_SIDE
from reverie.records import Spec

ACTION = "action"
"""Key of the action: these suites have one."""


def discrete_action(count: int) -> dict[str, Spec]:
    """Specs of one choice out of `count`."""
    return {ACTION: Spec("discrete", (), classes=(int(count),))}


def choices_action(counts: Any) -> dict[str, Spec]:
    """Specs of several choices, one a component of `counts`."""
    counts = np.asarray(counts)
    return {ACTION: Spec("discrete", counts.shape, classes=tuple(map(int, counts.reshape(-1))))}


def box_action(low: Any, high: Any, shape: tuple[int, ...]) -> tuple[dict[str, Spec], Callable]:
    """Specs of a continuous action with bounds, and the way from [-1, 1] to them."""
    low, high = (np.broadcast_to(np.asarray(b, np.float32), shape) for b in (low, high))
    bounds = (tuple(map(float, bound.reshape(-1))) for bound in (low, high))
    spec = Spec("vector", shape, (), *bounds)
    half = (high - low) / 2

    def rescale(action):
        return jnp.clip(jnp.clip(action, -1.0, 1.0) * half + (low + half), low, high)

    return {ACTION: spec}, rescale


def reading(shape: tuple[int, ...], *, flags: bool = False) -> tuple[Spec, Callable]:
    """Spec and conversion of an array of numbers.

    Arrays of rank 3 with sides of at least 8 that hold 0 or 1 (`flags`) are pictures, as the ones
    of other suites are; everything else is a vector.
    """
    if flags and len(shape) == 3 and min(sorted(shape)[1:]) >= IMAGE_SIDE:
        return Spec("image", shape), lambda x: jnp.asarray(x, jnp.uint8) * jnp.uint8(255)
    return Spec("vector", shape), lambda x: jnp.asarray(x, jnp.float32)


def fraction_picture(shape: tuple[int, ...]) -> tuple[Spec, Callable]:
    """Spec and conversion of a picture with values in [0, 1]."""
    return Spec("image", shape), lambda x: jnp.rint(x * 255.0).astype(jnp.uint8)
