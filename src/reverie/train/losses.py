"""The losses of one update: the world model's on what was replayed, actor's and critic's on dreams.

Every function adds its weighted loss to `start` and returns it with all that is known of the batch.
"""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.behavior.actor_critic import Targets
from reverie.behavior.explore import (
    Memory,
    curious_reward,
    explorer_behavior,
)
from reverie.behavior.imagine import DreamNoise, Imagined, dream_noise
from reverie.behavior.loss import BehaviorOutput, Players, Scales, Seen, behavior_losses
from reverie.behavior.returns import certain_of
from reverie.config.run import DeviceConfig
from reverie.config.schema import Config
from reverie.module import Module, tree_at
from reverie.nn.layers import to_compute
from reverie.nn.loss import Loss
from reverie.nn.scan import STORED
from reverie.part.errors import ConfigError
from reverie.records import Sequence, Specs
from reverie.train.forms import scan_form
from reverie.train.state import Agent, TrainState
from reverie.world.balance import balance, weighted_sum
from reverie.world.dynamics import Observed
from reverie.world.model import WorldModel, outline, split_context

sg = jax.lax.stop_gradient


class Noise(NamedTuple):
    """All random numbers of one update."""

    post: Array  # (B, T, Z) uniform
    dream: DreamNoise
    explorer: DreamNoise | None = None  # of the explorer's dreams


def compute_dtype(precision: str) -> jnp.dtype:
    """The dtype of `device.precision` ("f32" or "bf16")."""
    return jnp.dtype({"f32": jnp.float32, "bf16": jnp.bfloat16}[precision])


def to_device(agent: Agent, device: DeviceConfig) -> Agent:
    """`agent` as it computes on a device: in its dtype, and with its form of scans."""
    agent = to_compute(agent, compute_dtype(device.precision))
    form = scan_form(device)
    if form == STORED:
        return agent
    return tree_at(lambda a: a.world.dynamics, agent, agent.world.dynamics.in_form(form))


def draw_noise(agent: Agent, batch: int, time: int, config: Config, key: PRNGKeyArray) -> Noise:
    """The update's randomness, drawn at once before anything runs."""
    post_key, dream_key = jax.random.split(key)
    starts = batch * min(config.behavior.starts or time, time)
    post = agent.world.dynamics.noise(post_key, (batch, time))
    steps, explorer = config.behavior.imagine, None
    if agent.explorer is not None:
        other_key = jax.random.fold_in(dream_key, 1)
        explorer = dream_noise(agent.world, agent.explorer.actor, other_key, steps, starts)
    return Noise(post, dream_noise(agent.world, agent.actor, dream_key, steps, starts), explorer)


class LossOutput(NamedTuple):
    """What `agent_loss` gives besides the total."""

    losses: tuple[Loss, ...]  # per step (B, T)
    metrics: dict[str, Array]
    observed: Observed
    dream: Imagined
    targets: Targets
    scales: Scales
    balanced: dict[str, Array]  # metrics of loss balancing, `balance/…`
    history: Module | None  # of loss balancing, after this update
    memory: Memory | None  # of the explorer, after this update

    @property
    def returns(self) -> Any:
        """What `behavior.scale` remembers after this batch."""
        return self.scales.returns


class WorldOutput(NamedTuple):
    """What `world_loss` gives besides its total: all that the behaviour needs of the batch."""

    losses: tuple[Loss, ...]  # per step (B, T)
    metrics: dict[str, Array]
    observed: Observed
    rows: Sequence  # the trained rows, (B, T, …)
    action: dict[str, Array]  # that led to each of them, (B, T, components)
    balanced: dict[str, Array]  # metrics of loss balancing, `balance/…`
    history: Module | None  # of loss balancing, after this update


def agent_loss(
    agent: Agent, state: TrainState, sequence: Sequence, noise: Noise, config: Config
) -> tuple[Float[Array, ""], LossOutput]:
    """Total loss of one batch of unpacked sequences (B, context + T, …).

    `agent` holds the parameters to differentiate; everything else is read from `state`.
    Source: DreamerV3 (arXiv:2301.04104v2), Eq. 5 to 8.
    """
    agent = to_device(agent, config.device)
    total, world = world_loss(agent.world, sequence, noise, config, history=state.history)
    total, learned = curiosity_loss(agent, world, config, start=total)
    total, out = behavior_loss(agent, state, world, noise, config, start=total)
    total, explored = explorer_loss(agent, state, world, noise, config, start=total)
    return total, merged(world, out, learned, explored)


def merged(
    world: WorldOutput, out: BehaviorOutput, learned: tuple[Loss, ...], explored: "Explored"
) -> LossOutput:
    """All that is known of one batch."""
    losses = distinct((*world.losses, *out.losses, *learned, *explored.losses))
    metrics = world.metrics | out.metrics | explored.metrics
    rest = (out.dream, out.targets, out.scales, world.balanced, world.history, explored.memory)
    return LossOutput(losses, metrics, world.observed, *rest)


def check_names(obs: Specs, actions: Specs, config: Config) -> None:
    """Raises ConfigError where two losses of an agent would be logged under one name."""
    names = ["policy", "value", *(["repval"] if config.behavior.replay_value else ())]
    explorer = ["ensemble", *(f"explorer_{name}" for name in names)]
    names += explorer if config.explore.active else []
    others = tuple(Loss(name, None, 1.0, "behavior") for name in names)
    distinct((*outline(obs, actions, config.world), *others))


