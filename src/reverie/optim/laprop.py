"""LaProp after adaptive gradient clipping: one optimiser for everything (V3).

LaProp divides by the root of the second moment first and averages the scaled gradients afterwards.
Sources: DreamerV3 (arXiv:2301.04104v2), section "Optimizer"; LaProp (arXiv:2002.04839), Alg. 1;
AGC (arXiv:2102.06171), here over whole tensors.
"""

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import optax

from reverie.module import name_of
from reverie.optim.norms import tensor_squares
from reverie.optim.optimizer import AbstractOptimizer, check_warmup
from reverie.optim.schedule import AbstractSchedule, Constant
from reverie.optim.sigmas import is_sigma, scale_sigmas
from reverie.part.checks import Checker


@dataclass(frozen=True)
class LaProp(AbstractOptimizer):
    """Adaptive gradient clipping, then LaProp, for all parameters together (V3)."""

    lr: float = 4e-5
    """Peak learning rate."""
    agc: float = 0.3
    """Largest gradient norm, as a share of the tensor's own norm. 0: no clipping."""
    eps: float = 1e-20
    """Added to the root of the second moment."""
    beta1: float = 0.9
    """Decay of the momentum."""
    beta2: float = 0.999
    """Decay of the second moment."""
    nesterov: bool = False
    """Nesterov form of the momentum."""
    decay: float = 0.0
    """Weight decay on kernels."""
    warmup: int = 1000
    """Updates over which the rate rises linearly from 0."""
    schedule: AbstractSchedule = field(default_factory=Constant)
    """Rate after the warm-up."""

    def __post_init__(self):
        check = Checker(self, "optim.")
        check.above(0, "lr", "eps")
        check.at_least(0, "agc", "decay", "warmup")
        check.share("beta1", "beta2", one=False)
        check_warmup(check, self.schedule, self.warmup)

    @property
    def grouped(self) -> bool:
        return False

    def peak(self, group: str) -> tuple[str, float]:
        return "optim.lr", self.lr

    def numbers(self, sigma_lr: float = 0.0) -> dict[str, float]:
        """The rate, where it is all that its schedule and the sigmas know."""
        plain = isinstance(self.schedule, Constant) and sigma_lr in (0.0, self.lr)
        return {"lr": self.lr} if plain else {}

    def chain(self, group: str, sigma_lr: float = 0.0) -> Any:
        """The sigmas share LaProp, warm-up and schedule, and escape clipping and decay."""

        def kernels(params):
            return jax.tree_util.tree_map_with_path(
                lambda path, _: name_of(path).endswith("kernel"), params
            )

        chain = [clip_by_tensor_norm(self.agc)] if self.agc else []
        chain += [
            optax.scale_by_rms(self.beta2, self.eps, eps_in_sqrt=False, bias_correction=True),
            scale_by_momentum(self.beta1, self.nesterov),
        ]
        if self.decay:
            chain.append(optax.add_decayed_weights(self.decay, kernels))
        chain.append(optax.scale_by_learning_rate(self.rate(group)))
        if sigma_lr:
            chain.append(scale_sigmas(sigma_lr / self.lr))
        return optax.chain(*chain)


def clip_by_tensor_norm(limit: float, floor: float = 1e-3) -> optax.GradientTransformation:
    """Shrink each gradient to at most `limit` times the norm of its own tensor.

    The tensor's norm counts as at least `floor`, so that zero-initialised kernels can leave zero.
    The sigmas of loss balancing pass as they are: a log σ near 0 would be allowed next to nothing,
    only the signs of its gradients would count, and it would settle where half of the losses lie
    above it instead of at their mean.
    """

    def divisor(square, own):
        allowed = limit * jnp.maximum(floor, jnp.sqrt(own))
        return jnp.maximum(1.0, jnp.sqrt(square) / allowed)

    def clip(grads, params):
        tensors, treedef = jax.tree_util.tree_flatten_with_path(grads)
        squares = zip(tensors, tensor_squares(grads), tensor_squares(params), strict=True)
        clipped = [
            gradient if is_sigma(path) else gradient / divisor(square, own)
            for (path, gradient), square, own in squares
        ]
        return jax.tree.unflatten(treedef, clipped)

    return optax.stateless(clip)


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
