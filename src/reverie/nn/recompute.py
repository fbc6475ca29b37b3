"""A scan over time that keeps the states alone; all else is recomputed for all steps at once.

Differentiating a scan stores every intermediate array of every step and adds up the gradient of
every parameter at every step. On a GPU each of these is a kernel, and a kernel costs more to start
than to run. Here the forward scan stores the carries alone. Three passes over all steps at once and
one scan do the rest:

1. From the carries follow the outputs of the step, and of every layer in it, in one batch.
2. The backward scan turns the gradient of one carry into that of the carry before. It multiplies
   nothing of the forward pass: the outputs of the layers are known. It stores one gradient a step.
3. With the gradients of all carries, those of the parameters and the inputs follow in one batch.

Same function and same gradient as `lax.scan`, up to the order of summation. `scan.py` is the form
for a CPU, where products cost more than stores.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from reverie.module import Module
from reverie.nn.layers import MeanSquare
from reverie.nn.scan import LAYERS, Rest, split_layers

PARTS = (*LAYERS, MeanSquare)
"""What is computed once: all that multiplies or adds up."""

Split = tuple[list[Any], Rest]


class Noted:
    """A layer that notes its output."""

    def __init__(self, layer: Any):
        self.layer = layer
        self.output: Array | None = None

    @property
    def kernel(self) -> Array:
        return self.layer.kernel

    def __call__(self, *inputs: Array, **options: Any) -> Array:
        assert self.output is None, "a layer is called once a step"
        output = self.layer(*inputs, **options)
        self.output = output
        return output


class Known:
    """A layer whose output is known; only the gradient of its inputs is computed."""

    def __init__(self, layer: Any, output: Array | None):
        self.layer, self.output = layer, output

    @property
    def kernel(self) -> Array:
        return self.layer.kernel

    def __call__(self, *inputs: Array, **options: Any) -> Array:
        assert self.output is not None, "every step calls the same layers"
        return known(tuple(options.items()), self.layer, inputs, self.output)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def known(options: tuple, layer: Any, inputs: tuple[Array, ...], output: Array) -> Array:
    """`output`, which is `layer(*inputs, **options)`, with the gradient for `inputs`."""
    return output


def _known_forward(options, layer, inputs, output):
    return output, (layer, inputs)


def _known_backward(options, residuals, delta):
    layer, inputs = residuals
    _, pull = jax.vjp(lambda *inputs: layer(*inputs, **dict(options)), *inputs)
    return None, pull(delta), None


known.defvjp(_known_forward, _known_backward)


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def scan_recomputed(
    step: Callable, unroll: int, module: Module, carry: Any, inputs: Any
) -> tuple[Any, Any]:
    """Carries after every step, and the outputs, of `step(module, carry, input)`, which returns
    (carry, output). Arrays of `inputs` begin with the time; a trip of a loop does `unroll` steps.

    Every layer of `module` may be called once a step at most.
    """
    carries = all_carries(partial(step, module), unroll, carry, inputs)
    before = shifted(carry, carries)
    return carries, jax.vmap(partial(step, module))(before, inputs)[1]


def _forward(step, unroll, module, carry, inputs):
    carries = all_carries(partial(step, module), unroll, carry, inputs)
    before = shifted(carry, carries)
    together = partial(at_once, step)
    (_, outputs), pull, products = jax.vjp(together, module, before, inputs, has_aux=True)
    return (carries, outputs), (module, before, inputs, products, pull)


def _backward(step, unroll, residuals, gradient):
    module, before, inputs, products, pull = residuals
    of_carries, of_outputs = gradient
    totals = carry_gradients(
        partial(step_gradient, step, split_layers(module, PARTS)),
        of_carries,
        (before, inputs, products, of_outputs),
        unroll=unroll,
    )
    of_module, of_before, of_inputs = pull((totals, of_outputs))
    return of_module, jax.tree.map(lambda x: x[0], of_before), of_inputs


scan_recomputed.defvjp(_forward, _backward)


def all_carries(step: Callable, unroll: int, carry: Any, inputs: Any) -> Any:
    """The carries after every step, (carry, input) -> (carry, output)."""

    def body(carry, x):
        carry, _ = step(carry, x)
        return carry, carry

    return jax.lax.scan(body, carry, inputs, unroll=unroll)[1]


def shifted(first: Any, carries: Any) -> Any:
    """The carries before every step, from the first one and those after every step."""
    return jax.tree.map(lambda x, y: jnp.concatenate([x[None], y[:-1]]), first, carries)


def at_once(step: Callable, module: Module, before: Any, inputs: Any) -> tuple[Any, list]:
    """All steps side by side: (carries after, outputs), and the outputs of every layer."""
    layers, rest = split_layers(module, PARTS)

    def one(carry, x):
        noted = [Noted(layer) for layer in layers]
        return step(rest(noted), carry, x), [layer.output for layer in noted]

    return jax.vmap(one)(before, inputs)


def step_gradient(step: Callable, parts: Split, gradient: Any, at: tuple) -> Any:
    """The gradient of the carry before a step, from that of the carry after it."""
    layers, rest = parts
    carry, x, products, of_output = at
    model = rest([Known(layer, y) for layer, y in zip(layers, products, strict=True)])
    _, pull = jax.vjp(lambda carry: step(model, carry, x), carry)
    return pull((gradient, of_output))[0]


def carry_gradients(gradient_before: Callable, own: Any, steps: Any, *, unroll: int) -> Any:
    """The whole gradient of the carry after every step: `own`, and what later steps add."""

    def body(later, at):
        own, at = at
        total = jax.tree.map(jnp.add, later, own)
        return gradient_before(total, at), total

    none = jax.tree.map(lambda x: jnp.zeros_like(x[0]), own)
    return jax.lax.scan(body, none, (own, steps), reverse=True, unroll=unroll)[1]
