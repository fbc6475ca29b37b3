"""A convolution on pictures, its upward forms, and what moves pixels without arithmetic."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.module import Module, to_rank
from reverie.nn.layers import init_kernel

DIMENSIONS = ("NHWC", "HWIO", "NHWC")


class Conv(Module):
    """Square convolution with SAME padding, channels last."""

    kernel: Float[Array, "k k i o"]
    bias: Float[Array, " o"] | None

    def __init__(
        self,
        inputs: int,
        outputs: int,
        side: int,
        *,
        init: str = "fan_in",
        bias: bool = True,
        key: PRNGKeyArray,
    ):
        shape, area = (side, side, inputs, outputs), side * side
        self.kernel = init_kernel(key, shape, area * inputs, init=init, fan_out=area * outputs)
        self.bias = jnp.zeros(outputs) if bias else None

    def __call__(self, x: Float[Array, "n h w i"], stride: int = 1) -> Float[Array, "n h2 w2 o"]:
        return self.shifted(convolve(x, self.kernel, stride))

    def shifted(self, x: Float[Array, "n h w o"]) -> Float[Array, "n h w o"]:
        """`x` plus the bias, if there is one."""
        return x if self.bias is None else x + to_rank(self.bias, x.ndim)

    def upsampled(self, x: Float[Array, "n h w i"]) -> Float[Array, "n h2 w2 o"]:
        """Nearest-neighbour ×2, then this convolution, without ever building the large input.

        On an upsampled map a 5×5 kernel meets only 3×3 different pixels, and which of its rows
        and columns fall together depends on the parity of the output pixel alone. So the four
        parities are four 3×3 convolutions on the small map: 9 products a pixel instead of 25.
        """
        side, _, inputs, outputs = self.kernel.shape
        fold = jnp.asarray(parity_folds(side), self.kernel.dtype)  # (2, taps, side)
        taps = fold.shape[1]
        kernel = jnp.einsum("pak,qbl,klio->abipqo", fold, fold, self.kernel)
        y = convolve(x, kernel.reshape(taps, taps, inputs, 4 * outputs), 1)
        return self.shifted(depth_to_space(y, 2))

    def transposed(self, x: Float[Array, "n h w i"]) -> Float[Array, "n h2 w2 o"]:
        """This convolution on a zero-filled ×2 map that keeps the values at odd indices."""
        low, high = (self.kernel.shape[0] - 1) // 2, self.kernel.shape[0] // 2
        y = jax.lax.conv_general_dilated(
            x, self.kernel, (1, 1), [(low + 1, high)] * 2, (2, 2), dimension_numbers=DIMENSIONS
        )
        return self.shifted(y)


def convolve(x: Array, kernel: Array, stride: int) -> Array:
    return jax.lax.conv_general_dilated(
        x, kernel, (stride, stride), "SAME", dimension_numbers=DIMENSIONS
    )


def parity_folds(side: int) -> list[list[list[float]]]:
    """fold[parity][tap][k] = 1 where kernel row k meets small-map row i + tap − reach.

    The output row 2i + parity reads the upsampled rows 2i + parity + k − side//2, which are the
    small rows ⌊(parity + k − side//2) / 2⌋ away from i.
    """
    offsets = [[(parity + k - side // 2) // 2 for k in range(side)] for parity in (0, 1)]
    reach = max(abs(o) for row in offsets for o in row)
    taps = range(-reach, reach + 1)
    return [[[float(o == tap) for o in row] for tap in taps] for row in offsets]


def depth_to_space(x: Float[Array, "n h w c"], factor: int) -> Float[Array, "n h2 w2 d"]:
    """Channels (factor, factor, d) of a pixel become a factor×factor square of pixels."""
    n, h, w, c = x.shape
    x = x.reshape(n, h, w, factor, factor, c // factor**2)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(n, h * factor, w * factor, c // factor**2)


def space_to_depth(x: Float[Array, "n h w c"], factor: int) -> Float[Array, "n h2 w2 d"]:
    """Inverse of `depth_to_space`; sides that do not divide are padded with zeros."""
    x = pad_to(x, factor, 0.0)
    n, h, w, c = x.shape
    x = x.reshape(n, h // factor, factor, w // factor, factor, c)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(n, h // factor, w // factor, factor**2 * c)


def pad_to(x: Float[Array, "n h w c"], factor: int, value: float) -> Float[Array, "n h2 w2 c"]:
    pads = [(0, 0), (0, -x.shape[1] % factor), (0, -x.shape[2] % factor), (0, 0)]
    return jnp.pad(x, pads, constant_values=value) if any(b for _, b in pads) else x


def max_pool(x: Float[Array, "n h w c"]) -> Float[Array, "n h2 w2 c"]:
    """2×2 maximum; equal maxima share the gradient equally."""
    x = pad_to(x, 2, -jnp.inf)
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))
