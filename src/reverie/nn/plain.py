"""The plain convolution stacks of DreamerV2 (`valid`) and of the 2023 V3 (`same`).

Every stage is a convolution of stride 2, a norm and an activation. `valid` pads nothing:
64 → 31 → 14 → 6 → 2, and back 1 → 5 → 13 → 30 → 64. `same` pads: 64 → 32 → 16 → 8 → 4 and back.
Other sizes work as well: the way back starts from the smallest map that reaches the picture, and
what is too much is cropped.
"""

from dataclasses import dataclass
from typing import ClassVar

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.module import Module, static
from reverie.nn.conv import DIMENSIONS, Conv
from reverie.nn.layers import LayerNorm, Norm, biased, make_norm, normed
from reverie.nn.options import NetConfig
from reverie.nn.stacks import AbstractStack, plan_sides, shown
from reverie.part.checks import Checker
from reverie.part.errors import ConfigError

UP = (5, 5, 6, 6)
"""Kernel sides of the `valid` decoder, first to last; a shorter decoder has the last ones."""


class WholeNorm(Module):
    """A LayerNorm over channels and pixels of a map together."""

    inner: LayerNorm

    def __call__(self, x: Float[Array, "n h w c"]) -> Float[Array, "n h w c"]:
        return self.inner(x.reshape(x.shape[0], -1)).reshape(x.shape)


def map_norm(shape: tuple[int, int, int], net: NetConfig) -> Norm | WholeNorm | None:
    """The norm of maps of this (height, width, channels)."""
    if net.maps == "whole":
        return WholeNorm(LayerNorm(shape[0] * shape[1] * shape[2], net.eps))
    return make_norm(shape[2], net)


def valid_sides(size: int, stages: int, side: int) -> tuple[int, ...]:
    """Sides of the maps of one axis: before and after each stage, as many as the picture allows.

    Raises ConfigError if not even one stage fits.
    """
    sides = [size]
    while len(sides) <= stages and sides[-1] >= side:
        sides.append((sides[-1] - side) // 2 + 1)
    if len(sides) == 1:
        raise ConfigError(
            f"a picture side of {size} pixels is smaller than the {side}x{side} kernels of the "
            "'valid' image stack; show larger pictures, or use --world.encoder.stack same."
        )
    return tuple(sides)


def stage_sides(
    shape: tuple[int, int, int], stages: int, side: int, stack: str
) -> tuple[tuple[int, int], ...]:
    """(height, width) of the maps before the first stage and after each."""
    if stack == "same":
        return plan_sides(*shape[:2], stages, outer=False)
    axes = [valid_sides(size, stages, side) for size in shape[:2]]
    return tuple(zip(*axes, strict=False))


class PlainEncoder(Module):
    """Pictures of one size to flat tokens."""

    convs: tuple[Conv, ...]
    norms: tuple[Norm | WholeNorm | None, ...]
    size: int = static()
    stack: str = static()
    act: str = static()

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        widths: tuple[int, ...],
        side: int,
        stack: str,
        net: NetConfig,
        key: PRNGKeyArray,
    ):
        """`widths`: channels after each stage; a small picture uses the first ones."""
        sides = stage_sides(shape, len(widths), side, stack)
        maps = [(*size, width) for size, width in zip(sides, (shape[2], *widths), strict=False)]
        keys = jax.random.split(key, len(maps) - 1)
        self.convs = tuple(
            Conv(a[2], b[2], side, init=net.init, bias=biased(net), key=k)
            for a, b, k in zip(maps, maps[1:], keys, strict=False)
        )
        self.norms = tuple(map_norm(shape, net) for shape in maps[1:])
        self.size = maps[-1][0] * maps[-1][1] * maps[-1][2]
        self.stack, self.act = stack, net.act

    def __call__(self, image: Float[Array, "n h w c"]) -> Float[Array, "n tokens"]:
        """`image` in [−0.5, 0.5]."""
        x = image
        for conv, norm in zip(self.convs, self.norms, strict=True):
            y = jax.lax.conv_general_dilated(
                x, conv.kernel, (2, 2), self.stack.upper(), dimension_numbers=DIMENSIONS
            )
            x = conv.shifted(y)
            x = normed(x, norm, self.act)
        return x.reshape(x.shape[0], -1)


