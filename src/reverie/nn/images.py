"""Convolution stacks: pictures to small maps and back.

Every stage halves (doubles) the map; sides that do not divide by two are padded on the way down
and cropped on the way up, so that any picture size works. Three stacks compute it:

- `pooled`, the official one: 5×5 convolution, then 2×2 max-pool; upward nearest ×2, then 5×5.
- `strided`: 5×5 with stride 2; upward a zero-filled ×2 map, then 5×5.
- `patch`: 4×4 patches by one matrix product, then space-to-depth and 3×3; mirrored upward. Its
  arithmetic is a small fraction of the others' (`benchmarks/`); it is another network, though.
"""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.module import Module, static
from reverie.nn.layers import NET, Norm, activate, biased, init_kernel, make_norm
from reverie.nn.options import NetConfig
from reverie.nn.stacks import AbstractStack
from reverie.part.checks import Checker
from reverie.part.errors import ConfigError

DIMENSIONS = ("NHWC", "HWIO", "NHWC")


def plan_sides(height: int, width: int, stages: int, outer: bool) -> tuple[tuple[int, int], ...]:
    """Map sides (height, width) before the first stage and after each of `stages` stages.

    A stack has at most `stages` stages; a picture too small for all of them uses the first ones.
    Raises ConfigError unless the smallest map has sides of 3 to 16.
    """
    sides = [(height, width)]
    for stage in range(stages):
        h, w = sides[-1]
        half = (h, w) if outer and stage == 0 else (math.ceil(h / 2), math.ceil(w / 2))
        if min(half) < 3:
            break
        sides.append(half)
    smallest = sides[-1]
    if len(sides) == 1 or max(smallest) > 16:
        low, high = 5, 16 * 2 ** (stages - outer)
        raise ConfigError(
            f"a picture of {height}x{width} pixels does not fit an image stack of {stages} stages: "
            f"its smallest map would be {smallest[0]}x{smallest[1]} and must have sides of 3 to "
            f"16; use sides of {low} to {high}, or change the number of stages by "
            "world.encoder.mults."
        )
    return tuple(sides)


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
        return x if self.bias is None else x + self.bias

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


class ImageEncoder(Module):
    """Pictures of one size to flat tokens."""

    convs: tuple[Conv, ...]
    norms: tuple[Norm | None, ...]
    sides: tuple[tuple[int, int], ...] = static()
    stack: str = static()
    outer: bool = static()
    act: str = static(default="silu")

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        depth: int,
        mults: tuple[int, ...],
        side: int,
        stack: str,
        outer: bool,
        net: NetConfig = NET,
        key: PRNGKeyArray,
    ):
        self.stack, self.outer, self.act = stack, outer and stack != "patch", net.act
        self.sides = plan_sides(*shape[:2], len(mults), self.outer)
        stages = len(self.sides) - 1
        widths = [shape[2]] + [depth * mult for mult in mults[:stages]]
        keys = jax.random.split(key, stages)
        if stack == "patch":
            self.convs = patch_convs(widths, net, keys)
        else:
            self.convs = tuple(
                Conv(i, o, side, init=net.init, bias=biased(net), key=k)
                for i, o, k in zip(widths, widths[1:], keys, strict=False)
            )
        self.norms = tuple(make_norm(conv.kernel.shape[-1], net) for conv in self.convs)

    @property
    def size(self) -> int:
        """Number of tokens."""
        h, w = self.sides[-1]
        return h * w * self.convs[-1].kernel.shape[-1]

    def __call__(self, image: Float[Array, "n h w c"]) -> Float[Array, "n tokens"]:
        """`image` in [−0.5, 0.5]."""
        x = image
        for index, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            full = self.outer and index == 0
            if self.stack == "patch":
                x = conv(space_to_depth(x, stem_factor(self.sides) if index == 0 else 2))
            elif self.stack == "strided":
                x = conv(x, stride=1 if full else 2)
            else:
                x = conv(x) if full else max_pool(conv(x))
            x = activate(x if norm is None else norm(x), self.act)
        return x.reshape(x.shape[0], -1)


def stem_factor(sides: tuple[tuple[int, int], ...]) -> int:
    """Side of the patches of the first `patch` stage: it does the work of two stages if it can."""
    return 4 if len(sides) > 2 else 2


def patch_convs(widths: list[int], net: NetConfig, keys: Array) -> tuple[Conv, ...]:
    """The stem (a 1×1 convolution on patches) and one 3×3 convolution for each further stage."""
    stages = len(widths) - 1
    first = min(stages, 2)
    options: dict[str, Any] = {"init": net.init, "bias": biased(net)}
    convs = [Conv(widths[0] * 4**first, widths[first], 1, **options, key=keys[0])]
    for stage in range(first, stages):
        convs.append(Conv(widths[stage] * 4, widths[stage + 1], 3, **options, key=keys[stage]))
    return tuple(convs)


