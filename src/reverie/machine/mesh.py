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
    processes = jax.process_count()
    if shape.data % processes:
        near = " or ".join(f"data={n * processes}" for n in _around(shape.data, processes))
        raise ConfigError(
            f"device.mesh {shape} cannot be shared out over {processes} processes, each with its "
            f"part of the batch: take {near}."
        )
    each = shape.devices // processes
    found = _of_each(each)
    if len(found) < shape.devices:
        raise ConfigError(_too_few(shape, each, jax.devices()))
    settings: Any = jax.config
    if not settings.jax_threefry_partitionable:
        raise ConfigError(
            f"device.mesh {shape} needs random numbers that are the same on any mesh, and JAX is "
            f"told to draw others (jax_threefry_partitionable is off): unset {RANDOM}, or leave "
            "--device.mesh out."
        )
    return mesh_of(found, shape)


def _around(number: int, step: int) -> list[int]:
    """The multiples next to a number, as their factors; at least 1."""
    return sorted({max(1, number // step), number // step + 1})


def _of_each(count: int) -> list[Any]:
    """So many devices of every process, in the order of the processes; fewer where it has fewer."""
    found: dict[int, list[Any]] = {}
    for device in jax.devices():
        found.setdefault(device.process_index, []).append(device)
    return [device for index in sorted(found) for device in found[index][:count]]


def mesh_of(devices: Sequence[Any], shape: MeshShape) -> Mesh:
    """The first of `devices` along the axes of `shape`; what splits a weight are neighbours."""
    grid = np.array(devices[: shape.devices]).reshape(shape)
    return Mesh(grid, shape._fields, axis_types=(AxisType.Auto,) * grid.ndim)


def _too_few(shape: MeshShape, each: int, found: Sequence[Any]) -> str:
    kind, there = found[0].platform, len(found)
    fits = f"data={there}" if there > 1 else "no mesh"
    share = f" ({each} in each process)" if each < shape.devices else ""
    more = ""
    if kind == "cpu":
        more = (
            "; for a trial on a CPU, XLA_FLAGS=--xla_force_host_platform_device_count="
            f"{shape.devices} makes it look like so many"
        )
    return (
        f"device.mesh {shape} needs {shape.devices} devices{share}, and JAX finds {there} "
        f"({kind}) here: {fits} fits{more}."
    )
