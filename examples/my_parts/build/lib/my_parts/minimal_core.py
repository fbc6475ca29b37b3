"""A recurrent core: a minimal gated unit, whose gate and candidate do not see the old state.

Source: minGRU (arXiv:2410.01201).
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from reverie.nn.layers import Dense, Linear
from reverie.world.cores import AbstractCore, Carry, Core


class MinimalCore(Core):
    """(1 − u)·deter + u·candidate, both from a hidden layer of (stoch, action)."""

    inputs: Dense
    gates: Linear

    def __call__(self, carry, action):
        x = self.inputs(jnp.concatenate([carry.stoch, action], -1))
        update, candidate = jnp.split(self.gates(x), 2, -1)
        update = jax.nn.sigmoid(update - 1)
        deter = update * jnp.tanh(candidate) + (1 - update) * carry.deter
        return Carry(None, deter, carry.stoch)


@dataclass(frozen=True)
class Minimal(AbstractCore):
    """A minimal gated unit."""

    def build(self, widths, net, *, keys):
        inputs = Dense(widths.stoch + widths.action, widths.hidden, net, key=keys[0])
        return MinimalCore(inputs, Linear(widths.hidden, 2 * widths.deter, key=keys[1]))
