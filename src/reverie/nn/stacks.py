"""The slot of image stacks: pictures of one size to tokens, and a small map back to pictures."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.nn.options import NetConfig
from reverie.part.errors import ConfigError
from reverie.part.part import Part


class AbstractStack(Part):
    """How pictures become tokens, and how the decoder mirrors it.

    `depth` and `mults` give the channels after each stage, depth · mult; a picture too small for
    all stages uses the first ones.
    """

    SLOT = "world.encoder.stack"
    MEMBERS: ClassVar[Mapping[str, str]] = {
        "pooled": "reverie.nn.pooled:Pooled",
        "strided": "reverie.nn.pooled:Strided",
        "patch": "reverie.nn.patch:Patch",
        "valid": "reverie.nn.plain:Valid",
        "same": "reverie.nn.plain:Same",
        "resnet": "reverie.nn.resnet:ResNet",
    }

    @property
    def whole_maps(self) -> bool:
        """Whether its norms can average over whole maps (`net.maps` whole)."""
        return False

    @abstractmethod
    def encoder(
        self,
        shape: tuple[int, int, int],
        depth: int,
        mults: tuple[int, ...],
        net: NetConfig,
        *,
        key: PRNGKeyArray,
    ) -> Any:
        """A module that makes `size` tokens (n, size) of pictures (n, *shape) in [−0.5, 0.5].

        `shape`: (height, width, channels). Raises ConfigError for a picture that does not fit.
        """

    @abstractmethod
    def decoder(
        self,
        shape: tuple[int, int, int],
        depth: int,
        mults: tuple[int, ...],
        net: NetConfig,
        *,
        output: str,
        key: PRNGKeyArray,
    ) -> Any:
        """A module that makes pictures (n, *shape) around [0, 1] of maps (n, *map_shape).

        `map_shape` (height, width, channels) is its attribute; `output` as in `shown`.
        """


def plan_sides(height: int, width: int, stages: int, *, outer: bool) -> tuple[tuple[int, int], ...]:
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


def plan_maps(
    shape: tuple[int, int, int], depth: int, mults: tuple[int, ...], *, outer: bool
) -> tuple[tuple[int, int, int], ...]:
    """(height, width, channels) of the picture and of the map after each stage of `plan_sides`."""
    sides = plan_sides(*shape[:2], len(mults), outer=outer)
    widths = [shape[2], *(depth * mult for mult in mults)]
    return tuple((*side, width) for side, width in zip(sides, widths, strict=False))


def shown(x: Float[Array, "*n"], output: str) -> Float[Array, "*n"]:
    """Pictures, float32, from the last layer's numbers: their sigmoid, or the numbers + 0.5."""
    x = x.astype(jnp.float32)
    return jax.nn.sigmoid(x) if output == "sigmoid" else x + 0.5
