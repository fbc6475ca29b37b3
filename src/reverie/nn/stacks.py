"""The slot of image stacks: pictures of one size to tokens, and a small map back to pictures."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from jaxtyping import PRNGKeyArray

from reverie.nn.options import NetConfig
from reverie.part.part import Part


class AbstractStack(Part):
    """How pictures become tokens, and how the decoder mirrors it.

    `depth` and `mults` give the channels after each stage, depth · mult; a picture too small for
    all stages uses the first ones.
    """

    SLOT = "world.encoder.stack"
    MEMBERS: ClassVar[Mapping[str, str]] = {
        "pooled": "reverie.nn.images:Pooled",
        "strided": "reverie.nn.images:Strided",
        "patch": "reverie.nn.images:Patch",
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

        `map_shape` (height, width, channels) is its attribute; `output` as in `images.shown`.
        """
