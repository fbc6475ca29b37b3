"""The ONNX of operations on single numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from reverie.export.nodes import Missing, Nodes, Operation, Value


def _result(eqn: Any) -> tuple[tuple[int, ...], Any]:
    """Shape and dtype of what an equation gives."""
    aval = eqn.outvars[0].aval
    return aval.shape, aval.dtype


def _like(number: float, value: Value) -> np.ndarray:
    return np.asarray(number, value.dtype)


def named(op: str, **attributes: Any) -> Operation:
    """The operation that ONNX has under the name `op`."""

    def write(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
        return [nodes.add(op, values, *_result(eqn), **attributes)]

    return write


def logical(op: str) -> Operation:
    """An operation on truth values; whole numbers have none here."""

    def write(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
        if any(value.dtype != np.bool_ for value in values):
            raise Missing(f"{eqn.primitive.name} of whole numbers")
        return [nodes.add(op, values, *_result(eqn))]

    return write


def chain(*steps: tuple[str, Sequence[Any]]) -> Operation:
    """Operations one after the other: the name of each, and its inputs, of which `...` is what the
    one before gave (at first the only input) and numbers are constants."""

    def write(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
        (x,), (shape, dtype) = values, _result(eqn)
        for op, inputs in steps:
            x = nodes.add(op, [x if i is ... else _like(i, x) for i in inputs], shape, dtype)
        return [x]

    return write


def _pass(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
    return values


def _square(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
    return [nodes.add("Mul", [values[0], values[0]], *_result(eqn))]


def _integer_pow(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
    power = _like(eqn.params["y"], values[0])
    return [nodes.add("Pow", [values[0], power], *_result(eqn))]


def _select(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
    which, *cases = values
    if which.dtype != np.bool_ or len(cases) != 2:
        raise Missing("select_n of more than two cases")
    return [nodes.add("Where", [which, cases[1], cases[0]], *_result(eqn))]


def _clamp(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
    low, x, high = values
    above = nodes.add("Max", [low, x], *_result(eqn))
    return [nodes.add("Min", [above, high], *_result(eqn))]


def _unequal(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
    return [nodes.add("Not", [nodes.add("Equal", values, *_result(eqn))], *_result(eqn))]


def _finite(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
    wrong = [nodes.add(op, values, *_result(eqn)) for op in ("IsNaN", "IsInf")]
    return [nodes.add("Not", [nodes.add("Or", wrong, *_result(eqn))], *_result(eqn))]


def _convert(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
    return [nodes.cast(values[0], eqn.params["new_dtype"])]


def _round(nodes: Nodes, eqn: Any, values: list[Value]) -> list[Value]:
    if int(eqn.params["rounding_method"]) != 1:
        raise Missing("round away from zero")
    return [nodes.add("Round", values, *_result(eqn))]


ELEMENTWISE: dict[str, Operation] = {
    **dict.fromkeys(("copy", "stop_gradient", "copy_p"), _pass),
    "abs": named("Abs"),
    "add": named("Add"),
    "add_any": named("Add"),
    "and": logical("And"),
    "ceil": named("Ceil"),
    "clamp": _clamp,
    "convert_element_type": _convert,
    "cos": named("Cos"),
    "div": named("Div"),
    "eq": named("Equal"),
    "erf": named("Erf"),
    "erfc": chain(("Erf", [...]), ("Sub", [1.0, ...])),
    "exp": named("Exp"),
    "exp2": chain(("Pow", [2.0, ...])),
    "expm1": chain(("Exp", [...]), ("Sub", [..., 1.0])),
    "floor": named("Floor"),
    "ge": named("GreaterOrEqual"),
    "gt": named("Greater"),
    "integer_pow": _integer_pow,
    "is_finite": _finite,
    "le": named("LessOrEqual"),
    "log": named("Log"),
    "log1p": chain(("Add", [..., 1.0]), ("Log", [...])),
    "logistic": named("Sigmoid"),
    "lt": named("Less"),
    "max": named("Max"),
    "min": named("Min"),
    "mul": named("Mul"),
    "ne": _unequal,
    "neg": named("Neg"),
    "not": logical("Not"),
    "or": logical("Or"),
    "pow": named("Pow"),
    "rem": named("Mod", fmod=1),
    "round": _round,
    "rsqrt": chain(("Sqrt", [...]), ("Reciprocal", [...])),
    "select_n": _select,
    "sign": named("Sign"),
    "sin": named("Sin"),
    "sqrt": named("Sqrt"),
    "square": _square,
    "sub": named("Sub"),
    "tanh": named("Tanh"),
    "xor": logical("Xor"),
}
