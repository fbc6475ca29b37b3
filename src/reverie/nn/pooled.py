"""The image stacks of the official V3: stages of one convolution that each halve the map.

Sides that do not divide by two are padded on the way down and cropped on the way up, so that any
picture size works.

- `pooled`: 5×5 convolution, then 2×2 max-pool; upward nearest ×2, then 5×5.
- `strided`: 5×5 with stride 2; upward a zero-filled ×2 map, then 5×5.
"""

import itertools
import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.module import Module, static
from reverie.nn.conv import Conv, max_pool
from reverie.nn.layers import NET, Norm, biased, make_norm, normed
from reverie.nn.options import NetConfig
from reverie.nn.stacks import AbstractStack, plan_maps, shown
from reverie.part.checks import Checker


class HalvingEncoder(Module):
    """Pictures of one size to flat tokens."""

    convs: tuple[Conv, ...]
    norms: tuple[Norm | None, ...]
    size: int = static()
    pool: bool = static()
    outer: bool = static()
    act: str = static(default="silu")

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        depth: int,
        mults: tuple[int, ...],
        side: int,
        pool: bool,
        outer: bool,
        net: NetConfig = NET,
        key: PRNGKeyArray,
    ):
        self.pool, self.outer, self.act = pool, outer, net.act
        maps = plan_maps(shape, depth, mults, outer=outer)
        self.size = math.prod(maps[-1])
        keys = jax.random.split(key, len(maps) - 1)
        self.convs = tuple(
            Conv(a[2], b[2], side, init=net.init, bias=biased(net), key=k)
            for a, b, k in zip(maps, maps[1:], keys, strict=False)
        )
        self.norms = tuple(make_norm(width, net) for *_, width in maps[1:])

    def __call__(self, image: Float[Array, "n h w c"]) -> Float[Array, "n tokens"]:
        """`image` in [−0.5, 0.5]."""
        x = image
        for index, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            if self.outer and index == 0:
                x = conv(x)
            else:
                x = max_pool(conv(x)) if self.pool else conv(x, stride=2)
            x = normed(x, norm, self.act)
        return x.reshape(x.shape[0], -1)


class HalvingDecoder(Module):
    """Small maps back to pictures of one size; mirrors `HalvingEncoder`."""

    convs: tuple[Conv, ...]
    norms: tuple[Norm | None, ...]
    map_shape: tuple[int, int, int] = static()  # of the first map
    sides: tuple[tuple[int, int], ...] = static()  # after each stage
    pool: bool = static()
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
        pool: bool,
        outer: bool,
        net: NetConfig = NET,
        output: str = "sigmoid",
        key: PRNGKeyArray,
    ):
        self.pool, self.outer, self.act, self.output = pool, outer, net.act, output
        self.map_shape, *later = plan_maps(shape, depth, mults, outer=outer)[::-1]
        self.sides = tuple((h, w) for h, w, _ in later)
        keys = jax.random.split(key, len(later))[::-1]
        widths, last = [self.map_shape[2], *(width for *_, width in later)], len(later) - 1
        self.convs = tuple(
            Conv(i, o, side, init=net.init, bias=n == last or biased(net), key=keys[n])
            for n, (i, o) in enumerate(itertools.pairwise(widths))
        )
        self.norms = tuple(make_norm(width, net) for width in widths[1:-1])

    def __call__(self, x: Float[Array, "n h w c"]) -> Float[Array, "n height width channels"]:
        """Pictures around [0, 1]."""
        for index, (conv, (h, w)) in enumerate(zip(self.convs, self.sides, strict=True)):
            last = index == len(self.convs) - 1
            if self.outer and last:
                x = conv(x)
            else:
                x = conv.upsampled(x) if self.pool else conv.transposed(x)
            x = x[:, :h, :w]
            if not last:
                norm = self.norms[index]
                x = normed(x, norm, self.act)
        return shown(x, self.output)


@dataclass(frozen=True)
class AbstractHalving(AbstractStack):
    """One convolution a stage; how the map is halved, a member says."""

    kernel: int = 5
    """Side of the convolution kernels."""
    outer: bool = False
    """The first stage works at full resolution."""

    def __post_init__(self):
        Checker(self, "world.encoder.stack.").at_least(1, "kernel")

    @property
    @abstractmethod
    def _pool(self) -> bool:
        """Halved by a 2×2 maximum, upward by repetition; else by strides."""

    @property
    def _options(self) -> dict[str, Any]:
        return {"side": self.kernel, "pool": self._pool, "outer": self.outer}

    def encoder(self, shape, depth, mults, net, *, key):
        return HalvingEncoder(shape, depth=depth, mults=mults, net=net, key=key, **self._options)

    def decoder(self, shape, depth, mults, net, *, output, key):
        inner = self._options
        return HalvingDecoder(
            shape, depth=depth, mults=mults, net=net, output=output, key=key, **inner
        )


@dataclass(frozen=True)
class Pooled(AbstractHalving):
    """5x5 convolutions, then 2x2 max-pool (the official V3)."""

    @property
    def _pool(self) -> bool:
        return True


@dataclass(frozen=True)
class Strided(AbstractHalving):
    """5x5 convolutions of stride 2."""

    @property
    def _pool(self) -> bool:
        return False
