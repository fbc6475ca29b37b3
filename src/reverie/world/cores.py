"""The slot of recurrent cores: the next deterministic state from a latent and an action.

A record says the options and builds a `Core`, the module with the parameters. Inside scans the
block core keeps the deterministic state *group-first*, (G, B, D/G): each block is one slice of a
batched matrix product and nothing is copied to the blocks. Outside it is the flat, block-major
(…, D).
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from reverie.module import Module
from reverie.nn.options import NetConfig
from reverie.part.part import Part


class Carry(NamedTuple):
    """A latent between two steps of a scan: stoch flat, deter flat and (block core) group-first."""

    groups: Array | None  # (G, B, D/G)
    deter: Array  # (B, D)
    stoch: Array  # (B, Z·C)


class Widths(NamedTuple):
    """Widths that a core is built for."""

    deter: int
    stoch: int  # laid flat
    hidden: int
    action: int  # embedded


class AbstractCore(Part):
    """A kind of recurrent core."""

    SLOT = "world.dynamics.core"
    MEMBERS: ClassVar[Mapping[str, str]] = {
        "block": "reverie.world.block_core:Block",
        "gru": "reverie.world.gru_core:GRU",
    }

    @property
    def keys(self) -> int:
        """Random keys that `build` takes, at least 4."""
        return 5

    def check(self, deter: int) -> None:
        """Raises ConfigError where a deterministic state of this width is none of its own."""

    @abstractmethod
    def build(self, widths: Widths, net: NetConfig, *, keys: Array) -> "Core":
        """The module; `keys` are as many random keys as it asked for."""


class Core(Module):
    """The parameters of a core."""

    def prepared(self) -> Any:
        """The same core with its weights laid out for scans."""
        return self

    def carry(self, deter: Float[Array, "b d"], stoch: Float[Array, "b zc"]) -> Carry:
        """The form in which a latent travels through a scan."""
        return Carry(None, deter, stoch)

    def embed(self, action: Float[Array, "*n a"]) -> Float[Array, "*n h"]:
        """What a step takes of the action; computed for all steps at once where they are known."""
        return action

    @abstractmethod
    def __call__(self, carry: Carry, action: Float[Array, "b h"]) -> Carry:
        """The next deterministic state of a `prepared` core; `stoch` stays as it is.

        `action` went through `embed`.
        """


def gated(gates: Float[Array, "*n k"], before: Float[Array, "*n w"]) -> Float[Array, "*n w"]:
    """The GRU's mixture of old state and candidate; `gates` hold (reset, candidate, update).

    u·tanh(σ(reset)·candidate) + (1 − u)·before,   u = σ(update − 1)
    """
    reset, candidate, update = jnp.split(gates, 3, -1)
    candidate = jnp.tanh(jax.nn.sigmoid(reset) * candidate)
    update = jax.nn.sigmoid(update - 1)
    return update * candidate + (1 - update) * before