class PlainDecoder(Module):
    """Small maps back to pictures of one size."""

    convs: tuple[Conv, ...]
    norms: tuple[Norm | WholeNorm | None, ...]
    map_shape: tuple[int, int, int] = static()  # of the first map
    sides: tuple[tuple[int, int], ...] = static()  # after each stage
    stack: str = static()
    act: str = static()
    output: str = static()

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        widths: tuple[int, ...],
        side: int,
        stack: str,
        net: NetConfig,
        output: str,
        key: PRNGKeyArray,
    ):
        """`widths`: channels of the maps, smallest side first; stages as the encoder has them.

        The first map of `valid` is a quarter as many pixels and four times as many channels.
        """
        sides = stage_sides(shape, len(widths), side, stack)
        stages = len(sides) - 1
        widths = widths[-stages:]
        if stack == "valid":
            kernels = UP[-stages:] if stages <= len(UP) else (UP[0],) * (stages - 4) + UP
            axes = [valid_up(size, kernels) for size in shape[:2]]
            ups = tuple(zip(*axes, strict=True))
            widths = (4 * widths[0], *widths[1:])
        else:
            kernels, ups = (side,) * stages, sides[::-1]
        outs = (*widths[1:], shape[2])
        (height, width), *later = ups
        self.map_shape, self.sides = (height, width, widths[0]), tuple(later)
        keys, last = jax.random.split(key, stages), stages - 1
        self.convs = tuple(
            Conv(i, o, k, init=net.init, bias=n == last or biased(net), key=keys[n])
            for n, (i, o, k) in enumerate(zip(widths, outs, kernels, strict=True))
        )
        self.norms = tuple(
            map_norm((*size, width), net)
            for size, width in zip(self.sides[:-1], outs[:-1], strict=True)
        )
        self.stack, self.act, self.output = stack, net.act, output

    def __call__(self, x: Float[Array, "n h w c"]) -> Float[Array, "n height width channels"]:
        """Pictures around [0, 1]."""
        for index, (conv, (h, w)) in enumerate(zip(self.convs, self.sides, strict=True)):
            pads = transposed_pads(conv.kernel.shape[0], self.stack)
            x = conv.shifted(transposed(x, conv.kernel, pads))[:, :h, :w]
            if index < len(self.convs) - 1:
                norm = self.norms[index]
                x = normed(x, norm, self.act)
        return shown(x, self.output)


def valid_up(size: int, kernels: tuple[int, ...]) -> tuple[int, ...]:
    """Sides of the smallest chain of `valid` transposed convolutions that reaches `size` pixels.

    The last side is `size` itself: what is beyond it is cropped.
    """
    for start in range(1, size + 1):
        sides = [start]
        for kernel in kernels:
            sides.append(2 * (sides[-1] - 1) + kernel)
        if sides[-1] >= size:
            return (*sides[:-1], size)
    raise AssertionError(f"every chain doubles, so one reaches {size} pixels")


def transposed_pads(side: int, stack: str) -> tuple[int, int]:
    """Padding of the zero-filled map before the convolution that doubles it."""
    return (side - 1, side - 1) if stack == "valid" else ((side + 1) // 2, side // 2)


def transposed(
    x: Float[Array, "n h w i"], kernel: Float[Array, "k k i o"], pads: tuple[int, int]
) -> Float[Array, "n h2 w2 o"]:
    """Transposed convolution of stride 2: `kernel` over a ×2 map with zeros between the values.

    The kernel is not flipped: as the gradient of a convolution it would be read backwards.
    """
    return jax.lax.conv_general_dilated(
        x, kernel, (1, 1), [pads] * 2, (2, 2), dimension_numbers=DIMENSIONS
    )


@dataclass(frozen=True)
class AbstractPlain(AbstractStack):
    """A stack of plain convolutions of stride 2."""

    kernel: int = 4
    """Side of the encoder's kernels, and of the decoder's where the maps are padded."""

    PADDING: ClassVar[str] = ""
    """Whether maps are padded: valid or same."""

    def __post_init__(self):
        Checker(self, "world.encoder.stack.").at_least(1, "kernel")

    @property
    def whole_maps(self) -> bool:
        return True

    def encoder(self, shape, depth, mults, net, *, key):
        widths, side = self._widths(depth, mults), self.kernel
        return PlainEncoder(shape, widths=widths, side=side, stack=self.PADDING, net=net, key=key)

    def decoder(self, shape, depth, mults, net, *, output, key):
        return PlainDecoder(
            shape,
            widths=tuple(depth * mult for mult in mults)[::-1],
            side=self.kernel,
            stack=self.PADDING,
            net=net,
            output=output,
            key=key,
        )

    def _widths(self, depth: int, mults: tuple[int, ...]) -> tuple[int, ...]:
        """Channels after each stage of the encoder."""
        return tuple(depth * mult for mult in mults)


@dataclass(frozen=True)
class Valid(AbstractPlain):
    """Convolutions of stride 2 without padding (DreamerV2)."""

    PADDING = "valid"


@dataclass(frozen=True)
class Same(AbstractPlain):
    """Convolutions of stride 2 with padding (the V3 of 2023)."""

    widen: bool = True
    """Stages of the encoder widen by the multipliers. False: all have the base count of channels,
    as HarmonyDream's PyTorch tree computes; its decoder widens nonetheless."""

    PADDING = "same"

    def _widths(self, depth: int, mults: tuple[int, ...]) -> tuple[int, ...]:
        return super()._widths(depth, mults) if self.widen else (depth,) * len(mults)
