"""Actor and critic losses on dreams, and the critic's loss on replayed sequences."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from reverie.behavior.imagine import Imagined
from reverie.behavior.returns import ReturnRange, imagined_return, replay_return
from reverie.config.schema import Config
from reverie.nn.heads import Number, TwoHotHead
from reverie.records import Sequence

sg = jax.lax.stop_gradient


class Targets(NamedTuple):
    """What a batch of dreams teaches; arrays (H, N) or (H + 1, N), none carries a gradient."""

    reward: Array  # (H + 1, N)
    cont: Array  # (H + 1, N)
    value: Array  # (H + 1, N), critic
    slow: Array  # (H + 1, N), slow critic
    returns: Array  # (H, N)
    weight: Array  # (H + 1, N)
    advantage: Array  # (H, N), in units of the return range


def make_targets(
    reward: Float[Array, "k n"],
    cont: Float[Array, "k n"],
    value: Float[Array, "k n"],
    slow: Float[Array, "k n"],
    scale: ReturnRange,
    config: Config,
) -> tuple[Targets, ReturnRange]:
    """Returns, weights and scaled advantages; the return range sees this batch first."""
    options = config.behavior
    base = slow if options.slow_target else value
    along = jax.vmap(imagined_return, (1, 1, 1, None), 1)
    returns, weight = along(reward, cont, base, options)
    scale = scale.update(returns, options)
    advantage = (returns - base[:-1]) / scale.scale(options)
    targets = Targets(reward, cont, value, slow, returns, weight, advantage)
    return jax.tree.map(sg, targets), scale


def policy_loss(
    dream: Imagined, targets: Targets, config: Config
) -> tuple[Float[Array, "h n"], dict[str, Array]]:
    """Reinforce with entropy bonus at every imagined departure, and the entropy of each key.

        −w · (log π(a)·A + η·Σ H[π])

    Source: DreamerV3 (arXiv:2301.04104v2), Eq. 8.
    """
    entropy = dream.policy.entropy()
    logp = -dream.policy.nll(dream.action)
    gain = logp * targets.advantage + config.actor.entropy * sum(entropy.values())
    return -targets.weight[:-1] * gain, entropy


def value_loss(dist: Number, returns: Array, slow: Array, config: Config) -> Float[Array, "*n"]:
    """Loss of the critic towards `returns`, pulled towards the slow critic; unweighted.

    Source: DreamerV3 (arXiv:2301.04104v2), Eq. 6 and section "Critic learning".
    """
    return dist.nll_pulled(returns, slow, config.behavior.slow_reg)


def replay_value_loss(
    critic: TwoHotHead,
    slow_critic: TwoHotHead,
    x: Float[Array, "b t f"],
    rows: Sequence,
    bootstrap: Float[Array, "b t"],
    config: Config,
) -> Float[Array, "b h"]:
    """Critic loss on real rewards, bootstrapped by the returns imagined from the same rows.

    The last row of an episode has no successor and gets no loss. Gradients reach the features.
    """
    returns = jax.vmap(replay_return, (0, 0, 0, 0, None))(
        rows.reward, rows.is_last, rows.is_terminal, bootstrap, config.behavior
    )
    departures = x[:, :-1]
    slow = sg(slow_critic(sg(departures)).mean())
    loss = value_loss(critic(departures), sg(returns), slow, config)
    return loss * (1.0 - rows.is_last[:, :-1].astype(jnp.float32))
