"""The residual image stack of HarmonyDream's `plainresnet`.

A convolution of stride 2, then stages of residual layers that each halve the map by averaging:
64 → 32 → 16 → 8 → 4. Back: nearest ×2 and residual layers, then a transposed convolution.

Deviation: the original's batch norm becomes a group norm of 8 groups (its own other choice) or
none. Running statistics would be a state beside the parameters that acting, dreaming and every
checkpoint had to carry, and a sequence's loss would depend on its neighbours in the batch. All
kernels start as `net.init` says; the original leaves the residual ones to PyTorch's default.
"""

import math
from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.module import Module, static, to_rank
from reverie.nn.conv import DIMENSIONS, Conv
from reverie.nn.layers import AbstractExact, activate
from reverie.nn.options import NetConfig
from reverie.nn.plain import transposed
from reverie.nn.stacks import AbstractStack, plan_sides, shown

GROUPS = 8
LAYERS = 2
"""Residual layers of a stage."""


class GroupNorm(AbstractExact):
    """A norm over pixels and channels of each group of channels, scaled and shifted; float32."""

    scale: Float[Array, " c"]
    bias: Float[Array, " c"]

    def __init__(self, size: int):
        self.scale, self.bias = jnp.ones(size), jnp.zeros(size)

    def __call__(self, x: Float[Array, "n h w c"]) -> Float[Array, "n h w c"]:
        n, h, w, c = x.shape
        y = x.astype(jnp.float32).reshape(n, h, w, math.gcd(GROUPS, c), -1)
        y = y - y.mean((1, 2, 4), keepdims=True)
        y = y * jax.lax.rsqrt(jnp.square(y).mean((1, 2, 4), keepdims=True) + 1e-5)
        return (y.reshape(x.shape) * to_rank(self.scale, 4) + to_rank(self.bias, 4)).astype(x.dtype)


class ResidualLayer(Module):
    """relu(norm(conv(relu(norm(conv x)))) + skip), the skip a 1×1 convolution if widths differ."""

    convs: tuple[Conv, Conv]
    norms: tuple[GroupNorm, ...]  # of both convolutions and of the skip; empty: none
    skip: Conv | None

    def __init__(self, inputs: int, outputs: int, norm: str, net: NetConfig, *, key: PRNGKeyArray):
        keys, bias = jax.random.split(key, 3), norm == "none"
        first = Conv(inputs, outputs, 3, init=net.init, bias=bias, key=keys[0])
        second = Conv(outputs, outputs, 3, init=net.init, bias=bias, key=keys[1])
        self.convs, self.skip = (first, second), None
        if inputs != outputs:
            self.skip = Conv(inputs, outputs, 1, init=net.init, bias=bias, key=keys[2])
        count = 0 if norm == "none" else 2 + (inputs != outputs)
        self.norms = tuple(GroupNorm(outputs) for _ in range(count))

    def __call__(self, x: Float[Array, "n h w i"]) -> Float[Array, "n h w o"]:
        first, second, skip = self.norms[:1], self.norms[1:2], self.norms[2:]
        y = jax.nn.relu(through(first, self.convs[0](x)))
        y = through(second, self.convs[1](y))
        return jax.nn.relu(y + (x if self.skip is None else through(skip, self.skip(x))))


def through(norms: tuple[GroupNorm, ...], x: Array) -> Array:
    for norm in norms:
        x = norm(x)
    return x


def stage(widths: tuple[int, ...], norm: str, net: NetConfig, key: PRNGKeyArray):
    """Residual layers from `widths[0]` channels through the others."""
    keys = jax.random.split(key, len(widths) - 1)
    return tuple(
        ResidualLayer(i, o, norm, net, key=k)
        for i, o, k in zip(widths, widths[1:], keys, strict=False)
    )


