"""The nodes of an ONNX graph while it is written."""

import importlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from reverie.export.stablehlo import MISSING
from reverie.folder.errors import RunError

OPSET, IR = 18, 8
"""Versions of ONNX's operations and of its file, of December 2022: old enough for most runtimes."""


class Missing(Exception):
    """An operation that cannot be written; the message is its name."""


class Ref(NamedTuple):
    """A value that the graph computes: its name, shape and dtype."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype


Value = Ref | np.ndarray
"""What an operation takes: something that the graph computes, or numbers that are known."""

Operation = Callable[["Nodes", Any, list[Value]], list[Value]]
"""Writes one operation, given its equation and inputs, and says its results."""


class Nodes:
    """Nodes, weights, inputs and outputs of one graph. Raises RunError where onnx is missing."""

    def __init__(self) -> None:
        try:
            self._onnx: Any = importlib.import_module("onnx")
        except ImportError as error:
            raise RunError(MISSING.format(what="onnx")) from error
        self._nodes: list[Any] = []
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._weights: dict[str, Any] = {}
        self._named: dict[tuple, str] = {}
        self._count = 0
        self.nbytes = 0

    def input(self, name: str, like: jax.ShapeDtypeStruct) -> Ref:
        """An input of the graph."""
        self._inputs.append(self._info(name, like.shape, np.dtype(like.dtype)))
        return Ref(name, like.shape, np.dtype(like.dtype))

    def output(self, name: str, like: Any, value: Value) -> None:
        """`value` as an output of the graph."""
        self._outputs.append(self._info(name, like.shape, np.dtype(like.dtype)))
        node = self._onnx.helper.make_node("Identity", [self.name(value)], [name])
        self._nodes.append(node)

    def name(self, value: Value) -> str:
        """The name by which a node takes `value`; known numbers are kept once."""
        if isinstance(value, Ref):
            return value.name
        key = (value.shape, value.dtype.str, value.tobytes())
        if key not in self._named:
            name = self._named[key] = f"w{len(self._named)}"
            plain = np.ascontiguousarray(value).reshape(value.shape)
            self._weights[name] = self._onnx.numpy_helper.from_array(plain, name)
            self.nbytes += value.nbytes
        return self._named[key]

    def add(
        self, op: str, inputs: Sequence[Value], shape: Any, dtype: Any, **attributes: Any
    ) -> Ref:
        """A node with one result."""
        return self.many(op, inputs, [(shape, dtype)], **attributes)[0]

    def many(
        self, op: str, inputs: Sequence[Value], results: Sequence[tuple], **attributes: Any
    ) -> list[Ref]:
        """A node with these results (shape and dtype each)."""
        start, self._count = self._count, self._count + len(results)
        refs = [
            Ref(f"x{start + n}", tuple(shape), np.dtype(dtype))
            for n, (shape, dtype) in enumerate(results)
        ]
        names = [self.name(value) for value in inputs]
        node = self._onnx.helper.make_node(op, names, [ref.name for ref in refs], **attributes)
        self._nodes.append(node)
        return refs

    def cast(self, value: Value, dtype: Any) -> Value:
        """`value` in another dtype."""
        if value.dtype == np.dtype(dtype):
            return value
        to = self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.add("Cast", [value], value.shape, dtype, to=to)

    def reshape(self, value: Value, shape: Sequence[int]) -> Value:
        """`value` in another shape of as many numbers."""
        if value.shape == tuple(shape):
            return value
        if isinstance(value, np.ndarray):
            return value.reshape(shape)
        return self.add("Reshape", [value, np.asarray(shape, np.int64)], shape, value.dtype)

    def transpose(self, value: Value, axes: Sequence[int]) -> Value:
        """`value` with its axes in another order."""
        if list(axes) == sorted(axes):
            return value
        if isinstance(value, np.ndarray):
            return value.transpose(axes)
        shape = [value.shape[axis] for axis in axes]
        return self.add("Transpose", [value], shape, value.dtype, perm=list(axes))

    def model(self) -> bytes:
        """The file."""
        helper = self._onnx.helper
        weights = list(self._weights.values())
        graph = helper.make_graph(self._nodes, "reverie", self._inputs, self._outputs, weights)
        opset = [helper.make_opsetid("", OPSET)]
        made = helper.make_model(graph, opset_imports=opset, ir_version=IR, producer_name="reverie")
        return made.SerializeToString()

    def _info(self, name: str, shape: Any, dtype: np.dtype) -> Any:
        helper = self._onnx.helper
        kind = helper.np_dtype_to_tensor_dtype(dtype)
        return helper.make_tensor_value_info(name, kind, list(shape))
