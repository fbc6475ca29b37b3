"""One update: observe, dream, learn. A pure function of (state, batch, key).

Either everything learns at once from one total, or (`optim.kind` adam) the world model first, and
then actor and critic in dreams of the model that has just learned. Both ways share every part.
"""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.behavior.actor_critic import Targets, Weights
from reverie.behavior.imagine import DreamNoise, Imagined, dream_noise
from reverie.behavior.loss import BehaviorOutput, Players, Scales, Seen, behavior_losses
from reverie.behavior.returns import ReturnRange
from reverie.behavior.schedule import value_at
from reverie.config.schema import Config
from reverie.nn.layers import to_compute
from reverie.records import Latent, Sequence
from reverie.train.optim import GROUPS, joined, learning_rate, make_group, make_optimizer, part_of
from reverie.train.scores import step_scores
from reverie.train.state import Agent, TrainState
from reverie.world import latents
from reverie.world.balance import History, balance, weighted_sum
from reverie.world.balance import weight_of as weight_of
from reverie.world.model import Observed, WorldModel, split_context, unpack

sg = jax.lax.stop_gradient


class Noise(NamedTuple):
    """All random numbers of one update."""

    post: Array  # (B, T, Z) uniform
    dream: DreamNoise


def compute_dtype(precision: str) -> jnp.dtype:
    """The dtype of `device.precision` ("f32" or "bf16")."""
    return jnp.dtype({"f32": jnp.float32, "bf16": jnp.bfloat16}[precision])


def resolve_precision(precision: str, platform: str) -> str:
    """`auto` by platform: bf16 on accelerators, f32 on the CPU."""
    if precision != "auto":
        return precision
    return "f32" if platform == "cpu" else "bf16"


def draw_noise(agent: Agent, batch: int, time: int, config: Config, key: PRNGKeyArray) -> Noise:
    """The update's randomness, drawn at once before anything runs."""
    post_key, dream_key = jax.random.split(key)
    starts = batch * min(config.behavior.starts or time, time)
    post = agent.world.rssm.noise(post_key, (batch, time))
    steps = config.behavior.imagine
    return Noise(post, dream_noise(agent.world, agent.actor, dream_key, steps, starts))


class LossOutput(NamedTuple):
    """What `agent_loss` gives besides the total."""

    losses: dict[str, Array]  # per step, unweighted
    metrics: dict[str, Array]
    observed: Observed
    dream: Imagined
    targets: Targets
    scales: Scales
    balanced: dict[str, Array]  # metrics of loss balancing, `balance/…`
    history: History | None  # of loss balancing, after this update

    @property
    def returns(self) -> ReturnRange:
        """The return range after this batch."""
        return self.scales.returns


class WorldOutput(NamedTuple):
    """What `world_loss` gives besides its total: all that the behaviour needs of the batch."""

    losses: dict[str, Array]  # per step, unweighted
    metrics: dict[str, Array]
    observed: Observed
    rows: Sequence  # the trained rows, (B, T, …)
    balanced: dict[str, Array]  # metrics of loss balancing, `balance/…`
    history: History | None  # of loss balancing, after this update


def agent_loss(
    agent: Agent, state: TrainState, sequence: Sequence, noise: Noise, config: Config
) -> tuple[Float[Array, ""], LossOutput]:
    """Total loss of one batch of unpacked sequences (B, context + T, …).

    `agent` holds the parameters to differentiate; everything else is read from `state`.
    Source: DreamerV3 (arXiv:2301.04104v2), Eq. 5 to 8.
    """
    agent = to_compute(agent, compute_dtype(config.device.precision))
    total, world = world_loss(agent.world, sequence, noise, config, history=state.history)
    total, out = behavior_loss(agent, state, world, noise, config, start=total)
    return total, both(world, out)


def both(world: WorldOutput, out: BehaviorOutput) -> LossOutput:
    """All that is known of one batch."""
    losses, metrics = world.losses | out.losses, world.metrics | out.metrics
    rest = (out.dream, out.targets, out.scales, world.balanced, world.history)
    return LossOutput(losses, metrics, world.observed, *rest)


