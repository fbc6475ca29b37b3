"""The ONNX of products, convolutions and reductions."""

import math
from typing import Any

import numpy as np

from reverie.export.moving import cut
from reverie.export.nodes import Missing, Nodes, Operation, Value


def _dot(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
    """A product over any axes as one product of matrices, (batch, rows, columns)."""
    (left_sum, right_sum), (left_batch, right_batch) = eqn.params["dimension_numbers"]
    left, right = values
    left_free = [n for n in range(len(left.shape)) if n not in (*left_sum, *left_batch)]
    right_free = [n for n in range(len(right.shape)) if n not in (*right_sum, *right_batch)]
    left = nodes.transpose(left, [*left_batch, *left_free, *left_sum])
    right = nodes.transpose(right, [*right_batch, *right_sum, *right_free])
    batch = [math.prod(values[0].shape[n] for n in left_batch)] if left_batch else []
    rows = math.prod(values[0].shape[n] for n in left_free)
    columns = math.prod(values[1].shape[n] for n in right_free)
    inner = math.prod(values[0].shape[n] for n in left_sum)
    left = nodes.reshape(left, [*batch, rows, inner])
    right = nodes.reshape(right, [*batch, inner, columns])
    aval = eqn.outvars[0].aval
    product = nodes.add("MatMul", [left, right], [*batch, rows, columns], left.dtype)
    return [nodes.cast(nodes.reshape(product, aval.shape), aval.dtype)]


def _conv(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
    """A convolution; ONNX has channels first, and JAX says where they are."""
    params, aval = eqn.params, eqn.outvars[0].aval
    numbers = params["dimension_numbers"]
    if params["batch_group_count"] != 1 or min(map(min, params["padding"])) < 0:
        raise Missing("a convolution in batch groups or with negative padding")
    x = nodes.transpose(values[0], numbers.lhs_spec)
    for axis, factor in enumerate(params["lhs_dilation"], 2):
        x = _spread(nodes, x, axis, factor)
    kernel = nodes.transpose(values[1], numbers.rhs_spec)
    lows, highs = zip(*params["padding"], strict=True)
    shape = [aval.shape[axis] for axis in numbers.out_spec]
    y = nodes.add(
        "Conv",
        [x, kernel],
        shape,
        aval.dtype,
        strides=list(params["window_strides"]),
        dilations=list(params["rhs_dilation"]),
        pads=[*lows, *highs],
        group=params["feature_group_count"],
    )
    return [nodes.transpose(y, np.argsort(numbers.out_spec).tolist())]


def _spread(nodes: Nodes, x: Value, axis: int, factor: int) -> Value:
    """`x` with `factor` − 1 zeros between its numbers along an axis."""
    if factor == 1:
        return x
    shape = list(x.shape)
    thin = nodes.reshape(x, [*shape[: axis + 1], 1, *shape[axis + 1 :]])
    pads = np.zeros(2 * len(thin.shape), np.int64)
    pads[len(thin.shape) + axis + 1] = factor - 1
    wide = [*shape[: axis + 1], factor, *shape[axis + 1 :]]
    filled = nodes.add("Pad", [thin, pads, np.zeros((), x.dtype)], wide, x.dtype)
    shape[axis] *= factor
    end = shape[axis] - factor + 1
    return cut(nodes, nodes.reshape(filled, shape), [0], [end], [1], axes=[axis])


def reduction(op: str) -> Operation:
    """A reduction of numbers over axes."""

    def write(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
        aval, axes = eqn.outvars[0].aval, np.asarray(eqn.params["axes"], np.int64)
        return [nodes.add(op, [values[0], axes], aval.shape, aval.dtype, keepdims=0)]

    return write


def truth(op: str) -> Operation:
    """A reduction of truth values over axes."""

    def write(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
        aval, axes = eqn.outvars[0].aval, np.asarray(eqn.params["axes"], np.int64)
        whole = nodes.cast(values[0], np.int32)
        return [nodes.cast(nodes.add(op, [whole, axes], aval.shape, np.int32, keepdims=0), bool)]

    return write


def best(op: str) -> Operation:
    """The index of the largest or smallest number along an axis, the first of equals."""

    def write(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
        aval, (axis,) = eqn.outvars[0].aval, eqn.params["axes"]
        found = nodes.add(op, [values[0]], aval.shape, np.int64, axis=axis, keepdims=0)
        return [nodes.cast(found, aval.dtype)]

    return write


def _cumulated(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
    aval, axis = eqn.outvars[0].aval, np.asarray(eqn.params["axis"], np.int64)
    backward = int(eqn.params["reverse"])
    return [nodes.add("CumSum", [values[0], axis], aval.shape, aval.dtype, reverse=backward)]


LINEAR: dict[str, Operation] = {
    "argmax": best("ArgMax"),
    "argmin": best("ArgMin"),
    "conv_general_dilated": _conv,
    "cumsum": _cumulated,
    "dot_general": _dot,
    "reduce_and": truth("ReduceMin"),
    "reduce_max": reduction("ReduceMax"),
    "reduce_min": reduction("ReduceMin"),
    "reduce_or": truth("ReduceMax"),
    "reduce_prod": reduction("ReduceProd"),
    "reduce_sum": reduction("ReduceSum"),
}
