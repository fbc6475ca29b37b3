"""Recurrent cores: the next deterministic state from a latent and an action.

A core is one of `BlockCore` (V3) and `GRUCore` (V2 and V3 of 2023). Inside scans the block core
keeps the deterministic state *group-first*, (G, B, D/G): each block is one slice of a batched
matrix product and nothing is copied to the blocks. Outside it is the flat, block-major (…, D).
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from reverie.module import Module, static, tree_at
from reverie.nn.layers import (
    BlockLinear,
    Dense,
    LayerNorm,
    Linear,
    Norm,
    SharedBlockLinear,
    activate,
    from_groups,
    make_norm,
    to_groups,
)
from reverie.nn.options import NetConfig
from reverie.world.options import RSSMConfig


class Carry(NamedTuple):
    """A latent between two steps of a scan: stoch flat, deter flat and (block core) group-first."""

    groups: Array | None  # (G, B, D/G)
    deter: Array  # (B, D)
    stoch: Array  # (B, Z·C)


class BlockCore(Module):
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

    def __init__(self, action: int, config: RSSMConfig, net: NetConfig, *, keys: Array):
        """`keys`: 4 + `config.core_layers` random keys."""
        width, blocks, deter = config.hidden, config.blocks, config.deter
        self.in_deter = Dense(deter, width, net, key=keys[0])
        self.in_stoch = Dense(config.flat, width, net, key=keys[1])
        self.in_action = Dense(action, width, net, key=keys[2])
        inputs = [deter + 3 * width * blocks] + [deter] * config.core_layers
        self.hidden = tuple(
            BlockLinear(i, deter, blocks, key=k)
            for i, k in zip(inputs[: config.core_layers], keys[4:], strict=True)
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


class GRUCore(Module):
    """A dense GRU on [hidden layer of (stoch, action), deter], LayerNorm over all its gates.

    Source: DreamerV2 (arXiv:2010.02193) and its official code.
    """

    inputs: Dense
    gates: Linear
    norm: LayerNorm

    def __init__(self, action: int, config: RSSMConfig, net: NetConfig, *, keys: Array):
        """`keys`: at least two random keys."""
        width, deter = config.hidden, config.deter
        self.inputs = Dense(config.flat + action, width, net, key=keys[0])
        self.gates = Linear(width + deter, 3 * deter, init=net.init, bias=net.bias, key=keys[1])
        self.norm = LayerNorm(3 * deter)

    def prepared(self) -> "GRUCore":
        """The same core: its weights need no other layout."""
        return self

    def carry(self, deter: Float[Array, "b d"], stoch: Float[Array, "b zc"]) -> Carry:
        """The form in which a latent travels through a scan."""
        return Carry(None, deter, stoch)

    def embed(self, action: Float[Array, "*n a"]) -> Float[Array, "*n a"]:
        """What a step takes of the action: the action."""
        return action

    def __call__(self, carry: Carry, action: Float[Array, "b a"]) -> Carry:
        """The next deterministic state; `stoch` stays as it is."""
        x = self.inputs(jnp.concatenate([carry.stoch, action], -1))
        gates = self.norm(self.gates(jnp.concatenate([x, carry.deter], -1)))
        return Carry(None, gated(gates, carry.deter), carry.stoch)


Core = BlockCore | GRUCore


def gated(gates: Float[Array, "*n k"], before: Float[Array, "*n w"]) -> Float[Array, "*n w"]:
    """The GRU's mixture of old state and candidate; `gates` hold (reset, candidate, update).

    u·tanh(σ(reset)·candidate) + (1 − u)·before,   u = σ(update − 1)
    """
    reset, candidate, update = jnp.split(gates, 3, -1)
    candidate = jnp.tanh(jax.nn.sigmoid(reset) * candidate)
    update = jax.nn.sigmoid(update - 1)
    return update * candidate + (1 - update) * before


def make_core(action: int, config: RSSMConfig, net: NetConfig, keys: Array) -> Core:
    """The core that `config` names, for embedded actions of width `action`."""
    kind = {"block": BlockCore, "gru": GRUCore}[config.core]
    return kind(action, config, net, keys=keys)
