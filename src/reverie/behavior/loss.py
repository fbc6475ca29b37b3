"""The loss of actor and critic: dream from the observed states, judge, learn."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from reverie.behavior.actor_critic import (
    Opinion,
    Targets,
    gradient_of,
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
from reverie.behavior.returns import RewardScale
from reverie.behavior.schedule import value_at
from reverie.nn.axes import fold
from reverie.nn.heads import Actor, ContinuousOut, Number, NumberHead
from reverie.nn.loss import Loss
from reverie.nn.scan import STORED, ScanForm
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

    returns: Any  # what `behavior.scale` remembers
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
    config: BehaviorConfig,
    *,
    noise: DreamNoise,
    step: Array,
    reward_of: RewardOf = task_reward,
    form: ScanForm = STORED,
) -> BehaviorOutput:
    """Losses of actor and critic (`policy`, `value`, `repval`) on dreams from the states seen.

    `step` counts environment steps of the run, for schedules; `form` as in `imagine`.
    """
    batch, time = seen.rows.reward.shape
    count = min(config.starts or time, time)
    seen = jax.tree.map(lambda x: x[:, time - count :], seen)
    gradient = gradient_of(players.actor, config)
    starts = starts_of(seen.state, config)
    how = {"through": gradient.through, "form": form}
    dream = imagine(players.world, players.actor, starts, noise, **how)
    reward = reward_of(players.world, dream, through=gradient.through)
    terminal = seen.rows.is_terminal.reshape(-1)
    said, critic = judge(players, dream, terminal, config, through=gradient.through)
    reward, scales = divided(reward, scales, config)
    targets, through, returns = make_targets(Opinion(reward, *said), scales.returns, config)

    weight = value_at(config.actor.entropy, step)
    policy, entropy = policy_loss(dream, targets, through, gradient, step, entropy_weight=weight)
    bonus = gradient.bonus(jnp.asarray(weight * sum(entropy.values())))
    value = value_loss(critic, lesson(targets.returns, bonus), targets.slow[:-1], config)
    value = targets.weight[:-1] * value
    policy, value = (x.mean(0).reshape(batch, count) for x in (policy, value))
    losses = [
        Loss("policy", policy, config.actor.weight, "behavior"),
        Loss("value", value, config.critic.weight, "behavior"),
    ]
    if config.replay_value:
        bootstrap = targets.returns[0].reshape(batch, count)
        losses.append(replayed(players, seen, bootstrap, config))
    metrics = dream_metrics(targets, returns, entropy, players.actor, config)
    return BehaviorOutput(tuple(losses), metrics, dream, targets, scales._replace(returns=returns))


def starts_of(state: State, config: BehaviorConfig) -> State:
    """The observed states (B, T, …) as N starts, with their gradient if it is wanted."""
    starts = fold(state)
    return starts if config.actor_grad_start else sg(starts)


def divided(reward: Array, scales: Scales, config: BehaviorConfig) -> tuple[Array, Scales]:
    """Imagined rewards in units of their running magnitude, where there is one."""
    if scales.reward is None:
        return reward, scales
    magnitude = scales.reward.update(reward, config)
    return magnitude.divide(reward), scales._replace(reward=magnitude)


def lesson(returns: Array, bonus: Array | None) -> Array:
    """What the critic learns of imagined returns (H, N); `bonus` as `AbstractGradient` has it."""
    return returns if bonus is None else returns.at[-len(bonus) :].add(sg(bonus))


def replayed(players: Players, seen: Seen, bootstrap: Array, config: BehaviorConfig) -> Loss:
    """The loss of the critic on replayed rewards (`repval`)."""
    x = players.world.feature(seen.state)
    x = x if config.replay_grad else sg(x)
    networks = players.critic, players.slow_critic
    value = replay_value_loss(*networks, x, seen.rows, config, bootstrap=bootstrap)
    return Loss("repval", value, config.critic.replay_weight, "behavior")


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
    targets: Targets, seen: Any, entropy: dict, actor: Actor, config: BehaviorConfig
) -> dict[str, Array]:
    """Summaries of the dreams; `ret…` are returns in units of the scale, above its zero.

    `seen`: what `behavior.scale` remembers.
    """
    scale = config.scale.divisor(seen)
    scaled = (targets.returns - config.scale.zero(seen)) / scale
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
        "return_scale": scale,
        **config.scale.metrics(seen),
    }
    for key, out in actor.outs.items():
        metrics[f"ent/{key}"] = entropy[key].mean()
        if not isinstance(out, ContinuousOut) and max(out.spec.classes) > 1:
            most = jnp.log(jnp.asarray(out.spec.classes, jnp.float32)).sum()
            metrics[f"rand/{key}"] = entropy[key].mean() / most
    return metrics
