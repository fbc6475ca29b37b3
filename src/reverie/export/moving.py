"""The ONNX of operations that move numbers and change none."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from reverie.export.nodes import Missing, Nodes, Operation, Value


def rows_of(nodes: Nodes, value: Value, length: int) -> list[Value]:
    """The `length` rows of a value."""
    shape = value.shape[1:]
    if isinstance(value, np.ndarray):
        return list(value)
    if length == 1:
        return [nodes.reshape(value, shape)]
    return [
        nodes.reshape(cut(nodes, value, [n], [n + 1], [1], axes=[0]), shape) for n in range(length)
    ]


def stacked(nodes: Nodes, values: list[Value], axis: int) -> Value:
    """Values of one shape along a new axis."""
    known = [value for value in values if isinstance(value, np.ndarray)]
    if len(known) == len(values):
        return np.stack(known, axis)
    shape = list(values[0].shape)
    parts = [nodes.reshape(value, [*shape[:axis], 1, *shape[axis:]]) for value in values]
    return joined(nodes, parts, axis)


def joined(nodes: Nodes, values: Sequence[Value], axis: int) -> Value:
    """Values one after the other along an axis."""
    values = [value for value in values if value.shape[axis]]
    if len(values) == 1:
        return values[0]
    shape = list(values[0].shape)
    shape[axis] = sum(value.shape[axis] for value in values)
    return nodes.add("Concat", values, shape, values[0].dtype, axis=axis)


def cut(
    nodes: Nodes,
    value: Value,
    start: Sequence[int],
    stop: Sequence[int],
    step: Sequence[int],
    *,
    axes: Sequence[int],
) -> Value:
    """A slice of a value along `axes`; a `stop` of −1 counts as it does in JAX, from nowhere."""
    shape = list(value.shape)
    for axis, *bounds in zip(axes, start, stop, step, strict=True):
        shape[axis] = len(range(*bounds))
    limits = [int(np.iinfo(np.int64).min) if end < 0 else end for end in stop]
    inputs = [np.asarray(part, np.int64) for part in (start, limits, axes, step)]
    return nodes.add("Slice", [value, *inputs], shape, value.dtype)


def _reshape(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
    return [nodes.reshape(values[0], eqn.outvars[0].aval.shape)]


def _broadcast(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
    shape, where = eqn.params["shape"], eqn.params["broadcast_dimensions"]
    thin = [1] * len(shape)
    for axis, size in zip(where, values[0].shape, strict=True):
        thin[axis] = size
    value = nodes.reshape(values[0], thin)
    if value.shape == tuple(shape):
        return [value]
    return [nodes.add("Expand", [value, np.asarray(shape, np.int64)], shape, value.dtype)]


def _transpose(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
    return [nodes.transpose(values[0], eqn.params["permutation"])]


def _concatenate(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
    return [joined(nodes, values, eqn.params["dimension"])]


def _stack(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
    return [stacked(nodes, values, eqn.params["axis"])]


def _split(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
    results = [(var.aval.shape, var.aval.dtype) for var in eqn.outvars]
    sizes = np.asarray(eqn.params["sizes"], np.int64)
    return [*nodes.many("Split", [values[0], sizes], results, axis=eqn.params["axis"])]


def _slice(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
    start, stop = eqn.params["start_indices"], eqn.params["limit_indices"]
    step, axes = eqn.params["strides"] or (1,) * len(start), range(len(start))
    return [cut(nodes, values[0], start, stop, step, axes=list(axes))]


def _reverse(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
    axes = eqn.params["dimensions"]
    start, count = [values[0].shape[axis] - 1 for axis in axes], len(axes)
    return [cut(nodes, values[0], start, [-1] * count, [-1] * count, axes=axes)]


def _pad(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
    config, aval = eqn.params["padding_config"], eqn.outvars[0].aval
    if any(between for _, _, between in config):
        raise Missing("pad between numbers")
    pads = np.asarray([low for low, _, _ in config] + [high for _, high, _ in config], np.int64)
    return [nodes.add("Pad", [values[0], pads, values[1]], aval.shape, aval.dtype)]


MOVING: dict[str, Operation] = {
    "broadcast_in_dim": _broadcast,
    "concatenate": _concatenate,
    "expand_dims": _reshape,
    "pad": _pad,
    "reshape": _reshape,
    "rev": _reverse,
    "slice": _slice,
    "split": _split,
    "squeeze": _reshape,
    "stack": _stack,
    "transpose": _transpose,
}
