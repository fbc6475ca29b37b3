"""One update: observe, dream, learn. A pure function of (state, batch, key).

Either everything learns at once from one total, or (`train.update` ordered) the world model first,
and then actor and critic in dreams of the model that has just learned. Both ways share every part.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from reverie.behavior.explore import Memory
from reverie.config import edit
from reverie.config.schema import Config
from reverie.optim.groups import groups_of, joined, part_of
from reverie.optim.norms import tree_norm
from reverie.optim.numbers import with_numbers
from reverie.optim.optimizer import WHOLE
from reverie.records import Sequence
from reverie.train.losses import (
    LossOutput,
    Noise,
    WorldOutput,
    agent_loss,
    behavior_loss,
    compute_dtype,
    curiosity_loss,
    draw_noise,
    explorer_loss,
    merged,
    to_device,
    world_loss,
)
from reverie.train.scores import step_scores
from reverie.train.state import Agent, TrainState
from reverie.world.dynamics import State
from reverie.world.model import unpack

sg = jax.lax.stop_gradient


def train_step(
    state: TrainState,
    batch: Sequence,
    key: PRNGKeyArray,
    *,
    config: Config,
    numbers: Mapping[str, Array] | None = None,
) -> tuple[TrainState, dict[str, Array], dict[str, Array]]:
    """One update on B stored sequences of context + T rows; `numbers` (`optim.numbers`) take the
    place of the configuration's own.

    Returns the next state, scalar metrics by their logged names, and columns that replay writes
    back to the T trained rows: the new states (`latent/NAME`), and `score` where
    replay draws by something that the update finds out.
    """
    given = {f"optim.{path}": value for path, value in (numbers or {}).items()}
    config = with_numbers(without_reward(config), given)
    dtype = compute_dtype(config.device.precision)
    sequence = unpack(batch, config.world, dtype)
    size, length = batch.reward.shape
    noise = draw_noise(state.agent, size, length - config.replay.context, config, key)
    update = update_at_once if config.train.update == "joint" else update_in_order
    state, metrics, (total, out) = update(state, sequence, noise, config)
    state = dataclasses.replace(state, history=out.history, rewards=out.scales.reward)
    metrics |= out.balanced
    metrics |= {
        name if name.startswith("explorer/") else f"train/{name}": value
        for name, value in out.metrics.items()
    }
    metrics |= {f"loss/{loss.name}": loss.value.mean() for loss in out.losses}
    metrics["loss/total"] = total
    written = write_back(out.observed.state, config)
    chosen = {name: value[:, config.replay.context :] for name, value in sequence.action.items()}
    score = step_scores(state.agent, out, chosen, config)
    return state, metrics, written if score is None else written | {"score": score}


def without_reward(config: Config) -> Config:
    """`config` with the weights of everything that learns from the task's reward at zero, where
    `explore.task` hides it."""
    if not config.explore.task_hidden:
        return config
    hidden = ("world.reward.weight", "behavior.actor.weight")
    hidden += ("behavior.critic.weight", "behavior.critic.replay_weight")
    return edit.apply(config, dict.fromkeys(hidden, 0.0))


Update = tuple[TrainState, dict[str, Array], tuple[Array, LossOutput]]
"""Next state, metrics of the optimisers, and the total with all that is known of the batch."""


def update_at_once(state: TrainState, sequence: Sequence, noise: Noise, config: Config) -> Update:
    """Everything learns from one total."""
    grads, (total, out) = gradients(state, sequence, noise, config)
    state, metrics = apply_gradients(state, grads, out.returns, config, memory=out.memory)
    return state, metrics, (total, out)


def update_in_order(state: TrainState, sequence: Sequence, noise: Noise, config: Config) -> Update:
    """The world model learns, then actor and critic.

    They dream from the posteriors of the model as it was, inside the model as it has become.
    Source: the official DreamerV2 code.
    """
    first, (total, world, learned) = world_gradients(state, sequence, noise, config)
    agent, opt_state, moved = apply_groups(state.agent, first, state.opt_state, config)
    second, (total, out, explored) = behavior_gradients(
        agent, state, world, noise, config, start=total
    )
    agent, opt_state, more = apply_groups(agent, second, opt_state, config)
    grads, moved = first | second, moved | more
    found = merged(world, out, learned, explored)
    state = advanced(state, agent, opt_state, found.returns, config, memory=found.memory)
    metrics = update_metrics(state, grads, moved)
    for name in groups_of(agent):
        metrics[f"train/grad_norm_{name}"] = tree_norm(grads[name])
        metrics[f"train/lr_{name}"] = jnp.asarray(config.optim.rate(name)(state.updates - 1))
    metrics["train/lr"] = metrics.pop("train/lr_world")
    return state, metrics, (total, found)


def gradients(state: TrainState, sequence: Sequence, noise: Noise, config: Config):
    """Gradient of the total for every parameter, and (total, LossOutput)."""

    def loss(agent):
        total, out = agent_loss(agent, state, sequence, noise, config)
        return total, (total, out)

    return jax.grad(loss, has_aux=True)(state.agent)


def world_gradients(state: TrainState, sequence: Sequence, noise: Noise, config: Config):
    """Gradients of the groups `world` and, where there is one, `ensemble`; and (total,
    WorldOutput, losses of the ensemble). Neither loss reaches the other's parameters."""
    groups = {name: part_of(state.agent, name) for name in groups_of(state.agent)}
    learning = {name: groups[name] for name in ("world", "ensemble") if name in groups}

    def loss(parts):
        agent = to_device(joined(groups | parts), config.device)
        total, out = world_loss(agent.world, sequence, noise, config, history=state.history)
        total, learned = curiosity_loss(agent, out, config, start=total)
        return total, (total, out, learned)

    return jax.grad(loss, has_aux=True)(learning)


