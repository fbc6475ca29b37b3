"""An intrinsic reward: random network distillation (arXiv:1810.12894) on imagined features."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from reverie.behavior.explorer import AbstractExplorer
from reverie.module import Module
from reverie.nn.layers import MLP
from reverie.part.checks import Checker
from reverie.world.dynamics import feature

sg = jax.lax.stop_gradient


class Pair(Module):
    """A network that never learns, and one that learns to say the same."""

    fixed: MLP
    learner: MLP

    def error(self, x):
        difference = self.learner(x) - sg(self.fixed(sg(x)))
        return jnp.square(difference.astype(jnp.float32)).mean(-1)


@dataclass(frozen=True)
class Distillation(AbstractExplorer):
    """A second actor and critic that seek features that a distilled network does not know."""

    units: int = 64
    """Width of both networks."""
    layers: int = 2
    """Their layers."""

    def __post_init__(self):
        Checker(self, "explore.").at_least(1, "units", "layers")

    def build(self, shapes, net, *, key):
        a, b = jax.random.split(key)
        widths = shapes.feature, self.units, self.layers
        return Pair(MLP(*widths, net, key=a), MLP(*widths, net, key=b))

    def learn(self, model, world, observed, action, is_first):
        return model.error(sg(feature(observed.view)))

    def reward(self, model, world, dream, *, through):
        model = jax.tree.map(sg, model)
        early, last = model.error(dream.feature), model.error(dream.last)
        reward = jnp.concatenate([early, last[None]])
        return reward if through else sg(reward)
