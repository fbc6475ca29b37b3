"""Arithmetic: how much of it a traced function does, and how much the machine does in a second.

XLA's own `cost_analysis` counts the body of a loop once, whatever its length: an update of
DreamerV3 then seems to do a small part of its work. Here the body of a scan counts `length` times.
"""

import functools
import math
import time
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr

SIDE = {"cpu": 1024}
"""Side of the square matrices that measure a platform; 4096 where none is named."""


def count_flops(jaxpr: ClosedJaxpr | Jaxpr) -> int:
    """Floating-point operations of the matrix products and convolutions in `jaxpr`.

    A multiplication and its addition are two. Scans count their body once a step, branches their
    dearest arm. A convolution counts every kernel tap at every output position, those that fall
    on the padding too, but not those on the holes of a dilated input. Element-wise work is not
    counted: it is memory traffic rather than arithmetic.

    Raises ValueError for products inside a loop whose number of turns is not known beforehand.
    """
    return sum(_count_equation(equation) for equation in jaxpr.eqns)


def _count_equation(equation: Any) -> int:
    name, params = equation.primitive.name, equation.params
    match name:
        case "dot_general":
            return _count_product(equation)
        case "conv_general_dilated":
            return _count_convolution(equation)
        case "scan":
            return params["length"] * count_flops(params["jaxpr"])
        case "cond":
            return max(count_flops(branch) for branch in params["branches"])
    inside = sum(count_flops(part) for part in inner_jaxprs(params))
    if inside and name in ("while", "pallas_call"):
        raise ValueError(
            f"the traced function has matrix products inside a {name!r}, which does not tell how "
            "often they are computed: write the loop as a scan, or teach count_flops its length."
        )
    return inside


def inner_jaxprs(params: dict[str, Any]) -> list[ClosedJaxpr | Jaxpr]:
    """The functions that an equation with these parameters calls."""
    groups = (value if isinstance(value, tuple | list) else (value,) for value in params.values())
    return [item for group in groups for item in group if isinstance(item, ClosedJaxpr | Jaxpr)]


def _count_product(equation: Any) -> int:
    (contracted, _), _ = equation.params["dimension_numbers"]
    left = equation.invars[0].aval.shape
    return 2 * math.prod(left[axis] for axis in contracted) * equation.outvars[0].aval.size


def _count_convolution(equation: Any) -> int:
    params = equation.params
    kernel = [equation.invars[1].aval.shape[axis] for axis in params["dimension_numbers"].rhs_spec]
    taps = kernel[1] * math.prod(kernel[2:])  # input channels of a group x window
    return 2 * equation.outvars[0].aval.size * taps // math.prod(params["lhs_dilation"])


class MatrixProduct:
    """A large square matrix product on the default device: the measure of what it can attain."""

    def __init__(self, dtype: Any, side: int | None = None):
        """`dtype` of the factors; `side` of the matrices, None: what suits the platform."""
        self.side = side or SIDE.get(jax.default_backend(), 4096)
        self.flops = 2 * self.side**3
        self._factor = jnp.full((self.side, self.side), 1 / self.side, dtype)
        self._product = jax.jit(jnp.matmul)
        self.start().block_until_ready()

    def start(self) -> jax.Array:
        """Begin one product; its result, on which the caller may wait."""
        return self._product(self._factor, self._factor)

    def best_speed(self, repeats: int = 5) -> float:
        """Most FLOP/s over `repeats` products; the others were disturbed."""
        best = float("inf")
        for _ in range(repeats):
            begin = time.perf_counter()
            self.start().block_until_ready()
            best = min(best, time.perf_counter() - begin)
        return self.flops / best


@functools.cache
def best_speed(dtype: Any) -> float:
    """FLOP/s of a large matrix product of `dtype` on this machine, measured once a process."""
    return MatrixProduct(dtype).best_speed()
