"""One update: observe, dream, learn. A pure function of (state, batch, key)."""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.behavior.actor_critic import (
    Targets,
    make_targets,
    policy_loss,
    replay_value_loss,
    value_loss,
)
from reverie.behavior.imagine import DreamNoise, Imagined, dream_noise, imagine, means_along
from reverie.behavior.returns import ReturnRange
from reverie.config.schema import Config
from reverie.nn.heads import ContinuousOut
from reverie.nn.layers import to_compute
from reverie.records import Latent, Sequence
from reverie.train.optim import learning_rate, make_optimizer
from reverie.train.state import Agent, TrainState
from reverie.world.balance import History, balance, weighted_sum
from reverie.world.balance import weight_of as weight_of
from reverie.world.model import Observed, WorldModel, feature, split_context

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
    post = jax.random.uniform(post_key, (batch, time, config.rssm.stoch))
    steps = config.behavior.imagine
    return Noise(post, dream_noise(agent.world, agent.actor, dream_key, steps, starts))


def unpack(sequence: Sequence, classes: int, dtype: jnp.dtype) -> Sequence:
    """A stored sequence as the networks take it: flat actions, one-hot latents."""
    action = {k: v.reshape(*v.shape[:2], -1) for k, v in sequence.action.items()}
    deter, stoch = sequence.latent
    if stoch.ndim == 3:
        stoch = jax.nn.one_hot(stoch, classes, dtype=dtype)
    latent = Latent(deter.astype(dtype), stoch.astype(dtype))
    return sequence._replace(action=action, latent=latent)


class LossOutput(NamedTuple):
    """What `agent_loss` gives besides the total."""

    losses: dict[str, Array]  # per step, unweighted
    metrics: dict[str, Array]
    observed: Observed
    dream: Imagined
    targets: Targets
    returns: ReturnRange
    balanced: dict[str, Array]  # metrics of loss balancing, `balance/…`
    history: History | None  # of loss balancing, after this update


class WorldOutput(NamedTuple):
    """What `world_loss` gives besides its total: all that the behaviour needs of the batch."""

    losses: dict[str, Array]  # per step, unweighted
    metrics: dict[str, Array]
    observed: Observed
    rows: Sequence  # the trained rows, (B, T, …)
    balanced: dict[str, Array]  # metrics of loss balancing, `balance/…`
    history: History | None  # of loss balancing, after this update


class BehaviorOutput(NamedTuple):
    """What `behavior_loss` gives besides its total."""

    losses: dict[str, Array]  # per step, unweighted
    metrics: dict[str, Array]
    dream: Imagined
    targets: Targets
    returns: ReturnRange


