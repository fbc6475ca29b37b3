"""A core of block-diagonal layers, as wide as V3's states are."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from reverie.module import static, tree_at
from reverie.nn.layers import (
    BlockLinear,
    Dense,
    Norm,
    SharedBlockLinear,
    activate,
    from_groups,
    make_norm,
    to_groups,
)
from reverie.nn.options import NetConfig
from reverie.part.checks import Checker
from reverie.part.errors import ConfigError
from reverie.world.cores import AbstractCore, Carry, Core, Widths, gated


@dataclass(frozen=True)
class Block(AbstractCore):
    """Block-diagonal GRU (V3)."""

    blocks: int = 8
    """Blocks of its layers."""
    layers: int = 1
    """Block layers before the gates."""

    def __post_init__(self):
        Checker(self, "world.dynamics.core.").at_least(1, "blocks", "layers")

    @property
    def keys(self) -> int:
        return 4 + self.layers

    def check(self, deter: int) -> None:
        if deter % self.blocks:
            raise ConfigError(
                "world.dynamics.deter must be a multiple of world.dynamics.core.blocks "
                f"({self.blocks}), found {deter}."
            )

    def build(self, widths: Widths, net: NetConfig, *, keys: Array) -> "BlockCore":
        return BlockCore(widths, self, net, keys=keys)


class BlockCore(Core):
    """Block-diagonal layers and a GRU whose gates belong to the blocks.

    Source: DreamerV3 (arXiv:2301.04104v2) and its official code.
    """

    in_deter: Dense
    in_stoch: Dense
    in_action: Dense
    hidden: tuple[Any, ...]  # BlockLinear; when prepared, the first is a SharedBlockLinear
    hidden_norms: tuple[Norm | None, ...]
    gates: BlockLinear
    act: str = static()

    def __init__(self, widths: Widths, options: "Block", net: NetConfig, *, keys: Array):
        width, blocks, deter = widths.hidden, options.blocks, widths.deter
        self.in_deter = Dense(deter, width, net, key=keys[0])
        self.in_stoch = Dense(widths.stoch, width, net, key=keys[1])
        self.in_action = Dense(widths.action, width, net, key=keys[2])
        inputs = [deter + 3 * width * blocks] + [deter] * options.layers
        self.hidden = tuple(
            BlockLinear(i, deter, blocks, key=k)
            for i, k in zip(inputs[: options.layers], keys[4:], strict=True)
        )
        self.hidden_norms = tuple(make_norm(deter, net) for _ in self.hidden)
        self.gates = BlockLinear(deter, 3 * deter, blocks, key=keys[3])
        self.act = net.act

    def prepared(self) -> "BlockCore":
        """The same core with its weights laid out for scans."""
        if not self.hidden or isinstance(self.hidden[0], SharedBlockLinear):
            return self
        width = self.gates.kernel.shape[1]
        return tree_at(lambda m: m.hidden[0], self, self.hidden[0].split(width))

    def carry(self, deter: Float[Array, "b d"], stoch: Float[Array, "b zc"]) -> Carry:
        """The form in which a latent travels through a scan."""
        return Carry(to_groups(deter, self.gates.kernel.shape[0]), deter, stoch)

    def embed(self, action: Float[Array, "*n a"]) -> Float[Array, "*n h"]:
        """What a step takes of the action; computed for all steps at once where they are known."""
        return self.in_action(action)

    def __call__(self, carry: Carry, action: Float[Array, "b h"]) -> Carry:
        """The next deterministic state of a `prepared` core; `stoch` stays as it is.

        `action` went through `embed`.
        """
        x = jnp.concatenate([self.in_deter(carry.deter), self.in_stoch(carry.stoch), action], -1)
        assert carry.groups is not None, "made by `carry` of this core"
        y = groups = carry.groups
        for index, (layer, norm) in enumerate(zip(self.hidden, self.hidden_norms, strict=True)):
            y = layer(y, x) if index == 0 else layer(y)
            y = activate(y if norm is None else norm.groups(y), self.act)
        groups = gated(self.gates(y), groups)
        return Carry(groups, from_groups(groups), carry.stoch)
