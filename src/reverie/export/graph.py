"""A program as an ONNX graph: the operations that JAX traced, one after the other.

What does not depend on the program's inputs is computed here, once. Calls are written out in place,
and a loop over time of fixed length too: a program sees one step. (`jax2onnx` 0.13 was tried first:
of these networks it makes graphs that onnxruntime refuses.)
"""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.extend import core

from reverie.export.elementwise import ELEMENTWISE
from reverie.export.linear import LINEAR
from reverie.export.moving import MOVING, rows_of, stacked
from reverie.export.nodes import Missing, Nodes, Ref, Value
from reverie.export.programs import Program
from reverie.folder.errors import RunError

OPERATIONS = {**ELEMENTWISE, **MOVING, **LINEAR}
"""How each of JAX's operations is written, by its name."""
INNER = ("jaxpr", "call_jaxpr", "fun_jaxpr")
"""Parameters of a call that hold what is called."""
LONGEST = 64
"""Steps of a loop that are written out."""
MOST = (1 << 31) - (1 << 20)
"""Most bytes of weights in one file of ONNX."""


def convert(program: Program) -> bytes:
    """The bytes of an ONNX model whose inputs and outputs have the names of the program's ports.

    Raises RunError where the package that writes them is missing, an operation has no form in
    ONNX, or the weights are too large for one file.
    """
    likes: dict[str, Any] = {port.name: port.like for port in program.inputs}
    traced, shapes = jax.make_jaxpr(program.function, return_shape=True)(likes)
    nodes = Nodes()
    given: list[Value] = [nodes.input(name, likes[name]) for name in sorted(likes)]
    try:
        results = _walk(nodes, traced.jaxpr, traced.consts, given)
    except Missing as missing:
        raise RunError(
            f"the agent computes {missing}, for which ONNX has no form here: export it to "
            "stablehlo, which takes whatever JAX computes."
        ) from None
    for (name, shape), value in zip(sorted(shapes.items()), results, strict=True):
        nodes.output(name, shape, value)
    if nodes.nbytes > MOST:
        raise RunError(
            f"the weights have {nodes.nbytes:,} bytes, and one file of ONNX holds {MOST:,}: export "
            "them to stablehlo."
        )
    return nodes.model()


def _walk(nodes: Nodes, jaxpr: Any, consts: Sequence[Any], given: Sequence[Value]) -> list[Value]:
    """The values of a traced function's results for these inputs."""
    known: dict[Any, Value] = dict(zip(jaxpr.invars, given, strict=True))
    known |= {var: np.asarray(c) for var, c in zip(jaxpr.constvars, consts, strict=True)}

    def read(var: Any) -> Value:
        if isinstance(var, core.Literal):
            return np.asarray(var.val, getattr(var.aval, "dtype", None))
        return known[var]

    for eqn in jaxpr.eqns:
        results = _write(nodes, eqn, [read(var) for var in eqn.invars])
        known.update(zip(eqn.outvars, results, strict=True))
    return [read(var) for var in jaxpr.outvars]


def _write(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
    name = eqn.primitive.name
    if all(0 in var.aval.shape for var in eqn.outvars):
        return [np.zeros(var.aval.shape, var.aval.dtype) for var in eqn.outvars]
    if not any(isinstance(value, Ref) for value in values):
        results = eqn.primitive.bind(*values, **eqn.params)
        results = results if eqn.primitive.multiple_results else [results]
        return [np.asarray(result) for result in results]
    if name == "scan":
        return _unrolled(nodes, eqn.params, values)
    inner = next((eqn.params[key] for key in INNER if key in eqn.params), None)
    if inner is not None and name not in ("while", "cond"):
        return _walk(nodes, inner.jaxpr, inner.consts, values)
    if name not in OPERATIONS:
        raise Missing(name)
    return OPERATIONS[name](nodes, eqn, values)


def _unrolled(nodes: Nodes, params: dict[str, Any], values: list[Value]) -> list[Value]:
    """A loop over `length` rows, step by step."""
    length, first, carried = params["length"], params["num_consts"], params["num_carry"]
    if length > LONGEST:
        raise Missing(f"a loop over {length} steps")
    fixed, carry = values[:first], values[first : first + carried]
    rows = [rows_of(nodes, value, length) for value in values[first + carried :]]
    body, told = params["jaxpr"], []
    for step in reversed(range(length)) if params["reverse"] else range(length):
        now = [row[step] for row in rows]
        results = _walk(nodes, body.jaxpr, body.consts, [*fixed, *carry, *now])
        carry = results[:carried]
        told.append(results[carried:])
    told = told[::-1] if params["reverse"] else told
    return [*carry, *(stacked(nodes, list(parts), 0) for parts in zip(*told, strict=True))]