def behavior_gradients(
    agent: Agent,
    state: TrainState,
    world: WorldOutput,
    noise: Noise,
    config: Config,
    *,
    start: Array,
):
    """Gradients of the actors and critics by group, and (total, BehaviorOutput, Explored).

    The gradient of their joint loss is that of each one's own: no loss reaches the others.
    """
    groups = {name: part_of(agent, name) for name in groups_of(agent)}
    learning = {n: part for n, part in groups.items() if n not in ("world", "ensemble")}
    world = world._replace(observed=jax.tree.map(sg, world.observed))

    def loss(players):
        whole = to_device(joined(groups | players), config.device)
        total, out = behavior_loss(whole, state, world, noise, config, start=start)
        total, explored = explorer_loss(whole, state, world, noise, config, start=total)
        return total, (total, out, explored)

    return jax.grad(loss, has_aux=True)(learning)


def apply_gradients(
    state: TrainState,
    grads: Agent,
    returns: Any,
    config: Config,
    *,
    memory: Memory | None = None,
) -> tuple[TrainState, dict[str, Array]]:
    """The state after one step of everything, and metrics of the update."""
    if config.optim.grouped:
        parts = {name: part_of(grads, name) for name in groups_of(state.agent)}
        agent, opt_state, updates = apply_groups(state.agent, parts, state.opt_state, config)
    else:
        optimizer = config.optim.chain(WHOLE, config.world.balance.sigma_lr)
        updates, opt_state = optimizer.update(grads, state.opt_state, state.agent)
        agent = jax.tree.map(jnp.add, state.agent, updates)
    state = advanced(state, agent, opt_state, returns, config, memory=memory)
    metrics = update_metrics(state, grads, updates)
    metrics["train/lr"] = jnp.asarray(config.optim.rate()(state.updates - 1))
    return state, metrics


def apply_groups(agent: Agent, grads: dict[str, Any], opt_state: dict[str, Any], config: Config):
    """The agent after one step of the optimisers that `grads` names, their states, the changes."""
    parts, moved = {name: part_of(agent, name) for name in groups_of(agent)}, {}
    opt_state = dict(opt_state)
    for name, gradient in grads.items():
        optimizer = config.optim.chain(name, config.world.balance.sigma_lr)
        moved[name], opt_state[name] = optimizer.update(gradient, opt_state[name], parts[name])
        parts[name] = jax.tree.map(jnp.add, parts[name], moved[name])
    return joined(parts), opt_state, moved


def advanced(
    state: TrainState,
    agent: Agent,
    opt_state: Any,
    returns: Any,
    config: Config,
    *,
    memory: Memory | None = None,
) -> TrainState:
    """The state after an update that made `agent`: slow critics follow, the clocks tick."""
    slow = mix_slow(state.slow_critic, agent.critic, state.slow_count, config)
    if memory is not None and agent.explorer is not None:
        other = mix_slow(memory.slow_critic, agent.explorer.critic, state.slow_count, config)
        memory = dataclasses.replace(memory, slow_critic=other)
    changed: dict[str, Any] = {"slow_count": state.slow_count + 1, "updates": state.updates + 1}
    changed |= {"agent": agent, "slow_critic": slow, "opt_state": opt_state, "memory": memory}
    return dataclasses.replace(state, returns=returns, **changed)


def update_metrics(state: TrainState, grads: Any, updates: Any) -> dict[str, Array]:
    """Sizes of the gradient, of the step and of the parameters, after an update."""
    count = sum(x.size for x in jax.tree.leaves(state.agent))
    return {
        "train/updates": state.updates,
        "train/grad_norm": tree_norm(grads),
        "train/grad_rms": tree_norm(grads) / count**0.5,
        "train/update_rms": tree_norm(updates) / count**0.5,
        "train/param_rms": tree_norm(state.agent) / count**0.5,
    }


def mix_slow(slow, critic, count, config: Config):
    """The slow critic after a tick of its clock; every `slow_every`-th moves it, the first too.

    With `slow_copy_first` the first one makes it equal to the critic.
    """
    options = config.behavior
    due = count % options.slow_every == 0
    rate = jnp.where(due, options.slow_rate, 0.0)
    if options.slow_copy_first:
        rate = jnp.where(count == 0, 1.0, rate)
    return jax.tree.map(lambda s, c: rate * c + (1.0 - rate) * s, slow, critic)


def write_back(state: State, config: Config) -> dict[str, Array]:
    """Columns that replay stores of states: none without context (see `split_context`)."""
    if not config.replay.context:
        return {}
    packed = config.world.dynamics.pack(state)
    return {f"latent/{name}": value for name, value in packed.items()}
