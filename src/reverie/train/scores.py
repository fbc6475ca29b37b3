"""What an update found out about every trained row, as replay's signals want it."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from reverie.config.schema import Config
from reverie.signals.found import Found
from reverie.train.state import Agent
from reverie.world.dynamics import Observed, feature
from reverie.world.model import WorldModel

sg = jax.lax.stop_gradient


def step_scores(
    agent: Agent, out: Any, action: dict[str, Array], config: Config
) -> Float[Array, "B T"] | None:
    """The score of every trained row by `replay.signal`, float32 and at least 0; None where the
    signal needs nothing from the update.

    Scores are read off what the update computed anyway; nothing of them enters a loss.

    Args:
        agent: the agent after the update.
        out: `LossOutput` of the update.
        action: what was chosen at every trained row, (B, T, components).
        config: the signal, and what the losses weigh.
    """
    score = config.replay.signal.score(found_of(agent, out, action, config))
    return None if score is None else sg(jnp.maximum(score, 0.0).astype(jnp.float32))


def found_of(agent: Agent, out: Any, action: dict[str, Array], config: Config) -> Found:
    """What signals may read. Arguments are those of `step_scores`."""
    return Found(
        shape=out.losses[0].value.shape,
        losses=out.losses,
        targets=out.targets,
        zero=config.behavior.scale.zero(out.returns),
        scale=config.behavior.scale.divisor(out.returns),
        free_nats=config.world.dynamics.free_nats,
        surprise=lambda: surprise(agent.world, out.observed),
        disagreement=lambda: unknown(agent, out.observed, action, config),
    )


def unknown(
    agent: Agent, observed: Observed, action: dict[str, Array], config: Config
) -> Float[Array, "B T"]:
    """How much the explorer's ensemble disagrees about what follows every row (before `log`)."""
    assert agent.explorer is not None
    x = feature(observed.view)
    return config.explore.surprise(agent.explorer.ensemble, x, agent.world.embed(action))


def surprise(world: WorldModel, observed: Observed) -> Float[Array, "B T"]:
    """KL of the posterior from the prior before any floor, nats."""
    post, prior = jax.tree.map(sg, (observed.post, observed.prior))
    return world.dynamics.surprise(post, prior)
