"""Dynamic weight averaging: a loss counts the more, the more slowly it falls.

Source: arXiv:1803.10704, Eq. 7.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from reverie.module import Module, tree_at
from reverie.nn.loss import Loss
from reverie.world.balance import AbstractTaskBalance, Rule, Sigmas, Tasks


class LossHistory(Module):
    """What dynamic weight averaging remembers of the K task losses; no gradient reaches it."""

    total: Float[Array, " K"]  # of the present period
    last: Float[Array, " K"]  # mean of the period before it
    before: Float[Array, " K"]  # and of the one before that
    updates: Int[Array, ""]  # of the present period

    def __init__(self, count: int):
        self.total, self.last, self.before = (jnp.zeros(count) for _ in range(3))
        self.updates = jnp.zeros((), jnp.int32)


@dataclass(frozen=True)
class WeightAveraging(AbstractTaskBalance):
    """Dynamic weight averaging: weights by how fast each task's loss falls."""

    period: int = 100
    """Updates over which a loss is averaged before it is compared with the average before."""
    temperature: float = 2.0
    """Softness of the weights; large: all alike."""

    def __post_init__(self):
        check = self.checked()
        check.at_least(1, "period")
        check.above(0, "temperature")

    def history(self, losses: Iterable[Loss]) -> LossHistory:
        return LossHistory(len(self.tasks(losses)))

    def rule(
        self, tasks: Tasks, means: Float[Array, " K"], sigmas: Sigmas | None, history: Any
    ) -> Rule:
        if history is None:
            raise ValueError("dwa needs the history of the losses, found None.")
        coef = averaged_weights(history, self.temperature)
        return Rule(coef, history=remember(history, jax.lax.stop_gradient(means), self.period))


def averaged_weights(history: LossHistory, temperature: float) -> Float[Array, " K"]:
    """Weights λ (K in sum) of dynamic weight averaging; all 1 until two periods are complete.

    A loss whose older mean is 0 counts as one that does not change.
    """
    known = history.before > 0
    ratio = jnp.where(known, history.last / jnp.where(known, history.before, 1.0), 1.0)
    return ratio.size * jax.nn.softmax(ratio / temperature)


def remember(history: LossHistory, losses: Float[Array, " K"], period: int) -> LossHistory:
    """The memory after one more update; at the end of a period the means move on."""
    total, updates = history.total + losses, history.updates + 1
    due = updates == period
    return tree_at(
        lambda h: (h.total, h.last, h.before, h.updates),
        history,
        (
            jnp.where(due, 0.0, total),
            jnp.where(due, total / period, history.last),
            jnp.where(due, history.last, history.before),
            jnp.where(due, 0, updates),
        ),
    )
