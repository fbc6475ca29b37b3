"""Disagreement: what an ensemble of one-step predictors cannot agree on is worth a visit.

Source: Plan2Explore (arXiv:2005.05960), section 3; the `published` form is that of the official
DreamerV2 code (spec/continual-dreamer.md §2).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.behavior.explorer import Plan2Explore
from reverie.behavior.imagine import Imagined
from reverie.module import Module
from reverie.nn.layers import MLP, NET, Linear
from reverie.nn.options import NetConfig
from reverie.records import Latent
from reverie.world.model import feature

sg = jax.lax.stop_gradient

CACHED = 2**17 + 2**15
"""Numbers that the members may say at a time on a CPU: 640 KiB in float32."""

LOG_FLOOR = 1e-12
"""Added before the logarithm of a disagreement, which is exactly 0 where heads agree."""


class Head(Module):
    """One member: hidden layers and an output."""

    trunk: MLP
    out: Linear

    def __init__(
        self,
        inputs: int,
        outputs: int,
        config: Plan2Explore,
        net: NetConfig = NET,
        *,
        key: PRNGKeyArray,
    ):
        trunk_key, out_key = jax.random.split(key)
        self.trunk = MLP(inputs, config.units, config.layers, net, key=trunk_key)
        self.out = Linear(config.units, outputs, init=net.init, key=out_key)

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
        config: Plan2Explore,
        net: NetConfig = NET,
        *,
        key: PRNGKeyArray,
    ):
        def one(key):
            return Head(inputs, outputs, config, net, key=key)

        self.heads = jax.vmap(one)(jax.random.split(key, config.heads))

    def __call__(self, x: Float[Array, "n i"]) -> Float[Array, "k n o"]:
        """What each member expects."""
        return jax.vmap(lambda head: head(x))(self.heads).astype(jnp.float32)

    def loss(self, x: Float[Array, "n i"], target: Float[Array, "n o"]) -> Float[Array, " n"]:
        """Half the squared error, summed over the components and the members.

        A unit-variance Gaussian's negative log-likelihood without its constant. Neither the input
        nor the target receives a gradient.
        """
        error = self(sg(x)) - sg(target.astype(jnp.float32))
        return 0.5 * jnp.square(error).sum((0, 2))

    def disagreement(self, x: Float[Array, "n i"], config: Plan2Explore) -> Float[Array, " n"]:
        """Population variance (`corrected`) or deviation (`published`) over the members, averaged
        over the components; with `log` its logarithm."""
        expected = self(x)
        spread = expected.var(0) if config.form == "corrected" else expected.std(0)
        value = spread.mean(-1)
        return jnp.log(value + LOG_FLOOR) if config.log else value


class Predicted(NamedTuple):
    """What members are trained on: pairs of neighbouring rows."""

    inputs: Array  # (N, I)
    target: Array  # (N, O)
    keep: Array  # (N,) whether both rows are of one episode


def targets_of(
    latent: Latent, tokens: Float[Array, "b t e"], config: Plan2Explore
) -> Float[Array, "b t o"]:
    """What members predict of every row."""
    match config.target:
        case "stoch":
            return latent.stoch.reshape(*latent.stoch.shape[:2], -1)
        case "deter":
            return latent.deter
        case "feature":
            return feature(latent)
        case _:
            return tokens


def pairs(
    latent: Latent,
    tokens: Float[Array, "b t e"],
    action: Float[Array, "b t a"],
    is_first: Array,
    config: Plan2Explore,
) -> Predicted:
    """Training pairs of sequences (B, T, …): from row t to row t + 1.

    Args:
        latent: posteriors.
        tokens: encoded observations.
        action: embedded action that led to each row.
        is_first: pairs into a first row are left out: they straddle two episodes.
    """
    acts = action[:, 1:] if config.form == "corrected" else action[:, :-1]
    x = feature(latent)[:, :-1]
    inputs = with_action(x, acts, config)
    target = targets_of(latent, tokens, config)[:, 1:]
    inputs, target = (part.reshape(-1, part.shape[-1]) for part in (inputs, target))
    return Predicted(inputs, target, ~is_first[:, 1:].reshape(-1))


def with_action(
    x: Float[Array, "*n f"], action: Float[Array, "*n a"], config: Plan2Explore
) -> Float[Array, "*n i"]:
    """The members' input."""
    return jnp.concatenate([x, action.astype(x.dtype)], -1) if config.action else x


def bonus_along(
    ensemble: Ensemble,
    dream: Imagined,
    action: Float[Array, "h n a"],
    config: Plan2Explore,
) -> Float[Array, "k n"]:
    """Disagreement at all H + 1 imagined states; it reaches the dream, not the members.

    `corrected`: the bonus for arriving in a state is the disagreement about it, asked where one
    came from: the start has none. `published`: the disagreement in a state and the action that led
    to it, none at the start.

    Args:
        action: embedded actions chosen in the first H states.
    """
    fixed = jax.tree.map(sg, ensemble)
    early = dream.feature
    if config.form == "corrected":
        arrived = _along(fixed, with_action(early, action, config), config)
        return jnp.concatenate([jnp.zeros_like(arrived[:1]), arrived])
    before = jnp.concatenate([jnp.zeros_like(action[:1]), action[:-1]])
    here = _along(fixed, with_action(early, before, config), config)
    last = fixed.disagreement(with_action(dream.last, action[-1], config), config)
    return jnp.concatenate([here, last[None]])


def _along(
    ensemble: Ensemble, inputs: Float[Array, "h n i"], config: Plan2Explore
) -> Float[Array, "h n"]:
    """The bonus of every imagined state: all at once, but on a CPU in groups of so many rows that
    what the members say of them stays in its cache (5 times faster at size 1m)."""
    rows = inputs.reshape(-1, inputs.shape[-1])
    members, _, outputs = ensemble.heads.out.kernel.shape

    def whole(rows):
        return ensemble.disagreement(rows, config)

    def in_groups(rows):
        group = max(1, CACHED // (members * outputs))
        return jax.lax.map(lambda row: whole(row[None])[0], rows, batch_size=group)

    found = jax.lax.platform_dependent(rows, cpu=in_groups, default=whole)
    return found.reshape(inputs.shape[:2])
