"""The optimisers: adaptive clipping and LaProp for everything, or an Adam for each of three groups.

LaProp divides by the root of the second moment first and averages the scaled gradients afterwards.
Sources: DreamerV3 (arXiv:2301.04104v2), section "Optimizer"; LaProp (arXiv:2002.04839), Alg. 1;
AGC (arXiv:2102.06171), here over whole tensors. Adam: arXiv:1412.6980, in the two forms of the
official DreamerV2 and of HarmonyDream's PyTorch code.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from reverie.module import name_of, tree_at
from reverie.optim.options import OptimConfig


def clip_by_tensor_norm(limit: float, floor: float = 1e-3) -> optax.GradientTransformation:
    """Shrink each gradient to at most `limit` times the norm of its own tensor.

    The tensor's norm counts as at least `floor`, so that zero-initialised kernels can leave zero.
    The sigmas of loss balancing pass as they are: a log σ near 0 would be allowed next to nothing,
    only the signs of its gradients would count, and it would settle where half of the losses lie
    above it instead of at their mean.
    """

    def clip(path, gradient, param):
        if is_sigma(path):
            return gradient
        allowed = limit * jnp.maximum(floor, jnp.linalg.norm(param.ravel()))
        return gradient / jnp.maximum(1.0, jnp.linalg.norm(gradient.ravel()) / allowed)

    return optax.stateless(
        lambda grads, params: jax.tree_util.tree_map_with_path(clip, grads, params)
    )


def is_sigma(path: tuple) -> bool:
    """Whether the leaf at this key path belongs to the sigmas of loss balancing."""
    return "sigmas" in name_of(path).split(".")


def scale_sigmas(factor: float) -> optax.GradientTransformation:
    """Steps of the sigmas times `factor`: their own learning rate by the one of the rest."""

    def scale(path, update):
        return factor * update if is_sigma(path) else update

    return optax.stateless(lambda steps, _: jax.tree_util.tree_map_with_path(scale, steps))


def scale_by_momentum(decay: float, nesterov: bool) -> optax.GradientTransformation:
    """Debiased running mean of the (already scaled) gradients; the M of LaProp."""
    return optax.ema(decay, debias=True) if not nesterov else nesterov_momentum(decay)


def nesterov_momentum(decay: float) -> optax.GradientTransformation:
    """The mean, averaged once more with the newest gradient, and debiased as a plain mean is."""
    plain = optax.ema(decay, debias=False)

    def update(updates: Any, state: Any, params: Any = None):
        mean, state = plain.update(updates, state, params)
        bias = 1.0 - decay ** state.count.astype(jnp.float32)
        ahead = jax.tree.map(lambda m, g: (decay * m + (1 - decay) * g) / bias, mean, updates)
        return ahead, state

    return optax.GradientTransformation(plain.init, update)


def learning_rate(config: OptimConfig, peak: float | None = None) -> optax.Schedule:
    """Rate by number of earlier updates: linear from exactly 0, then the schedule.

    `peak` is `config.lr` unless given. The cosine ends at 0.1·lr *times* the peak, practically
    zero: so the official code computes it.
    """
    peak = config.lr if peak is None else peak
    span = max(config.anneal - config.warmup, 1)
    if config.schedule == "linear":
        after = optax.linear_schedule(peak, 0.1 * peak, span)
    elif config.schedule == "cosine":
        after = optax.cosine_decay_schedule(peak, span, 0.1 * peak)
    else:
        after = optax.constant_schedule(peak)
    if not config.warmup:
        return after
    rise = optax.linear_schedule(0.0, peak, config.warmup)
    return optax.join_schedules([rise, after], [config.warmup])


def make_optimizer(config: OptimConfig, sigma_lr: float = 0.0) -> Any:
    """The chain for all parameters of the agent together, an optax.GradientTransformation.

    `sigma_lr` is the peak rate of the sigmas of loss balancing; 0: that of the rest. They share
    its LaProp, warm-up and schedule, and escape clipping and decay.

    Optax's own annotations know arrays and dicts of them, not modules; hence `Any`.
    """

    def kernels(params):
        return jax.tree_util.tree_map_with_path(
            lambda path, _: name_of(path).endswith("kernel"), params
        )

    chain = [clip_by_tensor_norm(config.agc)] if config.agc else []
    chain += [
        optax.scale_by_rms(config.beta2, config.eps, eps_in_sqrt=False, bias_correction=True),
        scale_by_momentum(config.beta1, config.nesterov),
    ]
    if config.decay:
        chain.append(optax.add_decayed_weights(config.decay, kernels))
    chain.append(optax.scale_by_learning_rate(learning_rate(config)))
    if sigma_lr:
        chain.append(scale_sigmas(sigma_lr / config.lr))
    return optax.chain(*chain)


_PLACES = {
    "actor": lambda agent: agent.actor,
    "critic": lambda agent: agent.critic,
    "ensemble": lambda agent: agent.explorer.ensemble,
    "explorer_actor": lambda agent: agent.explorer.actor,
    "explorer_critic": lambda agent: agent.explorer.critic,
}
SETTINGS = {"explorer_actor": "actor", "explorer_critic": "critic"}
"""Groups that take their settings (`optim.GROUP`) from another one."""


def groups_of(agent: Any) -> tuple[str, ...]:
    """The parts of an agent that have an Adam of their own; `world` is all the others leave."""
    explorer = ("ensemble", "explorer_actor", "explorer_critic")
    return ("world", "actor", "critic", *(() if agent.explorer is None else explorer))


def part_of(agent: Any, group: str) -> Any:
    """The parameters of one of `groups_of(agent)`, from an agent or from its gradient."""
    if group != "world":
        return _PLACES[group](agent)
    places = [_PLACES[name] for name in groups_of(agent)[1:]]
    return tree_at(lambda a: [place(a) for place in places], agent, [None] * len(places))


def joined(parts: dict[str, Any]) -> Any:
    """The agent whose parts by group these are (see `part_of`)."""
    names = [name for name in parts if name != "world"]
    return tree_at(
        lambda a: [_PLACES[name](a) for name in names],
        parts["world"],
        [parts[name] for name in names],
        is_leaf=lambda x: x is None,
    )


def init_optimizer(agent: Any, config: OptimConfig, sigma_lr: float = 0.0) -> Any:
    """The state of the optimisers before the first update."""
    if config.kind == "laprop":
        return make_optimizer(config, sigma_lr).init(agent)
    groups = {name: make_group(config, name, sigma_lr) for name in groups_of(agent)}
    return {name: group.init(part_of(agent, name)) for name, group in groups.items()}


def make_group(config: OptimConfig, name: str, sigma_lr: float = 0.0) -> Any:
    """The Adam of the group `name`: clip the group's norm, decay, step (see `optim.adam`).

    The sigmas of loss balancing are clipped and decay with the world model, as their authors have
    it; `sigma_lr` is their peak rate, 0: that of the group.
    """
    group = getattr(config, SETTINGS.get(name, name))
    clip = [clip_by_norm(group.clip)] if group.clip else []
    rate = [optax.scale_by_learning_rate(learning_rate(config, group.lr))]
    rate += [scale_sigmas(sigma_lr / group.lr)] if sigma_lr else []
    if config.adam == "torch":
        decay = [optax.add_decayed_weights(group.decay)] if group.decay else []
        adam = optax.scale_by_adam(config.beta1, config.beta2, group.eps)
        return optax.chain(*clip, *decay, adam, *rate)
    decay = [optax.add_decayed_weights(-group.decay)] if group.decay else []
    adam = scale_by_plain_adam(config.beta1, config.beta2, group.eps)
    return optax.chain(*clip, adam, *rate, *decay)


def clip_by_norm(limit: float) -> optax.GradientTransformation:
    """Shrink a gradient whose norm over all tensors exceeds `limit` to that norm.

    PyTorch's form adds 1e-6 to the norm, a relative 1e-8 at the published limits: left out.
    """

    def clip(grads, params):
        factor = limit / jnp.maximum(optax.tree.norm(grads), limit)
        return jax.tree.map(lambda g: g * factor, grads)

    return optax.stateless(clip)


class PlainAdamState(NamedTuple):
    """Moments of `scale_by_plain_adam`."""

    count: Any
    mu: Any
    nu: Any


def scale_by_plain_adam(beta1: float, beta2: float, eps: float) -> optax.GradientTransformation:
    """Adam as TensorFlow counts: √(1 − β₂ᵗ)/(1 − β₁ᵗ) · m / (√v + eps), so that early in a run eps
    weighs more than it does beside the corrected root."""

    def init(params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        return PlainAdamState(jnp.zeros((), jnp.int32), zeros, zeros)

    def update(updates: Any, state: Any, params: Any = None):
        count = state.count + 1
        mu = jax.tree.map(lambda m, g: beta1 * m + (1.0 - beta1) * g, state.mu, updates)
        nu = jax.tree.map(lambda v, g: beta2 * v + (1.0 - beta2) * g * g, state.nu, updates)
        t = count.astype(jnp.float32)
        correct = jnp.sqrt(1.0 - beta2**t) / (1.0 - beta1**t)
        scaled = jax.tree.map(lambda m, v: correct * m / (jnp.sqrt(v) + eps), mu, nu)
        return scaled, PlainAdamState(count, mu, nu)

    return optax.GradientTransformation(init, update)
