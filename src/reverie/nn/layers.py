"""Dense layers: linear, block-diagonal linear, RMS norm, and stacks of them."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.module import Module, blank, cast


def init_kernel(
    key: PRNGKeyArray, shape: tuple[int, ...], fan_in: int, scale: float = 1.0
) -> Array:
    """Truncated normal on ±2 deviations with standard deviation `scale`/√fan_in.

    1.1368 makes up for the variance that the truncation removes. Scale 0 gives zeros.
    """
    normal = jax.random.truncated_normal(key, -2.0, 2.0, shape, jnp.float32)
    return 1.1368 * scale * fan_in**-0.5 * normal


def act(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """SiLU, the activation of every hidden layer."""
    return jax.nn.silu(x)


class Linear(Module):
    """x·kernel + bias over the last axis."""

    kernel: Float[Array, "i o"]
    bias: Float[Array, " o"]

    def __init__(self, inputs: int, outputs: int, *, scale: float = 1.0, key: PRNGKeyArray):
        self.kernel = init_kernel(key, (inputs, outputs), inputs, scale)
        self.bias = jnp.zeros(outputs)

    def __call__(self, x: Float[Array, "*n i"]) -> Float[Array, "*n o"]:
        # One row axis: XLA's weight gradient over several is twice as slow on the CPU.
        rows = x.reshape(-1, x.shape[-1])
        return (rows @ self.kernel + self.bias).reshape(*x.shape[:-1], -1)

    @staticmethod
    def gradient(inputs: tuple[Array], delta: Float[Array, "t n o"]) -> "Linear":
        """Gradient of the parameters from all inputs and output gradients of a scan."""
        rows, deltas = (x.reshape(-1, x.shape[-1]) for x in (inputs[0], delta))
        return blank(Linear, kernel=rows.T @ deltas, bias=deltas.sum(0))


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

    @staticmethod
    def gradient(inputs: tuple[Array], delta: Float[Array, "t g n o"]) -> "BlockLinear":
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
        common = to_groups(shared @ self.shared + self.bias, self.own.shape[0])
        return jnp.matmul(x, self.own) + common

    @staticmethod
    def gradient(inputs: tuple[Array, Array], delta: Float[Array, "t g n o"]):
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


class RMSNorm(AbstractExact):
    """x / √(mean x² + 1e-4), scaled; statistics in float32 over the last axis."""

    scale: Float[Array, " i"]

    def __init__(self, size: int):
        self.scale = jnp.ones(size)

    def __call__(self, x: Float[Array, "*n i"]) -> Float[Array, "*n i"]:
        y = x.astype(jnp.float32)
        y = y * jax.lax.rsqrt(jnp.mean(jnp.square(y), -1, keepdims=True) + 1e-4)
        return (y * self.scale.astype(jnp.float32)).astype(x.dtype)

    def groups(self, x: Float[Array, "g n w"]) -> Float[Array, "g n w"]:
        """The same norm over all blocks of a group-first array together."""
        y = x.astype(jnp.float32)
        y = y * jax.lax.rsqrt(jnp.mean(jnp.square(y), (0, 2), keepdims=True) + 1e-4)
        scale = self.scale.astype(jnp.float32).reshape(x.shape[0], 1, -1)
        return (y * scale).astype(x.dtype)


class Dense(Module):
    """Linear, RMS norm, SiLU."""

    linear: Linear
    norm: RMSNorm

    def __init__(self, inputs: int, outputs: int, *, key: PRNGKeyArray):
        self.linear = Linear(inputs, outputs, key=key)
        self.norm = RMSNorm(outputs)

    def __call__(self, x: Float[Array, "*n i"]) -> Float[Array, "*n o"]:
        return act(self.norm(self.linear(x)))


class MLP(Module):
    """`layers` dense layers of `units`. No layers: the input as it is."""

    layers: tuple[Dense, ...]

    def __init__(self, inputs: int, units: int, layers: int, *, key: PRNGKeyArray):
        widths = [inputs] + [units] * layers
        keys = jax.random.split(key, max(layers, 1))
        self.layers = tuple(
            Dense(i, o, key=k) for i, o, k in zip(widths, widths[1:], keys, strict=False)
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
