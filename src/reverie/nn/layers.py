"""Dense layers: linear, block-diagonal linear, norms, and stacks of them."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.module import Module, blank, cast, static, to_rank
from reverie.nn.axes import in_rows
from reverie.nn.options import NetConfig

NET = NetConfig()
"""The networks of DreamerV3."""


def init_kernel(
    key: PRNGKeyArray,
    shape: tuple[int, ...],
    fan_in: int,
    scale: float = 1.0,
    *,
    init: str = "fan_in",
    fan_out: int = 0,
) -> Array:
    """An initial kernel with `scale` times the deviation that `init` names (see `NetConfig`).

    Truncated normal on ±2 deviations with standard deviation 1/√fan_in (`fan_in`) or
    √(2/(fan_in + fan_out)) (`fan_avg`), or uniform with that deviation (`glorot`). 1.1368 makes up
    for the variance that the truncation removes. Scale 0 gives zeros.
    """
    if init == "glorot":
        limit = scale * math.sqrt(6.0 / (fan_in + fan_out))
        return jax.random.uniform(key, shape, jnp.float32, -limit, limit)
    normal = jax.random.truncated_normal(key, -2.0, 2.0, shape, jnp.float32)
    fan = fan_in if init == "fan_in" else (fan_in + fan_out) / 2
    return 1.1368 * scale * fan**-0.5 * normal


def activate(x: Float[Array, "..."], kind: str) -> Float[Array, "..."]:
    """The activation called `kind` (see `NetConfig.act`)."""
    return {"silu": jax.nn.silu, "elu": jax.nn.elu}[kind](x)


class Linear(Module):
    """x·kernel + bias over the last axis."""

    kernel: Float[Array, "i o"]
    bias: Float[Array, " o"] | None

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        scale: float = 1.0,
        init: str = "fan_in",
        bias: bool = True,
        key: PRNGKeyArray,
    ):
        self.kernel = init_kernel(key, (inputs, outputs), inputs, scale, init=init, fan_out=outputs)
        self.bias = jnp.zeros(outputs) if bias else None

    def __call__(self, x: Float[Array, "*n i"]) -> Float[Array, "*n o"]:
        rows = in_rows(x)
        product = rows @ self.kernel
        product = product if self.bias is None else product + to_rank(self.bias, rows.ndim)
        return product.reshape(*x.shape[:-1], -1)

    def gradient(self, inputs: tuple[Array], delta: Float[Array, "t n o"]) -> "Linear":
        """Gradient of the parameters from all inputs and output gradients of a scan."""
        rows, deltas = in_rows(inputs[0]), in_rows(delta)
        every = tuple(range(rows.ndim - 1))
        bias = None if self.bias is None else deltas.sum(every)
        return blank(Linear, kernel=jnp.tensordot(rows, deltas, (every, every)), bias=bias)


class BlockLinear(Module):
    """A block-diagonal linear layer: block g maps its slice of the input to that of the output.

    Flat vectors are block-major. The layer works *group-first*, (G, N, width): a plain batched
    matrix product, several times faster than block products on flat rows; the batch is in sight
    for that reason. The initial deviation counts the whole input as fan-in, as the official code
    does.
    """

    kernel: Float[Array, "g i o"]
    bias: Float[Array, " go"]

    def __init__(
        self, inputs: int, outputs: int, blocks: int, *, scale: float = 1.0, key: PRNGKeyArray
    ):
        shape = (blocks, inputs // blocks, outputs // blocks)
        self.kernel = init_kernel(key, shape, shape[0] * shape[1], scale)
        self.bias = jnp.zeros(outputs)

    @property
    def blocks(self) -> int:
        return self.kernel.shape[0]

    def __call__(self, x: Float[Array, "g n i"]) -> Float[Array, "g n o"]:
        return jnp.matmul(x, self.kernel) + self.bias.reshape(self.blocks, 1, -1)

    def split(self, width: int) -> "SharedBlockLinear":
        """The same layer for inputs of which only the first `width` of each block are its own."""
        own, shared = self.kernel[:, :width], self.kernel[:, width:]
        joint = shared.swapaxes(0, 1).reshape(shared.shape[1], -1)
        return SharedBlockLinear(own, joint, self.bias)

    def gradient(self, inputs: tuple[Array], delta: Float[Array, "t g n o"]) -> "BlockLinear":
        """Gradient of the parameters from all inputs and output gradients of a scan."""
        deltas = over_time(delta)
        kernel = jnp.matmul(over_time(inputs[0]).swapaxes(1, 2), deltas)
        return blank(BlockLinear, kernel=kernel, bias=deltas.sum(1).reshape(-1))


class SharedBlockLinear(Module):
    """A block-diagonal layer on concat(own input of the block, input shared by all blocks).

    The shared part is one plain matrix product: nothing is copied to the blocks.
    """

    own: Float[Array, "g i o"]
    shared: Float[Array, "s go"]
    bias: Float[Array, " go"]

    def __call__(
        self, x: Float[Array, "g n i"], shared: Float[Array, "n s"]
    ) -> Float[Array, "g n o"]:
        common = to_groups(shared @ self.shared + to_rank(self.bias, 2), self.own.shape[0])
        return jnp.matmul(x, self.own) + common

    def gradient(self, inputs: tuple[Array, Array], delta: Float[Array, "t g n o"]):
        """Gradient of the parameters from all inputs and output gradients of a scan."""
        deltas = over_time(delta)
        own = jnp.matmul(over_time(inputs[0]).swapaxes(1, 2), deltas)
        flat, shared = from_groups(deltas), inputs[1].reshape(-1, inputs[1].shape[-1])
        return SharedBlockLinear(own, shared.T @ flat, flat.sum(0))


def to_groups(x: Float[Array, "n d"], blocks: int) -> Float[Array, "g n w"]:
    """Flat rows to group-first."""
    return x.reshape(x.shape[0], blocks, -1).swapaxes(0, 1)


def from_groups(x: Float[Array, "g n w"]) -> Float[Array, "n d"]:
    """Group-first to flat rows."""
    return x.swapaxes(0, 1).reshape(x.shape[1], -1)


def over_time(x: Float[Array, "t g n w"]) -> Float[Array, "g tn w"]:
    """A scan's stack of group-first arrays as one group-first array."""
    return x.swapaxes(0, 1).reshape(x.shape[1], -1, x.shape[-1])