def world_loss(
    world: WorldModel,
    sequence: Sequence,
    noise: Noise,
    config: Config,
    *,
    history: History | None = None,
) -> tuple[Float[Array, ""], WorldOutput]:
    """Loss of the world model on one batch of unpacked sequences.

    `world` holds the parameters to differentiate, in the compute dtype; `history` is what loss
    balancing remembers of earlier updates.
    """
    rows, action, start = split_context(sequence, config.replay.context)
    observed = world.observe(start, rows.obs, action, rows.is_first, noise.post)
    losses, metrics = world.losses(observed, rows, config)
    counted = weigh(losses, rows.weight)
    total, balanced, history = balance(counted, world.sigmas, history, config)
    return total, WorldOutput(losses, metrics, observed, rows, balanced, history)


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
    latent = world.observed.latent
    slow_critic = jax.tree.map(sg, to_compute(state.slow_critic, latent.deter.dtype))
    step = agent_steps(state.updates, config)
    out = behavior_losses(
        Players(agent.world, agent.actor, agent.critic, slow_critic),
        Scales(state.returns, state.rewards),
        Seen(latent, world.rows),
        noise.dream,
        Weights(value_at(config.actor.entropy, step), value_at(config.actor.mix, step)),
        config,
    )
    return weighted_sum(weigh(out.losses, world.rows.weight), config, start), out


def weigh(losses: dict[str, Array], weight: Array | None) -> dict[str, Array]:
    """Losses (B, …) times the importance weight of their sequence; None changes nothing."""
    return losses if weight is None else {k: v * weight[:, :1] for k, v in losses.items()}


def agent_steps(updates: Array, config: Config) -> Array:
    """Environment steps made when `updates` updates were, reckoned from the train ratio.

    Schedules count in these; the update itself knows no clock of the loop.
    """
    train = config.train
    each = train.batch * train.length / train.ratio if train.ratio else 0.0
    counted = jnp.maximum(updates - train.pretrain, 0).astype(jnp.float32)
    return train.prefill + each * counted


def train_step(
    state: TrainState, batch: Sequence, key: PRNGKeyArray, *, config: Config
) -> tuple[TrainState, dict[str, Array], dict[str, Array]]:
    """One update on B stored sequences of context + T rows.

    Returns the next state, scalar metrics by their logged names, and columns that replay writes
    back to the T trained rows: the new latents (`latent/deter`, `latent/stoch`), and `score` where
    replay draws by something that the update finds out.
    """
    dtype = compute_dtype(config.device.precision)
    sequence = unpack(batch, config, dtype)
    size, length = batch.reward.shape
    noise = draw_noise(state.agent, size, length - config.replay.context, config, key)
    update = update_at_once if config.optim.kind == "laprop" else update_in_order
    state, metrics, (total, out) = update(state, sequence, noise, config)
    state = dataclasses.replace(state, history=out.history, rewards=out.scales.reward)
    metrics |= out.balanced
    metrics |= {f"train/{name}": value for name, value in out.metrics.items()}
    metrics |= {f"loss/{name}": loss.mean() for name, loss in out.losses.items()}
    metrics["loss/total"] = total
    written = write_back(out.observed.latent, config.replay.context)
    score = step_scores(state.agent.world, out, config)
    return state, metrics, written if score is None else written | {"score": score}


Update = tuple[TrainState, dict[str, Array], tuple[Array, LossOutput]]
"""Next state, metrics of the optimisers, and the total with all that is known of the batch."""


def update_at_once(state: TrainState, sequence: Sequence, noise: Noise, config: Config) -> Update:
    """Everything learns from one total."""
    grads, (total, out) = gradients(state, sequence, noise, config)
    state, metrics = apply_gradients(state, grads, out.returns, config)
    return state, metrics, (total, out)


def update_in_order(state: TrainState, sequence: Sequence, noise: Noise, config: Config) -> Update:
    """The world model learns, then actor and critic.

    They dream from the posteriors of the model as it was, inside the model as it has become.
    Source: the official DreamerV2 code.
    """
    world_grads, (world_total, world) = world_gradients(state, sequence, noise, config)
    agent, opt_state, moved = apply_groups(
        state.agent, {"world": world_grads}, state.opt_state, config
    )
    grads, (total, out) = behavior_gradients(agent, state, world, noise, config, world_total)
    agent, opt_state, more = apply_groups(agent, grads, opt_state, config)
    grads, moved = {"world": world_grads} | grads, moved | more
    state = advanced(state, agent, opt_state, out.scales.returns, config)
    metrics = update_metrics(state, grads, moved)
    for name in GROUPS:
        metrics[f"train/grad_norm_{name}"] = optax.tree.norm(grads[name])
        rate = learning_rate(config.optim, getattr(config.optim, name).lr)
        metrics[f"train/lr_{name}"] = jnp.asarray(rate(state.updates - 1))
    metrics["train/lr"] = metrics.pop("train/lr_world")
    return state, metrics, (total, both(world, out))