def agent_loss(
    agent: Agent, state: TrainState, sequence: Sequence, noise: Noise, config: Config
) -> tuple[Float[Array, ""], LossOutput]:
    """Total loss of one batch of unpacked sequences (B, context + T, …).

    `agent` holds the parameters to differentiate; everything else is read from `state`.
    Source: DreamerV3 (arXiv:2301.04104v2), Eq. 5 to 8.
    """
    agent = to_compute(agent, sequence.latent.deter.dtype)
    total, world = world_loss(agent.world, sequence, noise, config, history=state.history)
    total, out = behavior_loss(agent, state, world, noise, config, start=total)
    losses, metrics = world.losses | out.losses, world.metrics | out.metrics
    rest = (out.dream, out.targets, out.returns, world.balanced, world.history)
    return jnp.asarray(total), LossOutput(losses, metrics, world.observed, *rest)


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
    total, balanced, history = balance(losses, world.sigmas, history, config)
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

    `agent` holds the parameters to differentiate, in the compute dtype; slow critic and return
    range are read from `state`.
    """
    observed, rows = world.observed, world.rows
    slow_critic = sg(to_compute(state.slow_critic, observed.latent.deter.dtype))
    batch, time = rows.reward.shape
    count = min(config.behavior.starts or time, time)
    starts = jax.tree.map(
        lambda x: x[:, time - count :].reshape(batch * count, *x.shape[2:]), observed.latent
    )
    starts = starts if config.behavior.actor_grad_start else sg(starts)
    dream = imagine(agent.world, agent.actor, starts, noise.dream)
    reward = means_along(agent.world.reward, dream)
    cont = means_along(agent.world.cont, dream)
    slow = means_along(slow_critic, dream)
    critic = agent.critic(dream.feature)
    values = jnp.concatenate([critic.mean(), agent.critic(sg(dream.last)).mean()[None]])
    targets, returns = make_targets(reward, cont, values, slow, state.returns, config)

    policy, entropy = policy_loss(dream, targets, config)
    value = value_loss(critic, targets.returns, targets.slow[:-1], config)
    value = targets.weight[:-1] * value
    losses = {
        "policy": policy.mean(0).reshape(batch, count),
        "value": value.mean(0).reshape(batch, count),
    }
    replayed = feature(observed.latent)[:, time - count :]
    losses["repval"] = replay_value_loss(
        agent.critic,
        slow_critic,
        replayed if config.behavior.replay_grad else sg(replayed),
        jax.tree.map(lambda x: x[:, time - count :], rows),
        targets.returns[0].reshape(batch, count),
        config,
    )
    metrics = dream_metrics(targets, returns, entropy, agent, config)
    total = weighted_sum(losses, config, start)
    return total, BehaviorOutput(losses, metrics, dream, targets, returns)


def dream_metrics(
    targets: Targets, returns: ReturnRange, entropy: dict, agent: Agent, config: Config
) -> dict[str, Array]:
    """Summaries of the dreams; `ret…` are returns in units of the return range above its low."""
    scale = returns.scale(config.behavior)
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
    for key, out in agent.actor.outs.items():
        metrics[f"ent/{key}"] = entropy[key].mean()
        if not isinstance(out, ContinuousOut) and max(out.spec.classes) > 1:
            most = jnp.log(jnp.asarray(out.spec.classes, jnp.float32)).sum()
            metrics[f"rand/{key}"] = entropy[key].mean() / most
    return metrics


def train_step(
    state: TrainState, batch: Sequence, key: PRNGKeyArray, *, config: Config
) -> tuple[TrainState, dict[str, Array], dict[str, Array]]:
    """One gradient step on B stored sequences of context + T rows.

    Returns the next state, scalar metrics by their logged names, and columns that replay writes
    back to the T trained rows: the new latents (`latent/deter`, `latent/stoch`).
    """
    dtype = compute_dtype(config.device.precision)
    sequence = unpack(batch, config.rssm.classes, dtype)
    size, length = batch.reward.shape
    noise = draw_noise(state.agent, size, length - config.replay.context, config, key)
    grads, (total, out) = gradients(state, sequence, noise, config)
    state, metrics = apply_gradients(state, grads, out.returns, config)
    state = dataclasses.replace(state, history=out.history)
    metrics |= out.balanced
    metrics |= {f"train/{name}": value for name, value in out.metrics.items()}
    metrics |= {f"loss/{name}": loss.mean() for name, loss in out.losses.items()}
    metrics["loss/total"] = total
    return state, metrics, write_back(out.observed.latent)


def gradients(state: TrainState, sequence: Sequence, noise: Noise, config: Config):
    """Gradient of the total for every parameter, and (total, LossOutput)."""

    def loss(agent):
        total, out = agent_loss(agent, state, sequence, noise, config)
        return total, (total, out)

    return jax.grad(loss, has_aux=True)(state.agent)


def apply_gradients(
    state: TrainState, grads: Agent, returns: ReturnRange, config: Config
) -> tuple[TrainState, dict[str, Array]]:
    """The state after one optimiser update, and metrics of the update."""
    updates, opt_state = make_optimizer(config.optim, config.balancing.lr).update(
        grads, state.opt_state, state.agent
    )
    agent = jax.tree.map(jnp.add, state.agent, updates)
    slow = mix_slow(state.slow_critic, agent.critic, state.slow_count, config)
    count = sum(x.size for x in jax.tree.leaves(agent))
    norm = optax.tree.norm
    metrics = {
        "train/updates": state.updates + 1,
        "train/lr": learning_rate(config.optim)(state.updates),
        "train/grad_norm": norm(grads),
        "train/grad_rms": norm(grads) / count**0.5,
        "train/update_rms": norm(updates) / count**0.5,
        "train/param_rms": norm(agent) / count**0.5,
    }
    state = TrainState(agent, slow, state.slow_count + 1, returns, opt_state, state.updates + 1)
    return state, metrics


def mix_slow(slow, critic, count, config: Config):
    """The slow critic after a tick of its clock; every `slow_every`-th moves it, the first too."""
    due = count % config.behavior.slow_every == 0
    rate = jnp.where(due, config.behavior.slow_rate, 0.0)
    return jax.tree.map(lambda s, c: rate * c + (1.0 - rate) * s, slow, critic)


def write_back(latent: Latent) -> dict[str, Array]:
    """Latents in their stored form: bfloat16 and class index."""
    index = jnp.argmax(latent.stoch, -1)
    small = jnp.uint8 if latent.stoch.shape[-1] <= 256 else jnp.uint16
    return {
        "latent/deter": latent.deter.astype(jnp.bfloat16),
        "latent/stoch": index.astype(small),
    }
