"""A scan over time whose weight gradients are computed once, after it.

Differentiating a scan adds up the gradient of every weight matrix at every step: each step reads
and writes arrays as large as all weights, and multiplies matrices as thin as the batch. Here the
backward scan computes only what must be sequential, the gradients of the layers' *outputs*. These
and the layers' inputs are stacked over time, and each weight gradient is one large product. Same
function, same gradient up to the order of summation.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from reverie.module import Module
from reverie.nn.layers import BlockLinear, Linear, SharedBlockLinear

LAYERS = (Linear, BlockLinear, SharedBlockLinear)


class ScanForm(NamedTuple):
    """How a scan over time is computed; the function is the same (`device.scan`, `.unroll`)."""

    recompute: bool = False  # what gradients need is recomputed for all steps, not stored
    unroll: int = 1  # steps of one trip of the loop


STORED = ScanForm()
"""The form that suits a CPU."""


class Taped:
    """A layer that notes its inputs and adds `nudge` (zeros) to its output.

    The gradient that reaches `nudge` is the gradient of the layer's output.
    """

    def __init__(self, layer: Any, nudge: Array | None):
        self.layer, self.nudge = layer, nudge
        self.inputs: tuple[Array, ...] = ()
        self.output: Array | None = None

    def __call__(self, *inputs: Array) -> Array:
        assert not self.inputs, "a taped layer is called once a step"
        self.inputs = inputs
        output = self.layer(*inputs)
        self.output = output
        return output if self.nudge is None else output + self.nudge


def scan_deferred(
    module: Module, step: Callable, carry: Any, inputs: Any, *, unroll: int = 1
) -> tuple[Any, Any]:
    """`lax.scan` of `step(module, carry, input) -> (carry, output)` with late weight gradients.

    Every `Linear`, `BlockLinear` and `SharedBlockLinear` of `module` may be called once a step at
    most; its other parameters are differentiated as usual.
    """
    layers, rest = split_layers(module)
    nudges = zero_outputs(module, step, carry, inputs)

    def run(layers, nudges, rest, carry, inputs):
        def body(carry, xs):
            x, nudge = xs
            taped = [Taped(layer, n) for layer, n in zip(layers, nudge, strict=True)]
            carry, output = step(rest(taped), carry, x)
            return carry, (output, [t.inputs for t in taped])

        last, (outputs, taken) = jax.lax.scan(body, carry, (inputs, nudges), unroll=unroll)
        return (last, outputs), taken

    @jax.custom_vjp
    def scan(layers, leaves, carry, inputs):
        return run(layers, nudges, rest.with_leaves(leaves), carry, inputs)[0]

    def forward(layers, leaves, carry, inputs):
        def inner(nudges, leaves, carry, inputs):
            return run(layers, nudges, rest.with_leaves(leaves), carry, inputs)

        out, pull, taken = jax.vjp(inner, nudges, leaves, carry, inputs, has_aux=True)
        return out, (pull, taken, layers)

    def backward(residuals, cotangent):
        pull, taken, layers = residuals
        deltas, leaves, carry, inputs = pull(cotangent)
        grads = [
            jax.tree.map(jnp.zeros_like, layer) if delta is None else layer.gradient(x, delta)
            for layer, x, delta in zip(layers, taken, deltas, strict=True)
        ]
        grads = jax.tree.map(lambda g, p: g.astype(p.dtype), grads, layers)
        return grads, leaves, carry, inputs

    scan.defvjp(forward, backward)
    return scan(layers, rest.leaves, carry, inputs)


class Rest:
    """A module without its layers: called with a list of layers it is the module again."""

    def __init__(self, leaves: list[Any], treedef: Any, slots: list[int | None]):
        self.leaves, self._treedef, self._slots = leaves, treedef, slots

    def with_leaves(self, leaves: list[Any]) -> "Rest":
        return Rest(leaves, self._treedef, self._slots)

    def __call__(self, layers: list[Any]) -> Any:
        others = iter(self.leaves)
        parts = [next(others) if slot is None else layers[slot] for slot in self._slots]
        return jax.tree.unflatten(self._treedef, parts)


def split_layers(module: Module, kinds: tuple[type, ...] = LAYERS) -> tuple[list[Any], Rest]:
    """The layers of `module` in tree order, and all else."""

    def is_layer(part):
        return isinstance(part, kinds)

    parts, treedef = jax.tree.flatten(module, is_leaf=is_layer)
    layers = [part for part in parts if is_layer(part)]
    numbers = iter(range(len(layers)))
    slots = [next(numbers) if is_layer(part) else None for part in parts]
    return layers, Rest([p for p in parts if not is_layer(p)], treedef, slots)


def zero_outputs(module: Module, step: Callable, carry: Any, inputs: Any) -> list[Array | None]:
    """Zeros (T, …) like every layer's outputs of all steps; None for a layer that is not called."""
    shapes = output_shapes(module, step, carry, inputs)
    length = jax.tree.leaves(inputs)[0].shape[0]
    return [None if s is None else jnp.zeros((length, *s.shape), s.dtype) for s in shapes]


def output_shapes(module: Module, step: Callable, carry: Any, inputs: Any) -> list[Any]:
    """Shape and dtype of every layer's output in one step; None for a layer that is not called."""
    layers, rest = split_layers(module)

    def once(layers, leaves, carry, x):
        taped = [Taped(layer, None) for layer in layers]
        step(rest.with_leaves(leaves)(taped), carry, x)
        return [t.output for t in taped]

    first = jax.tree.map(lambda x: x[0], inputs)
    return jax.eval_shape(once, layers, rest.leaves, carry, first)
