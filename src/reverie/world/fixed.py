"""Balancing without parameters: the weights as they are, and each loss divided by its own value."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from reverie.nn.loss import Loss
from reverie.world.balance import (
    AbstractBalance,
    AbstractTaskBalance,
    Rule,
    Sigmas,
    Tasks,
    weighted_sum,
)

SMALLEST = 1e-8
"""Loss below which `reciprocal` divides by this instead."""


@dataclass(frozen=True)
class Fixed(AbstractBalance):
    """Every loss at its own weight."""

    def inner(self, tasks: Tasks) -> dict[str, float]:
        """The KL halves by their share of the KL's weight, every other loss by 1, so that the
        coefficient of a task is its weight."""
        return shares(tasks)

    def rule(
        self, tasks: Tasks, means: Float[Array, " K"], sigmas: Sigmas | None, history: Any
    ) -> Rule:
        return Rule(jnp.asarray([weight_of(group) for group in tasks.values()]))

    def total(
        self, losses: Sequence[Loss], rule: Rule, after: Float[Array, " K"], balanced: set[str]
    ) -> Float[Array, ""]:
        return weighted_sum(losses)


@dataclass(frozen=True)
class Reciprocal(AbstractTaskBalance):
    """Ablation: every task's loss divided by its current value."""

    def rule(
        self, tasks: Tasks, means: Float[Array, " K"], sigmas: Sigmas | None, history: Any
    ) -> Rule:
        return Rule(1.0 / jnp.maximum(jax.lax.stop_gradient(means), SMALLEST))


def shares(tasks: Tasks) -> dict[str, float]:
    """Weight of each loss within its task: 1, and of the KL's halves a share that sums to 1."""
    found = {loss.name: 1.0 for group in tasks.values() for loss in group}
    kl = [loss for group in tasks.values() for loss in group if loss.group == "dynamics"]
    whole = sum(loss.weight for loss in kl)
    return found | {loss.name: loss.weight / whole if whole else 1.0 / len(kl) for loss in kl}


def weight_of(group: tuple[Loss, ...]) -> float:
    """The fixed weight of a task whose losses are weighted by `shares`."""
    if group[0].group == "dynamics":
        return sum(loss.weight for loss in group)
    return group[0].weight