class AbstractExact(Module):
    """A module whose parameters stay float32 in every compute dtype."""


class MeanSquare(Module):
    """Mean of x² over axes, which stay with length 1. A part of its own, so that a scan can know
    what it gave (`recompute.py`)."""

    def __call__(self, x: Float[Array, "..."], axes: int | tuple[int, ...]) -> Float[Array, "..."]:
        return jnp.mean(jnp.square(x), axes, keepdims=True)


class RMSNorm(AbstractExact):
    """x / √(mean x² + eps), scaled; statistics in float32 over the last axis."""

    scale: Float[Array, " i"]
    power: MeanSquare = MeanSquare()
    eps: float = static(default=1e-4)

    def __init__(self, size: int, eps: float = 1e-4):
        self.scale = jnp.ones(size)
        self.power = MeanSquare()  # the default of a class is no part of a tree
        self.eps = eps

    def __call__(self, x: Float[Array, "*n i"]) -> Float[Array, "*n i"]:
        y = x.astype(jnp.float32)
        y = y * jax.lax.rsqrt(self.power(y, axes=-1) + self.eps)
        return (y * to_rank(self.scale.astype(jnp.float32), x.ndim)).astype(x.dtype)

    def groups(self, x: Float[Array, "g n w"]) -> Float[Array, "g n w"]:
        """The same norm over all blocks of a group-first array together."""
        y = x.astype(jnp.float32)
        y = y * jax.lax.rsqrt(self.power(y, axes=(0, 2)) + self.eps)
        scale = self.scale.astype(jnp.float32).reshape(x.shape[0], 1, -1)
        return (y * scale).astype(x.dtype)