class ImageDecoder(Module):
    """Small maps back to pictures of one size; mirrors `ImageEncoder`."""

    convs: tuple[Conv, ...]
    norms: tuple[Norm | None, ...]
    sides: tuple[tuple[int, int], ...] = static()
    stack: str = static()
    outer: bool = static()
    act: str = static(default="silu")
    output: str = static(default="sigmoid")

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        depth: int,
        mults: tuple[int, ...],
        side: int,
        stack: str,
        outer: bool,
        net: NetConfig = NET,
        output: str = "sigmoid",
        key: PRNGKeyArray,
    ):
        self.stack, self.outer, self.act = stack, outer and stack != "patch", net.act
        self.output = output
        self.sides = plan_sides(*shape[:2], len(mults), self.outer)
        stages = len(self.sides) - 1
        widths = [shape[2]] + [depth * mult for mult in mults[:stages]]
        keys = jax.random.split(key, stages)
        inner: dict[str, Any] = {"init": net.init, "bias": biased(net)}
        last: dict[str, Any] = {"init": net.init}
        convs = []
        if stack == "patch":
            first = min(stages, 2)
            for stage in range(stages, first, -1):
                outputs = widths[stage - 1] * 4
                convs.append(Conv(widths[stage], outputs, 3, **inner, key=keys[stage - 1]))
            convs.append(Conv(widths[first], widths[0] * 4**first, 1, **last, key=keys[0]))
            normed = [widths[stage - 1] for stage in range(stages, first, -1)]
        else:
            for stage in range(stages, 0, -1):
                options, k = inner if stage > 1 else last, keys[stage - 1]
                convs.append(Conv(widths[stage], widths[stage - 1], side, **options, key=k))
            normed = [widths[stage - 1] for stage in range(stages, 1, -1)]
        self.convs = tuple(convs)
        self.norms = tuple(make_norm(width, net) for width in normed)

    @property
    def map_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of the map it starts from."""
        return (*self.sides[-1], self.convs[0].kernel.shape[2])

    def __call__(self, x: Float[Array, "n h w c"]) -> Float[Array, "n height width channels"]:
        """Pictures around [0, 1]."""
        targets = self.sides[-2::-1]
        if self.stack == "patch":
            steps = len(self.convs)
            targets = (*targets[: steps - 1], self.sides[0])
        for index, (conv, (h, w)) in enumerate(zip(self.convs, targets, strict=True)):
            last = index == len(self.convs) - 1
            if self.stack == "patch":
                x = depth_to_space(conv(x), stem_factor(self.sides) if last else 2)
            elif self.outer and last:
                x = conv(x)
            else:
                x = conv.transposed(x) if self.stack == "strided" else conv.upsampled(x)
            x = x[:, :h, :w]
            if not last:
                norm = self.norms[index]
                x = activate(x if norm is None else norm(x), self.act)
        return shown(x, self.output)


def shown(x: Float[Array, "*n"], output: str) -> Float[Array, "*n"]:
    """Pictures, float32, from the last layer's numbers: their sigmoid, or the numbers + 0.5."""
    x = x.astype(jnp.float32)
    return jax.nn.sigmoid(x) if output == "sigmoid" else x + 0.5


class AbstractStages(AbstractStack):
    """A stack of stages that each halve the map, upward the same ones mirrored."""

    @property
    @abstractmethod
    def _inner(self) -> dict[str, Any]:
        """Which stages: the arguments `side`, `stack` and `outer` of both modules."""

    def encoder(self, shape, depth, mults, net, *, key):
        return ImageEncoder(shape, depth=depth, mults=mults, net=net, key=key, **self._inner)

    def decoder(self, shape, depth, mults, net, *, output, key):
        inner = self._inner
        return ImageDecoder(
            shape, depth=depth, mults=mults, net=net, output=output, key=key, **inner
        )


@dataclass(frozen=True)
class Pooled(AbstractStages):
    """5x5 convolutions, then 2x2 max-pool (the official V3)."""

    kernel: int = 5
    """Side of the convolution kernels."""
    outer: bool = False
    """The first stage works at full resolution."""

    def __post_init__(self):
        Checker(self, "world.encoder.stack.").at_least(1, "kernel")

    @property
    def _inner(self) -> dict[str, Any]:
        return {"side": self.kernel, "stack": "pooled", "outer": self.outer}


@dataclass(frozen=True)
class Strided(Pooled):
    """5x5 convolutions of stride 2."""

    @property
    def _inner(self) -> dict[str, Any]:
        return super()._inner | {"stack": "strided"}


@dataclass(frozen=True)
class Patch(AbstractStages):
    """4x4 patches, then space-to-depth and 3x3 convolutions: a fraction of the arithmetic."""

    @property
    def _inner(self) -> dict[str, Any]:
        return {"side": 3, "stack": "patch", "outer": False}