class ResNetEncoder(Module):
    """Pictures of one size to flat tokens."""

    stem: Conv
    stages: tuple[tuple[ResidualLayer, ...], ...]
    size: int = static()
    act: str = static()

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        widths: tuple[int, ...],
        norm: str,
        net: NetConfig,
        key: PRNGKeyArray,
    ):
        """`widths`: channels of each residual stage; the stem has those of the first."""
        sides = plan_sides(*shape[:2], 1 + len(widths), outer=False)
        widths = widths[: len(sides) - 2]
        keys = jax.random.split(key, 1 + len(widths))
        before = shape[2] if not widths else widths[0]
        self.stem = Conv(shape[2], before, 3, init=net.init, key=keys[0])
        self.stages = tuple(
            stage((i, *(o,) * LAYERS), norm, net, k)
            for i, o, k in zip((before, *widths), widths, keys[1:], strict=False)
        )
        self.size = sides[-1][0] * sides[-1][1] * (widths[-1] if widths else before)
        self.act = net.act

    def __call__(self, image: Float[Array, "n h w c"]) -> Float[Array, "n tokens"]:
        """`image` in [−0.5, 0.5]."""
        y = jax.lax.conv_general_dilated(
            image, self.stem.kernel, (2, 2), [(1, 1)] * 2, dimension_numbers=DIMENSIONS
        )
        x = activate(self.stem.shifted(y), self.act)
        for layers in self.stages:
            for layer in layers:
                x = layer(x)
            x = mean_pool(x)
        return x.reshape(x.shape[0], -1)


class ResNetDecoder(Module):
    """Small maps back to pictures of one size."""

    stages: tuple[tuple[ResidualLayer, ...], ...]
    last: Conv
    map_shape: tuple[int, int, int] = static()  # of the first map
    sides: tuple[tuple[int, int], ...] = static()  # after each stage
    output: str = static()

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        widths: tuple[int, ...],
        norm: str,
        net: NetConfig,
        output: str,
        key: PRNGKeyArray,
    ):
        """`widths`: channels of the encoder's stages; each stage here halves the channels."""
        sides = plan_sides(*shape[:2], 1 + len(widths), outer=False)
        widths = widths[: len(sides) - 2][::-1] or (shape[2],)
        count = len(sides) - 2
        keys = jax.random.split(key, 1 + count)
        wide = [max(widths[0] >> n, 1) for n in range(count + 1)]
        self.stages = tuple(
            stage((i, *(i,) * (LAYERS - 1), o), norm, net, k)
            for i, o, k in zip(wide, wide[1:], keys[1:], strict=False)
        )
        self.last = Conv(wide[-1], shape[2], 3, init=net.init, key=keys[0])
        self.map_shape, self.sides = (*sides[-1], wide[0]), sides[-2::-1]
        self.output = output

    def __call__(self, x: Float[Array, "n h w c"]) -> Float[Array, "n height width channels"]:
        """Pictures around [0, 1]."""
        for layers, (h, w) in zip(self.stages, self.sides, strict=False):
            x = x.repeat(2, 1).repeat(2, 2)[:, :h, :w]
            for layer in layers:
                x = layer(x)
        height, width = self.sides[-1]
        x = self.last.shifted(transposed(x, self.last.kernel, (1, 2)))
        return shown(x[:, :height, :width], self.output)


def mean_pool(x: Float[Array, "n h w c"]) -> Float[Array, "n h2 w2 c"]:
    """2×2 means; an odd last row or column counts twice."""
    x = jnp.pad(x, [(0, 0), (0, x.shape[1] % 2), (0, x.shape[2] % 2), (0, 0)], mode="edge")
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).mean((2, 4))


@dataclass(frozen=True)
class ResNet(AbstractStack):
    """Residual stages (HarmonyDream's `plainresnet`)."""

    norm: Literal["group", "none"] = "group"
    """Norm inside the residual layers: over groups of channels (8), or none. The PyTorch tree's
    batch norm is not offered: its running statistics would be a state."""

    def encoder(self, shape, depth, mults, net, *, key):
        widths = tuple(depth * mult for mult in mults)
        return ResNetEncoder(shape, widths=widths, norm=self.norm, net=net, key=key)

    def decoder(self, shape, depth, mults, net, *, output, key):
        widths = tuple(depth * mult for mult in mults)
        norm = self.norm
        return ResNetDecoder(shape, widths=widths, norm=norm, net=net, output=output, key=key)
