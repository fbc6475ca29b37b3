"""The devices of a mesh: which ones, and whether there are enough."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh

from reverie.config.mesh import MeshShape
from reverie.part.errors import ConfigError

RANDOM = "JAX_THREEFRY_PARTITIONABLE"
"""JAX's variable that decides whether random numbers are the same however they are shared out."""


def make_mesh(shape: MeshShape) -> Mesh:
    """The first devices that JAX finds, along the axes of `shape`.

    Raises ConfigError where there are fewer, or JAX was told to draw random numbers that depend on
    how an array is shared out.
    """
    found = jax.devices()
    if len(found) < shape.devices:
        raise ConfigError(_too_few(shape, found))
    settings: Any = jax.config
    if not settings.jax_threefry_partitionable:
        raise ConfigError(
            f"device.mesh {shape} needs random numbers that are the same on any mesh, and JAX is "
            f"told to draw others (jax_threefry_partitionable is off): unset {RANDOM}, or leave "
            "--device.mesh out."
        )
    return mesh_of(found, shape)


def mesh_of(devices: Sequence[Any], shape: MeshShape) -> Mesh:
    """The first of `devices` along the axes of `shape`; what splits a weight are neighbours."""
    grid = np.array(devices[: shape.devices]).reshape(shape)
    return Mesh(grid, shape._fields, axis_types=(AxisType.Auto,) * grid.ndim)


def _too_few(shape: MeshShape, found: Sequence[Any]) -> str:
    kind, there = found[0].platform, len(found)
    fits = f"data={there}" if there > 1 else "no mesh"
    more = ""
    if kind == "cpu":
        more = (
            "; for a trial on a CPU, XLA_FLAGS=--xla_force_host_platform_device_count="
            f"{shape.devices} makes it look like so many"
        )
    return (
        f"device.mesh {shape} needs {shape.devices} devices, and JAX finds {there} "
        f"({kind}) here: {fits} fits{more}."
    )
