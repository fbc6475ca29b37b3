"""What an update found out about every trained row, as replay's draws want it."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from reverie.behavior.returns import ReturnRange
from reverie.config.schema import Config
from reverie.nn.loss import Loss
from reverie.train.state import Agent
from reverie.world.kl import kl_losses
from reverie.world.model import Observed, WorldModel, feature

sg = jax.lax.stop_gradient

OTHERS = ("behavior", "explorer")
"""Groups of losses that are not the world model's."""


def step_scores(
    agent: Agent, out: Any, action: dict[str, Array], config: Config
) -> Float[Array, "B T"] | None:
    """The score of every trained row by `replay.score.signal`, float32 and at least 0; None where
    the signal needs nothing from the update.

    Scores are read off what the update computed anyway; nothing of them enters a loss.

    Args:
        agent: the agent after the update.
        out: `LossOutput` of the update.
        action: what was chosen at every trained row, (B, T, components).
        config: signal and its weights.

    Source: replay-sampling.md §2.1 (kl), §4.1 (model loss), §4.3 (xp), §4.4 (td).
    """
    if config.replay.score.signal == "disagreement":
        score = unknown(agent, out.observed, action, config)
    else:
        score = _score(agent.world, out, config)
    return None if score is None else sg(jnp.maximum(score, 0.0).astype(jnp.float32))


def _score(world: WorldModel, out: Any, config: Config) -> Array | None:
    match config.replay.score.signal:
        case "none" | "return":
            return None
        case "visits":  # replay counts them; the update says which rows it trained on
            return jnp.zeros(out.losses[0].value.shape)
        case "kl":
            return surprise(world, out.observed, config)
        case "kl_clipped":
            return jnp.maximum(
                surprise(world, out.observed, config), config.world.dynamics.free_nats
            )
        case "model_loss" | "curious":
            return model_loss(out.losses)
        case "td":
            return _on_rows(jnp.abs(out.targets.returns[0] - out.targets.value[0]), out)
        case "xp":
            return xp(out, out.returns, config)
        case other:
            raise AssertionError(f"{other} is refused by the configuration")


def unknown(
    agent: Agent, observed: Observed, action: dict[str, Array], config: Config
) -> Float[Array, "B T"]:
    """How much the explorer's ensemble disagrees about what follows every row (before `log`)."""
    assert agent.explorer is not None
    x = feature(observed.latent)
    return config.explore.surprise(agent.explorer.ensemble, x, agent.world.embed(action))


def surprise(world: WorldModel, observed: Observed, config: Config) -> Float[Array, "B T"]:
    """KL of the posterior from the prior, summed over the latents, before any floor, nats."""
    post, prior = (world.rssm.distribution(sg(x)) for x in (observed.post, observed.prior))
    return kl_losses(post, prior, config.world.dynamics).raw


def model_loss(losses: tuple[Loss, ...]) -> Float[Array, "B T"]:
    """Sum of the world model's losses at their fixed weights, whatever balances them."""
    parts = [loss.weight * loss.value for loss in losses if loss.group not in OTHERS]
    return jnp.asarray(sum(parts))


def xp(out: Any, returns: ReturnRange, config: Config) -> Float[Array, "B T"]:
    """(λr + λd δ) R + λe ε.

    δ: value loss, mean over the dream. R: sum over the dream of the returns in units of the
    return range above its low. ε: reconstruction loss of the row. Negative values become 0.
    Source: DreamerV3-XP (arXiv:2510.21418), its published code.
    """
    options = config.replay.score
    scaled = (out.targets.returns - returns.low) / returns.scale(config.behavior)
    ret = _on_rows(scaled.sum(0), out)
    rec = jnp.asarray(sum(x.value for x in out.losses if x.group == "observation"))
    error = next(x.value for x in out.losses if x.name == "value")
    value = options.xp_return + options.xp_value * error
    return value * ret + options.xp_rec * rec


def _on_rows(x: Float[Array, " N"], out: Any) -> Float[Array, "B T"]:
    """Numbers of the dreams' starts as numbers of the rows that they began in."""
    return x.reshape(out.losses[0].value.shape)
