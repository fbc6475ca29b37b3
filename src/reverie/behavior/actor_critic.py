"""Actor and critic losses on dreams, and the critic's loss on replayed sequences."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from reverie.behavior.gradient import AbstractGradient, Judged, Through
from reverie.behavior.imagine import Imagined
from reverie.behavior.options import BehaviorConfig
from reverie.behavior.returns import imagined_return, replay_return
from reverie.nn.heads import Actor, Number, NumberHead
from reverie.records import Sequence

sg = jax.lax.stop_gradient


class Targets(NamedTuple):
    """What a batch of dreams teaches; no array carries a gradient.

    The first M departures are judged: all H, or H − 1 where a state's value includes its own
    reward (`own_reward`).
    """

    reward: Array  # (H + 1, N)
    cont: Array  # (H + 1, N)
    value: Array  # (H + 1, N), critic
    slow: Array  # (H + 1, N), slow critic
    returns: Array  # (H, N)
    weight: Array  # (H + 1, N)
    advantage: Array  # (M, N), divided by the scale


class Opinion(NamedTuple):
    """What the networks say of the K = H + 1 states of N dreams, with the dream's gradient where
    it has one."""

    reward: Float[Array, "k n"]  # of arriving there
    cont: Float[Array, "k n"]
    value: Float[Array, "k n"]  # critic
    slow: Float[Array, "k n"]  # slow critic


def gradient_of(actor: Actor, config: BehaviorConfig) -> AbstractGradient:
    """How `actor` learns from dreams (`behavior.gradient`)."""
    continuous = all(out.spec.kind != "discrete" for out in actor.outs.values())
    return config.gradient.for_actions(continuous=continuous)


def make_targets(said: Opinion, seen: Any, config: BehaviorConfig) -> tuple[Targets, Through, Any]:
    """Returns, weights and scaled advantages; what gradients through the dream may increase; and
    what the scale remembers after this batch (`seen`: before it)."""
    bootstrap = said.slow if config.slow_target else said.value
    along = jax.vmap(imagined_return, (1, 1, 1, None), 1)
    returns, weight = along(said.reward, said.cont, bootstrap, config)
    judged = returns[1:] if config.own_reward else returns
    seen = config.scale.update(seen, judged)
    baseline = {"target": bootstrap, "critic": said.value, "slow": said.slow}[config.baseline]
    advantage = (judged - baseline[: len(judged)]) / config.scale.divisor(seen)
    targets = Targets(*said, returns, weight, advantage)
    return jax.tree.map(sg, targets), Through(advantage, judged), jax.tree.map(sg, seen)


def policy_loss(
    dream: Imagined,
    targets: Targets,
    through: Through,
    gradient: AbstractGradient,
    step: Array,
    *,
    entropy_weight: Array | float,
) -> tuple[Float[Array, "m n"], dict[str, Array]]:
    """Loss of the policy at every judged departure (`gradient.py`), and the entropy of each key."""
    count = len(targets.advantage)
    entropy = {key: value[:count] for key, value in dream.policy.entropy().items()}
    nll = dream.policy.nll(dream.action)[:count]
    gain = gradient.gain(Judged(nll, targets.advantage, through), step)
    gain = gain + entropy_weight * sum(entropy.values())
    return -targets.weight[:count] * gain, entropy


def value_loss(
    dist: Number, returns: Array, slow: Array, config: BehaviorConfig
) -> Float[Array, "*n"]:
    """Loss of the critic towards `returns`, pulled towards the slow critic; unweighted.

    Source: DreamerV3 (arXiv:2301.04104v2), Eq. 6 and section "Critic learning".
    """
    return dist.nll_pulled(returns, slow, config.slow_reg)


def replay_value_loss(
    critic: NumberHead,
    slow_critic: NumberHead,
    x: Float[Array, "b t f"],
    rows: Sequence,
    config: BehaviorConfig,
    *,
    bootstrap: Float[Array, "b t"],
) -> Float[Array, "b h"]:
    """Critic loss on real rewards, bootstrapped by the returns imagined from the same rows.

    The last row of an episode has no successor and gets no loss. Gradients reach the features.
    """
    returns = jax.vmap(replay_return, (0, 0, 0, 0, None))(
        rows.reward, rows.is_last, rows.is_terminal, bootstrap, config
    )
    departures = x[:, :-1]
    slow = sg(slow_critic(sg(departures)).mean())
    loss = value_loss(critic(departures), sg(returns), slow, config)
    return loss * (1.0 - rows.is_last[:, :-1].astype(jnp.float32))