class LayerNorm(AbstractExact):
    """(x − mean) / √(variance + eps), scaled and shifted; in float32 over the last axis."""

    scale: Float[Array, " i"]
    bias: Float[Array, " i"]
    eps: float = static(default=1e-3)

    def __init__(self, size: int, eps: float = 1e-3):
        self.scale, self.bias = jnp.ones(size), jnp.zeros(size)
        self.eps = eps

    def __call__(self, x: Float[Array, "*n i"]) -> Float[Array, "*n i"]:
        y = centred(x, -1, self.eps)
        scale, bias = (to_rank(p.astype(jnp.float32), x.ndim) for p in (self.scale, self.bias))
        y = y * scale + bias
        return y.astype(x.dtype)

    def groups(self, x: Float[Array, "g n w"]) -> Float[Array, "g n w"]:
        """The same norm over all blocks of a group-first array together."""
        scale, bias = (
            p.astype(jnp.float32).reshape(x.shape[0], 1, -1) for p in (self.scale, self.bias)
        )
        return (centred(x, (0, 2), self.eps) * scale + bias).astype(x.dtype)


def centred(x: Array, axes: int | tuple[int, ...], eps: float) -> Array:
    """`x` with mean 0 and deviation 1 over `axes`, float32."""
    y = x.astype(jnp.float32)
    y = y - jnp.mean(y, axes, keepdims=True)
    return y * jax.lax.rsqrt(jnp.mean(jnp.square(y), axes, keepdims=True) + eps)


Norm = RMSNorm | LayerNorm


def make_norm(size: int, net: NetConfig) -> Norm | None:
    """The norm that `net` names, over `size` features."""
    match net.norm:
        case "rms":
            return RMSNorm(size, net.eps)
        case "layer":
            return LayerNorm(size, net.eps)
        case _:
            return None


def biased(net: NetConfig) -> bool:
    """Whether a layer has a bias when a norm of `net` follows it."""
    return net.bias or net.norm == "none"


def normed(x: Array, norm: Callable[[Array], Array] | None, act: str) -> Array:
    """`x` through a norm, where there is one, and an activation."""
    return activate(x if norm is None else norm(x), act)


class Dense(Module):
    """Linear, norm, activation."""

    linear: Linear
    norm: Norm | None
    act: str = static(default="silu")

    def __init__(self, inputs: int, outputs: int, net: NetConfig = NET, *, key: PRNGKeyArray):
        self.linear = Linear(inputs, outputs, init=net.init, bias=biased(net), key=key)
        self.norm = make_norm(outputs, net)
        self.act = net.act

    def __call__(self, x: Float[Array, "*n i"]) -> Float[Array, "*n o"]:
        return normed(self.linear(x), self.norm, self.act)


class MLP(Module):
    """`layers` dense layers of `units`. No layers: the input as it is."""

    layers: tuple[Dense, ...]

    def __init__(
        self, inputs: int, units: int, layers: int, net: NetConfig = NET, *, key: PRNGKeyArray
    ):
        widths = [inputs] + [units] * layers
        keys = jax.random.split(key, max(layers, 1))
        self.layers = tuple(
            Dense(i, o, net, key=k) for i, o, k in zip(widths, widths[1:], keys, strict=False)
        )

    def __call__(self, x: Float[Array, "*n i"]) -> Float[Array, "*n o"]:
        for layer in self.layers:
            x = layer(x)
        return x


def to_compute(tree, dtype):
    """`tree` with its parameters in the compute dtype; those of `AbstractExact` stay float32."""

    def exact(part):
        return isinstance(part, AbstractExact)

    return jax.tree.map(lambda p: p if exact(p) else cast(p, dtype), tree, is_leaf=exact)
