"""An ensemble of one-step predictors, and how much they disagree.

Source: Plan2Explore (arXiv:2005.05960), section 3.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.module import Module
from reverie.nn.layers import MLP, NET, Linear
from reverie.nn.options import NetConfig

sg = jax.lax.stop_gradient

LOG_FLOOR = 1e-12
"""Added before the logarithm of a disagreement, which is exactly 0 where members agree."""


class Members(NamedTuple):
    """How many there are, and the hidden layers of each."""

    heads: int
    layers: int
    units: int


class Head(Module):
    """One member: hidden layers and an output."""

    trunk: MLP
    out: Linear

    def __init__(
        self, inputs: int, outputs: int, members: Members, net: NetConfig, *, key: PRNGKeyArray
    ):
        trunk_key, out_key = jax.random.split(key)
        self.trunk = MLP(inputs, members.units, members.layers, net, key=trunk_key)
        self.out = Linear(members.units, outputs, init=net.init, key=out_key)

    def __call__(self, x: Float[Array, "*n i"]) -> Float[Array, "*n o"]:
        return self.out(self.trunk(x))


class Ensemble(Module):
    """K members as one network: every parameter has a leading axis K.

    The first layer of all members is a single matrix product, since they see the same input.
    """

    heads: Head

    def __init__(
        self,
        inputs: int,
        outputs: int,
        members: Members,
        net: NetConfig = NET,
        *,
        key: PRNGKeyArray,
    ):
        def one(key):
            return Head(inputs, outputs, members, net, key=key)

        self.heads = jax.vmap(one)(jax.random.split(key, members.heads))

    def __call__(self, x: Float[Array, "n i"]) -> Float[Array, "k n o"]:
        """What each member expects."""
        return jax.vmap(lambda head: head(x))(self.heads).astype(jnp.float32)

    def loss(self, x: Float[Array, "n i"], target: Float[Array, "n o"]) -> Float[Array, " n"]:
        """Half the squared error, summed over the components and the members.

        A unit-variance Gaussian's negative log-likelihood without its constant. Neither the input
        nor the target receives a gradient.
        """
        error = self(sg(x)) - sg(target.astype(jnp.float32))[None]
        return 0.5 * jnp.square(error).sum((0, 2))

    def disagreement(
        self, x: Float[Array, "n i"], *, root: bool = False, log: bool = False
    ) -> Float[Array, " n"]:
        """Population variance over the members (`root`: deviation), averaged over the components;
        with `log` its logarithm."""
        expected = self(x)
        spread = expected.std(0) if root else expected.var(0)
        value = spread.mean(-1)
        return jnp.log(value + LOG_FLOOR) if log else value
