"""The optimiser: adaptive gradient clipping, then LaProp.

LaProp divides by the root of the second moment first and averages the scaled gradients afterwards.
Sources: DreamerV3 (arXiv:2301.04104v2), section "Optimizer"; LaProp (arXiv:2002.04839), Alg. 1;
AGC (arXiv:2102.06171), here over whole tensors.
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from reverie.config.schema import OptimConfig
from reverie.module import name_of


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


def learning_rate(config: OptimConfig) -> optax.Schedule:
    """Rate by number of earlier updates: linear from exactly 0, then the schedule.

    The cosine ends at 0.1·lr *times* the peak, practically zero: so the official code computes it.
    """
    span = max(config.anneal - config.warmup, 1)
    if config.schedule == "linear":
        after = optax.linear_schedule(config.lr, 0.1 * config.lr, span)
    elif config.schedule == "cosine":
        after = optax.cosine_decay_schedule(config.lr, span, 0.1 * config.lr)
    else:
        after = optax.constant_schedule(config.lr)
    if not config.warmup:
        return after
    rise = optax.linear_schedule(0.0, config.lr, config.warmup)
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
