"""Actor and critic losses on dreams, and the critic's loss on replayed sequences."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from reverie.behavior.imagine import Imagined
from reverie.behavior.options import BehaviorConfig
from reverie.behavior.returns import ReturnRange, imagined_return, replay_return
from reverie.nn.heads import Actor, Number, NumberHead
from reverie.nn.options import ActorConfig
from reverie.records import Sequence

sg = jax.lax.stop_gradient


class Targets(NamedTuple):
    """What a batch of dreams teaches; no array but `climb` carries a gradient.

    The first M departures are judged: all H, or H − 1 where a state's value includes its own
    reward (`own_reward`).
    """

    reward: Array  # (H + 1, N)
    cont: Array  # (H + 1, N)
    value: Array  # (H + 1, N), critic
    slow: Array  # (H + 1, N), slow critic
    returns: Array  # (H, N)
    weight: Array  # (H + 1, N)
    advantage: Array  # (M, N), in units of the return range
    climb: Array  # (M, N): what dynamics gradients increase


class Weights(NamedTuple):
    """Numbers of the actor loss that may change while a run goes on."""

    entropy: Array | float  # per nat
    mix: Array | float  # share of the dynamics gradient


def actor_gradient(actor: Actor, config: ActorConfig) -> str:
    """The estimator that `behavior.actor.grad` asks for: reinforce, dynamics or mixed."""
    if config.grad != "auto":
        return config.grad
    continuous = all(out.spec.kind != "discrete" for out in actor.outs.values())
    return "dynamics" if continuous else "reinforce"


def make_targets(
    reward: Float[Array, "k n"],
    cont: Float[Array, "k n"],
    value: Float[Array, "k n"],
    slow: Float[Array, "k n"],
    scale: ReturnRange,
    config: BehaviorConfig,
) -> tuple[Targets, ReturnRange]:
    """Returns, weights and scaled advantages; the return range sees this batch first.

    Gradients that the inputs carry are kept in `climb` alone.
    """
    options = config
    bootstrap = slow if options.slow_target else value
    along = jax.vmap(imagined_return, (1, 1, 1, None), 1)
    returns, weight = along(reward, cont, bootstrap, options)
    judged = returns[1:] if options.own_reward else returns
    scale = scale.update(judged, options)
    baseline = {"target": bootstrap, "critic": value, "slow": slow}[options.baseline]
    advantage = (judged - baseline[: len(judged)]) / scale.scale(options)
    climb = advantage if config.actor.climb == "advantage" else judged
    targets = Targets(reward, cont, value, slow, returns, weight, advantage, climb)
    return jax.tree.map(sg, targets)._replace(climb=climb), jax.tree.map(sg, scale)


def policy_loss(
    dream: Imagined, targets: Targets, kind: str, weights: Weights, config: BehaviorConfig
) -> tuple[Float[Array, "h n"], dict[str, Array]]:
    """Loss of the policy at every judged departure, and the entropy of each key.

        −w · (log π(a)·A + η·Σ H[π])            reinforce
        −w · (C + η·Σ H[π])                     dynamics: C is differentiated through the dream
        −w · (m·C + (1 − m)·log π(a)·A + η·Σ H[π])  mixed

    Sources: DreamerV3 (arXiv:2301.04104v2), Eq. 8; DreamerV2 (arXiv:2010.02193), Eq. 6.
    """
    count = len(targets.advantage)
    entropy = {key: value[:count] for key, value in dream.policy.entropy().items()}
    match kind:
        case "reinforce":
            gain = -dream.policy.nll(dream.action)[:count] * targets.advantage
        case "dynamics":
            gain = targets.climb
        case _:
            likely = -dream.policy.nll(dream.action)[:count] * targets.advantage
            gain = weights.mix * targets.climb + (1.0 - weights.mix) * likely
    gain = gain + weights.entropy * sum(entropy.values())
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
    bootstrap: Float[Array, "b t"],
    config: BehaviorConfig,
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
