"""An objective without a decoder: a latent and its own observation belong together.

InfoNCE (arXiv:1807.03748) between projections of features and of tokens, over the rows of a batch.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array

from reverie.module import Module
from reverie.nn.layers import Linear
from reverie.nn.loss import Loss
from reverie.part.checks import Checker
from reverie.world.dynamics import feature
from reverie.world.objective import AbstractObjective


class Projections(Module):
    """Both sides of the comparison."""

    latent: Linear
    observation: Linear

    def __call__(self, view: Array, tokens: Array) -> Array:
        a, b = self.latent(view), self.observation(tokens)
        a, b = (x / jnp.linalg.norm(x + 1e-8, axis=-1, keepdims=True) for x in (a, b))
        return a.astype(jnp.float32) @ b.astype(jnp.float32).T


@dataclass(frozen=True)
class Contrast(AbstractObjective):
    """Latents are told apart by the observations they belong to."""

    units: int = 64
    """Width of the projections."""
    temperature: float = 0.1
    """Divides the cosines."""
    weight: float = 1.0
    """Weight of its loss in the total."""

    def __post_init__(self):
        check = Checker(self, "world.objective.")
        check.at_least(1, "units")
        check.above(0, "temperature")
        check.at_least(0, "weight")

    def outline(self, obs, actions):
        return (Loss("contrast", None, self.weight, "observation"),)

    def build(self, shapes, net, *, key):
        a, b = jax.random.split(key)
        latent = Linear(shapes.feature, self.units, init=net.init, key=a)
        return Projections(latent, Linear(shapes.tokens, self.units, init=net.init, key=b))

    def losses(self, model, observed, rows):
        flat = [x.reshape(-1, x.shape[-1]) for x in (feature(observed.view), observed.tokens)]
        logits = model(*flat) / self.temperature
        both = jax.nn.log_softmax(logits, 0) + jax.nn.log_softmax(logits, 1)
        return {"contrast": -0.5 * jnp.diagonal(both).reshape(rows.reward.shape)}
