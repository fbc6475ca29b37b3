"""The image stack of patches, ours: 4×4 patches by one matrix product, then 3×3 convolutions.

Between them pixels become channels (space-to-depth), which halves the map; mirrored upward. The
arithmetic is a small fraction of the other stacks' (`benchmarks/`); it is another network, though.
"""

import math
from dataclasses import dataclass
from typing import Any

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.module import Module, static
from reverie.nn.conv import Conv, depth_to_space, space_to_depth
from reverie.nn.layers import Norm, biased, make_norm, normed
from reverie.nn.options import NetConfig
from reverie.nn.stacks import AbstractStack, plan_maps, shown


class PatchEncoder(Module):
    """Pictures of one size to flat tokens."""

    convs: tuple[Conv, ...]
    """The stem (a 1×1 convolution on patches) and a 3×3 convolution for each further stage."""
    norms: tuple[Norm | None, ...]
    size: int = static()
    stem: int = static()  # side of its patches
    act: str = static(default="silu")

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        depth: int,
        mults: tuple[int, ...],
        net: NetConfig,
        key: PRNGKeyArray,
    ):
        maps = plan_maps(shape, depth, mults, outer=False)
        stages, first = len(maps) - 1, stem_stages(maps)
        self.size, self.stem, self.act = math.prod(maps[-1]), 2**first, net.act
        widths = [width for *_, width in maps]
        keys = jax.random.split(key, stages)
        options: dict[str, Any] = {"init": net.init, "bias": biased(net)}
        convs = [Conv(widths[0] * self.stem**2, widths[first], 1, **options, key=keys[0])]
        for stage in range(first, stages):
            convs.append(Conv(widths[stage] * 4, widths[stage + 1], 3, **options, key=keys[stage]))
        self.convs = tuple(convs)
        self.norms = tuple(make_norm(width, net) for width in widths[first:])

    def __call__(self, image: Float[Array, "n h w c"]) -> Float[Array, "n tokens"]:
        """`image` in [−0.5, 0.5]."""
        x, factor = image, self.stem
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = conv(space_to_depth(x, factor))
            x, factor = normed(x, norm, self.act), 2
        return x.reshape(x.shape[0], -1)


class PatchDecoder(Module):
    """Small maps back to pictures of one size; mirrors `PatchEncoder`."""

    convs: tuple[Conv, ...]
    norms: tuple[Norm | None, ...]
    map_shape: tuple[int, int, int] = static()  # of the first map
    sides: tuple[tuple[int, int], ...] = static()  # after each convolution
    stem: int = static()  # side of the patches that the last one makes
    act: str = static(default="silu")
    output: str = static(default="sigmoid")

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        depth: int,
        mults: tuple[int, ...],
        net: NetConfig,
        output: str,
        key: PRNGKeyArray,
    ):
        maps = plan_maps(shape, depth, mults, outer=False)
        stages, first = len(maps) - 1, stem_stages(maps)
        self.stem, self.act, self.output = 2**first, net.act, output
        self.map_shape = maps[-1]
        self.sides = tuple((h, w) for h, w, _ in (*maps[first:-1][::-1], maps[0]))
        widths = [width for *_, width in maps]
        keys = jax.random.split(key, stages)
        options: dict[str, Any] = {"init": net.init, "bias": biased(net)}
        convs = []
        for stage in range(stages, first, -1):
            outputs = widths[stage - 1] * 4
            convs.append(Conv(widths[stage], outputs, 3, **options, key=keys[stage - 1]))
        convs.append(Conv(widths[first], widths[0] * self.stem**2, 1, init=net.init, key=keys[0]))
        self.convs = tuple(convs)
        self.norms = tuple(make_norm(widths[stage - 1], net) for stage in range(stages, first, -1))

    def __call__(self, x: Float[Array, "n h w c"]) -> Float[Array, "n height width channels"]:
        """Pictures around [0, 1]."""
        *sides, (height, width) = self.sides
        for conv, norm, (h, w) in zip(self.convs[:-1], self.norms, sides, strict=True):
            x = depth_to_space(conv(x), 2)[:, :h, :w]
            x = normed(x, norm, self.act)
        x = depth_to_space(self.convs[-1](x), self.stem)
        return shown(x[:, :height, :width], self.output)


def stem_stages(maps: tuple[tuple[int, int, int], ...]) -> int:
    """Stages that the patches of the stem stand for: two if the picture has as many."""
    return min(len(maps) - 1, 2)


@dataclass(frozen=True)
class Patch(AbstractStack):
    """4x4 patches, then space-to-depth and 3x3 convolutions: a fraction of the arithmetic."""

    def encoder(self, shape, depth, mults, net, *, key):
        return PatchEncoder(shape, depth=depth, mults=mults, net=net, key=key)

    def decoder(self, shape, depth, mults, net, *, output, key):
        return PatchDecoder(shape, depth=depth, mults=mults, net=net, output=output, key=key)
