"""Adams: settings of their own for world model, actor, critic and ensemble (V2, V3 of 2023).

Source: Adam (arXiv:1412.6980), in the two forms of the official DreamerV2 and of HarmonyDream's
PyTorch code.
"""

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import optax

from reverie.optim.norms import tree_norm
from reverie.optim.optimizer import WHOLE, AbstractOptimizer, check_warmup
from reverie.optim.schedule import AbstractSchedule, Constant
from reverie.optim.sigmas import scale_sigmas
from reverie.part.checks import Checker

SETTINGS = {"explorer_actor": "actor", "explorer_critic": "critic", WHOLE: "world"}
"""Groups that take their settings from another one."""


@dataclass(frozen=True)
class GroupConfig:
    """One of the Adams."""

    lr: float = 1e-4
    """Peak learning rate."""
    eps: float = 1e-8
    """Added to the root of the second moment."""
    clip: float = 1000.0
    """Largest norm of the whole group's gradient. 0: no clipping."""
    decay: float = 0.0
    """Weight decay on every parameter of the group, biases and scales included."""

    def __post_init__(self):
        check = Checker(self, "optim.GROUP.")
        check.above(0, "lr", "eps")
        check.at_least(0, "clip")
        check.share("decay", one=False)


@dataclass(frozen=True)
class Adam(AbstractOptimizer):
    """An Adam for each part of the agent, its gradient clipped by its own norm (V2, 2023)."""

    form: Literal["torch", "tensorflow"] = "torch"
    """How it counts: `torch` adds decay times parameter to the clipped gradient and eps to the
    corrected root of the second moment; `tensorflow` (official DreamerV2) shrinks the parameter by
    the share `decay` before its step and adds eps to the uncorrected root."""
    beta1: float = 0.9
    """Decay of the first moment."""
    beta2: float = 0.999
    """Decay of the second moment."""
    warmup: int = 0
    """Updates over which the rates rise linearly from 0."""
    schedule: AbstractSchedule = field(default_factory=Constant)
    """Rates after the warm-up."""
    world: GroupConfig = field(default_factory=GroupConfig)
    """The world model."""
    actor: GroupConfig = field(default_factory=lambda: GroupConfig(3e-5, 1e-5, 100.0))
    """The actor."""
    critic: GroupConfig = field(default_factory=lambda: GroupConfig(3e-5, 1e-5, 100.0))
    """The critic."""
    ensemble: GroupConfig = field(default_factory=lambda: GroupConfig(3e-4, 1e-5, 100.0, 1e-6))
    """The explorer's ensemble; the explorer's actor and critic learn like the task's."""

    def __post_init__(self):
        check = Checker(self, "optim.")
        check.at_least(0, "warmup")
        check.share("beta1", "beta2", one=False)
        check_warmup(check, self.schedule, self.warmup)

    @property
    def grouped(self) -> bool:
        return True

    def settings(self, group: str) -> GroupConfig:
        """The settings of a group."""
        named = {"world": self.world, "actor": self.actor, "critic": self.critic}
        return {**named, "ensemble": self.ensemble}[SETTINGS.get(group, group)]

    def peak(self, group: str) -> tuple[str, float]:
        return f"optim.{SETTINGS.get(group, group)}.lr", self.settings(group).lr

    def numbers(self, sigma_lr: float = 0.0) -> dict[str, float]:
        """The rates, where they are all that schedule and sigmas know."""
        plain = isinstance(self.schedule, Constant) and sigma_lr in (0.0, self.world.lr)
        groups = ("world", "actor", "critic", "ensemble") if plain else ()
        return {f"{group}.lr": self.settings(group).lr for group in groups}

    def chain(self, group: str, sigma_lr: float = 0.0) -> Any:
        """Clip the group's norm, decay, step. The sigmas are clipped and decay with the world
        model, as their authors have it."""
        options = self.settings(group)
        clip = [clip_by_norm(options.clip)] if options.clip else []
        rate = [optax.scale_by_learning_rate(self.rate(group))]
        rate += [scale_sigmas(sigma_lr / options.lr)] if sigma_lr else []
        if self.form == "torch":
            decay = [optax.add_decayed_weights(options.decay)] if options.decay else []
            adam = optax.scale_by_adam(self.beta1, self.beta2, options.eps)
            return optax.chain(*clip, *decay, adam, *rate)
        decay = [optax.add_decayed_weights(-options.decay)] if options.decay else []
        adam = scale_by_plain_adam(self.beta1, self.beta2, options.eps)
        return optax.chain(*clip, adam, *rate, *decay)


def clip_by_norm(limit: float) -> optax.GradientTransformation:
    """Shrink a gradient whose norm over all tensors exceeds `limit` to that norm.

    PyTorch's form adds 1e-6 to the norm, a relative 1e-8 at the published limits: left out.
    """

    def clip(grads, params):
        factor = limit / jnp.maximum(tree_norm(grads), limit)
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
