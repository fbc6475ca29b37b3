"""The loss of actor and critic: dream from the observed states, judge, learn."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from reverie.behavior.actor_critic import (
    Targets,
    Weights,
    actor_gradient,
    make_targets,
    policy_loss,
    replay_value_loss,
    value_loss,
)
from reverie.behavior.imagine import (
    DreamNoise,
    Imagined,
    continues_along,
    imagine,
    means_along,
)
from reverie.behavior.options import BehaviorConfig
from reverie.behavior.returns import ReturnRange, RewardScale
from reverie.nn.heads import Actor, ContinuousOut, Number, NumberHead
from reverie.nn.loss import Loss
from reverie.records import Sequence
from reverie.world.dynamics import State
from reverie.world.model import WorldModel

sg = jax.lax.stop_gradient


class Players(NamedTuple):
    """The networks that take part, in the compute dtype."""

    world: WorldModel
    actor: Actor
    critic: NumberHead
    slow_critic: NumberHead  # without gradients


RewardOf = Callable[..., Array]
"""Where the reward of a dream comes from: (world, dream, *, through) -> reward (H + 1, N) of
arriving in every state, without gradient or `through` the dream."""


def task_reward(world: WorldModel, dream: Imagined, *, through: bool) -> Array:
    """What the reward head predicts."""
    return means_along(world.reward, dream, through=through)


class Scales(NamedTuple):
    """Running statistics of dreams."""

    returns: ReturnRange
    reward: RewardScale | None  # None: rewards are not divided


class Seen(NamedTuple):
    """What dreams start from: posteriors (B, T, …) and the rows that they belong to."""

    state: State
    rows: Sequence


class BehaviorOutput(NamedTuple):
    """What `behavior_losses` gives."""

    losses: tuple[Loss, ...]  # per step (B, T)
    metrics: dict[str, Array]
    dream: Imagined
    targets: Targets
    scales: Scales


def behavior_losses(
    players: Players,
    scales: Scales,
    seen: Seen,
    noise: DreamNoise,
    weights: Weights,
    config: BehaviorConfig,
    reward_of: RewardOf = task_reward,
) -> BehaviorOutput:
    """Losses of actor and critic (`policy`, `value`, `repval`) on dreams from the states seen."""
    options = config
    batch, time = seen.rows.reward.shape
    count = min(options.starts or time, time)
    seen = jax.tree.map(lambda x: x[:, time - count :], seen)
    starts = jax.tree.map(lambda x: x.reshape(batch * count, *x.shape[2:]), seen.state)
    starts = starts if options.actor_grad_start else sg(starts)
    kind = actor_gradient(players.actor, config.actor)
    through = kind != "reinforce"
    dream = imagine(players.world, players.actor, starts, noise, through=through)
    terminal = seen.rows.is_terminal.reshape(-1)
    reward = reward_of(players.world, dream, through=through)
    (cont, value, slow), critic = judge(players, dream, terminal, config, through=through)
    if scales.reward is not None:
        magnitude = scales.reward.update(reward, options)
        scales, reward = scales._replace(reward=magnitude), magnitude.divide(reward)
    targets, returns = make_targets(reward, cont, value, slow, scales.returns, config)
    scales = scales._replace(returns=returns)

    policy, entropy = policy_loss(dream, targets, kind, weights, config)
    lesson = targets.returns
    if options.entropy_in_target and kind == "dynamics":
        lesson = lesson.at[1:].add(sg(weights.entropy * sum(entropy.values())))
    value = value_loss(critic, lesson, targets.slow[:-1], config)
    value = targets.weight[:-1] * value
    policy, value = (x.mean(0).reshape(batch, count) for x in (policy, value))
    losses = [
        Loss("policy", policy, options.actor.weight, "behavior"),
        Loss("value", value, options.critic.weight, "behavior"),
    ]
    if options.replay_value:
        x = players.world.feature(seen.state)
        replayed = replay_value_loss(
            players.critic,
            players.slow_critic,
            x if options.replay_grad else sg(x),
            seen.rows,
            targets.returns[0].reshape(batch, count),
            config,
        )
        losses.append(Loss("repval", replayed, options.critic.replay_weight, "behavior"))
    metrics = dream_metrics(targets, returns, entropy, players.actor, config)
    return BehaviorOutput(tuple(losses), metrics, dream, targets, scales)


def judge(
    players: Players, dream: Imagined, terminal: Array, config: BehaviorConfig, *, through: bool
) -> tuple[tuple[Array, Array, Array], Number]:
    """Continue factor, value and slow value at all H + 1 states; and what the critic says of the
    departures, with the critic's own gradient.

    `through` leaves the first three the gradient that came with the dream.
    """
    cont = continues_along(players.world, dream, terminal, config, through=through)
    slow = means_along(players.slow_critic, dream, through=through)
    if through:
        value = means_along(players.critic, dream, through=True)
        return (cont, value, slow), players.critic(sg(dream.feature))
    critic = players.critic(dream.feature)
    value = jnp.concatenate([critic.mean(), players.critic(sg(dream.last)).mean()[None]])
    return (cont, value, slow), critic


def dream_metrics(
    targets: Targets, returns: ReturnRange, entropy: dict, actor: Actor, config: BehaviorConfig
) -> dict[str, Array]:
    """Summaries of the dreams; `ret…` are returns in units of the return range above its low."""
    scale = returns.scale(config)
    scaled = (targets.returns - returns.low) / scale
    metrics = {
        "adv": targets.advantage.mean(),
        "adv_std": targets.advantage.std(),
        "adv_mag": jnp.abs(targets.advantage).mean(),
        "rew": targets.reward.mean(),
        "con": targets.cont.mean(),
        "ret": scaled.mean(),
        "ret_min": scaled.min(),
        "ret_max": scaled.max(),
        "ret_rate": (jnp.abs(scaled) >= 1.0).mean(),
        "val": targets.value.mean(),
        "tar": targets.returns.mean(),
        "slowval": targets.slow.mean(),
        "weight": targets.weight.mean(),
        "return_low": returns.low,
        "return_high": returns.high,
        "return_scale": scale,
    }
    for key, out in actor.outs.items():
        metrics[f"ent/{key}"] = entropy[key].mean()
        if not isinstance(out, ContinuousOut) and max(out.spec.classes) > 1:
            most = jnp.log(jnp.asarray(out.spec.classes, jnp.float32)).sum()
            metrics[f"rand/{key}"] = entropy[key].mean() / most
    return metrics