def gradients(state: TrainState, sequence: Sequence, noise: Noise, config: Config):
    """Gradient of the total for every parameter, and (total, LossOutput)."""

    def loss(agent):
        total, out = agent_loss(agent, state, sequence, noise, config)
        return total, (total, out)

    return jax.grad(loss, has_aux=True)(state.agent)


def world_gradients(state: TrainState, sequence: Sequence, noise: Noise, config: Config):
    """Gradient of the world model's loss for the group `world`, and (total, WorldOutput)."""
    dtype = compute_dtype(config.device.precision)

    def loss(part):
        world = to_compute(part, dtype).world
        total, out = world_loss(world, sequence, noise, config, history=state.history)
        return total, (total, out)

    return jax.grad(loss, has_aux=True)(part_of(state.agent, "world"))


def behavior_gradients(
    agent: Agent, state: TrainState, world: WorldOutput, noise: Noise, config: Config, start: Array
):
    """Gradients of actor and critic by group, and (total, BehaviorOutput).

    The gradient of their joint loss is that of each one's own: neither loss reaches the other.
    """
    rest, dtype = part_of(agent, "world"), world.observed.latent.deter.dtype
    world = world._replace(observed=jax.tree.map(sg, world.observed))

    def loss(players):
        whole = to_compute(joined(rest, players["actor"], players["critic"]), dtype)
        total, out = behavior_loss(whole, state, world, noise, config, start=start)
        return total, (total, out)

    return jax.grad(loss, has_aux=True)({"actor": agent.actor, "critic": agent.critic})


def apply_gradients(
    state: TrainState, grads: Agent, returns: ReturnRange, config: Config
) -> tuple[TrainState, dict[str, Array]]:
    """The state after one step of the one optimiser, and metrics of the update."""
    optimizer = make_optimizer(config.optim, config.balancing.lr)
    updates, opt_state = optimizer.update(grads, state.opt_state, state.agent)
    agent = jax.tree.map(jnp.add, state.agent, updates)
    state = advanced(state, agent, opt_state, returns, config)
    metrics = update_metrics(state, grads, updates)
    metrics["train/lr"] = jnp.asarray(learning_rate(config.optim)(state.updates - 1))
    return state, metrics


def apply_groups(agent: Agent, grads: dict[str, Any], opt_state: dict[str, Any], config: Config):
    """The agent after one step of the optimisers that `grads` names, their states, the changes."""
    parts, moved = {name: part_of(agent, name) for name in GROUPS}, {}
    opt_state = dict(opt_state)
    for name, gradient in grads.items():
        optimizer = make_group(config.optim, name, config.balancing.lr)
        moved[name], opt_state[name] = optimizer.update(gradient, opt_state[name], parts[name])
        parts[name] = jax.tree.map(jnp.add, parts[name], moved[name])
    return joined(*(parts[name] for name in GROUPS)), opt_state, moved


def advanced(
    state: TrainState, agent: Agent, opt_state: Any, returns: ReturnRange, config: Config
) -> TrainState:
    """The state after an update that made `agent`: the slow critic follows, the clocks tick."""
    slow = mix_slow(state.slow_critic, agent.critic, state.slow_count, config)
    clocks = {"slow_count": state.slow_count + 1, "updates": state.updates + 1}
    return dataclasses.replace(
        state, agent=agent, slow_critic=slow, returns=returns, opt_state=opt_state, **clocks
    )


def update_metrics(state: TrainState, grads: Any, updates: Any) -> dict[str, Array]:
    """Sizes of the gradient, of the step and of the parameters, after an update."""
    count = sum(x.size for x in jax.tree.leaves(state.agent))
    norm = optax.tree.norm
    return {
        "train/updates": state.updates,
        "train/grad_norm": norm(grads),
        "train/grad_rms": norm(grads) / count**0.5,
        "train/update_rms": norm(updates) / count**0.5,
        "train/param_rms": norm(state.agent) / count**0.5,
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


def write_back(latent: Latent, context: int) -> dict[str, Array]:
    """Columns that replay stores of latents: none without context (see `split_context`)."""
    return latents.pack(latent) if context else {}