def distinct(losses: tuple[Loss, ...]) -> tuple[Loss, ...]:
    """The same losses. Raises ConfigError where two would be logged under one name."""
    names = ["total", *(loss.name for loss in losses)]
    for loss in losses:
        if names.count(loss.name) > 1:
            raise ConfigError(
                f"two losses are called {loss.name!r}: an observation cannot have the name of "
                "another loss; rename it in a wrapper or list it in env.exclude."
            )
    return losses


def world_loss(
    world: WorldModel,
    sequence: Sequence,
    noise: Noise,
    config: Config,
    *,
    history: Module | None = None,
) -> tuple[Float[Array, ""], WorldOutput]:
    """Loss of the world model on one batch of unpacked sequences.

    `world` holds the parameters to differentiate, in the compute dtype; `history` is what loss
    balancing remembers of earlier updates.
    """
    rows, action, start = split_context(sequence, config.replay.context)
    observed = world.observe(start, rows.obs, action, rows.is_first, noise.post)
    goes_on = certain_of(config.behavior)
    losses, metrics = world.losses(observed, rows, config.world, goes_on=goes_on)
    counted = weigh(losses, rows.weight)
    total, balanced, history = balance(counted, config.world.balance, world.sigmas, history)
    return total, WorldOutput(losses, metrics, observed, rows, action, balanced, history)


def behavior_loss(
    agent: Agent,
    state: TrainState,
    world: WorldOutput,
    noise: Noise,
    config: Config,
    *,
    start: Float[Array, ""] | float = 0.0,
) -> tuple[Float[Array, ""], BehaviorOutput]:
    """Loss of actor and critic on dreams from the observed states, added to `start`.

    `agent` holds the parameters to differentiate, in the compute dtype; slow critic, statistics
    and the step of the run are read from `state`.
    """
    dtype = compute_dtype(config.device.precision)
    slow_critic = jax.tree.map(sg, to_compute(state.slow_critic, dtype))
    out = behavior_losses(
        Players(agent.world, agent.actor, agent.critic, slow_critic),
        Scales(state.returns, state.rewards),
        Seen(world.observed.state, world.rows),
        config.behavior,
        noise=noise.dream,
        step=agent_steps(state.updates, config),
        form=scan_form(config.device),
    )
    return weighted_sum(weigh(out.losses, world.rows.weight), start), out


def weigh(losses: tuple[Loss, ...], weight: Array | None) -> tuple[Loss, ...]:
    """Losses (B, …) times the importance weight of their sequence; None changes nothing."""
    if weight is None:
        return losses
    return tuple(loss.valued(loss.value * weight[:, :1]) for loss in losses)


class Explored(NamedTuple):
    """What the explorer's actor and critic gave."""

    losses: tuple[Loss, ...]  # per step (B, T)
    metrics: dict[str, Array]
    memory: Memory | None  # its scales after this batch; the slow critic is as it was


def curiosity_loss(
    agent: Agent, world: WorldOutput, config: Config, *, start: Array
) -> tuple[Array, tuple[Loss, ...]]:
    """Loss of the explorer's ensemble, added to `start`, and the loss itself; none without it."""
    if agent.explorer is None:
        return start, ()
    seen = (agent.world, world.observed, world.action, world.rows.is_first)
    value = config.explore.learn(agent.explorer.ensemble, *seen)
    losses = (Loss("ensemble", value, config.explore.loss_weight, "explorer"),)
    return weighted_sum(weigh(losses, world.rows.weight), start), losses


def explorer_loss(
    agent: Agent,
    state: TrainState,
    world: WorldOutput,
    noise: Noise,
    config: Config,
    *,
    start: Array,
) -> tuple[Array, Explored]:
    """Loss of the explorer's actor and critic, added to `start`; nothing without an explorer.

    Arguments are those of `behavior_loss`.
    """
    explorer, memory = agent.explorer, state.memory
    if explorer is None or memory is None or noise.explorer is None:
        return start, Explored((), {}, None)
    behavior = explorer_behavior(config.behavior, config.explore)
    dtype = compute_dtype(config.device.precision)
    slow_critic = jax.tree.map(sg, to_compute(memory.slow_critic, dtype))
    out = behavior_losses(
        Players(agent.world, explorer.actor, explorer.critic, slow_critic),
        Scales(memory.returns, memory.rewards),
        Seen(world.observed.state, world.rows),
        behavior,
        noise=noise.explorer,
        step=agent_steps(state.updates, config),
        reward_of=curious_reward(explorer, config.explore),
        form=scan_form(config.device),
    )
    losses = tuple(
        Loss(f"explorer_{loss.name}", loss.value, 1.0, "explorer") for loss in out.losses
    )
    total = weighted_sum(weigh(losses, world.rows.weight), start)
    memory = dataclasses.replace(memory, returns=out.scales.returns, rewards=out.scales.reward)
    return total, Explored(losses, {f"explorer/{k}": v for k, v in out.metrics.items()}, memory)


def agent_steps(updates: Array, config: Config) -> Array:
    """Environment steps made when `updates` updates were, reckoned from the train ratio.

    Schedules count in these; the update itself knows no clock of the loop.
    """
    train = config.train
    each = train.batch * train.length / train.ratio if train.ratio else 0.0
    counted = jnp.maximum(updates - train.pretrain, 0).astype(jnp.float32)
    return train.prefill + each * counted
