"""The dense recurrent core of the older agents."""

from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, Float

from reverie.nn.layers import Dense, LayerNorm, Linear
from reverie.nn.options import NetConfig
from reverie.world.cores import AbstractCore, Carry, Core, Widths, gated


@dataclass(frozen=True)
class GRU(AbstractCore):
    """Dense GRU with LayerNorm on its gates (V2, V3 of 2023)."""

    def build(self, widths: Widths, net: NetConfig, *, keys: Array) -> "GRUCore":
        return GRUCore(widths, net, keys=keys)


class GRUCore(Core):
    """A dense GRU on [hidden layer of (stoch, action), deter], LayerNorm over all its gates.

    Source: DreamerV2 (arXiv:2010.02193) and its official code.
    """

    inputs: Dense
    gates: Linear
    norm: LayerNorm

    def __init__(self, widths: Widths, net: NetConfig, *, keys: Array):
        width, deter = widths.hidden, widths.deter
        self.inputs = Dense(widths.stoch + widths.action, width, net, key=keys[0])
        self.gates = Linear(width + deter, 3 * deter, init=net.init, bias=net.bias, key=keys[1])
        self.norm = LayerNorm(3 * deter)

    def __call__(self, carry: Carry, action: Float[Array, "b a"]) -> Carry:
        """The next deterministic state; `stoch` stays as it is."""
        x = self.inputs(jnp.concatenate([carry.stoch, action], -1))
        gates = self.norm(self.gates(jnp.concatenate([x, carry.deter], -1)))
        return Carry(None, gated(gates, carry.deter), carry.stoch)
