"""A loss with a head of its own: which action led from one latent to the next?"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from reverie.module import Module
from reverie.nn.layers import MLP, Linear
from reverie.nn.loss import Loss
from reverie.part.checks import Checker
from reverie.world.dynamics import feature
from reverie.world.term import AbstractExtra


class InverseHead(Module):
    """Two neighbouring features to an embedded action."""

    trunk: MLP
    out: Linear

    def __call__(self, pair):
        return self.out(self.trunk(pair))


@dataclass(frozen=True)
class Inverse(AbstractExtra):
    """Squared error of the embedded action told from the latents on both sides of it."""

    units: int = 64
    """Width of the hidden layer."""
    weight: float = 0.1
    """Weight of its loss in the total."""

    def __post_init__(self):
        check = Checker(self, "world.extras.")
        check.at_least(1, "units")
        check.at_least(0, "weight")

    def outline(self, obs, actions):
        return (Loss("inverse", None, self.weight, "inverse"),)

    def build(self, shapes, net, *, key):
        a, b = jax.random.split(key)
        trunk = MLP(2 * shapes.feature, self.units, 1, net, key=a)
        return InverseHead(trunk, Linear(self.units, shapes.action, init=net.init, key=b))

    def losses(self, model, observed, rows):
        x = feature(observed.view)
        told = model(jnp.concatenate([x[:, :-1], x[:, 1:]], -1)).astype(jnp.float32)
        error = jnp.square(told - observed.action[:, 1:]).sum(-1)
        error = jnp.where(rows.is_first[:, 1:], 0.0, error)
        return {"inverse": jnp.pad(error, ((0, 0), (1, 0)))}
