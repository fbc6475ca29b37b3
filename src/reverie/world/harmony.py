"""HarmonyDream: tasks share the gradient by learned scalars.

Source: HarmonyDream (arXiv:2310.00344) and its two code bases.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from reverie.nn.loss import Loss
from reverie.part.errors import ConfigError
from reverie.world.balance import AbstractTaskBalance, Rule, Sigmas, Tasks
from reverie.world.fixed import shares


@dataclass(frozen=True)
class AbstractSigmaBalance(AbstractTaskBalance):
    """A rule that learns one sigma a task."""

    lr: float = 0.0
    """Learning rate of log sigma, with the same schedule as the world model's. 0: the world
    model's own."""

    def __post_init__(self):
        self.checked().at_least(0, "lr")

    @property
    def sigma_lr(self) -> float:
        return self.lr

    def sigmas(self, losses: Iterable[Loss]) -> Sigmas:
        return Sigmas(tuple(self.tasks(losses)))


@dataclass(frozen=True)
class Harmony(AbstractSigmaBalance):
    """Each task's loss L becomes L/sigma + c log(1 + sigma) with sigma learned."""

    form: Literal["paper", "torch", "jax"] = "paper"
    """What enters. paper: the losses with their own weights. torch, jax: as the two published code
    bases compute it: the KL pair scaled to weights that sum to 1, no other weights; jax also scales
    the penalty of the dynamics by the share of the KL that trains the prior."""

    def check(self, weights: Mapping[str, float]) -> None:
        """The published codes have no weight of reward and observation; jax, none of continue."""
        if self.form == "paper":
            return
        ignored = ["world.objective.weight", "world.reward.weight"]
        for name in [*ignored, *(["world.cont.weight"] if self.form == "jax" else [])]:
            if weights[name] != 1:
                raise ConfigError(
                    f"{name} ({weights[name]:g}) must be 1 with world.balance.form {self.form!r}, "
                    "whose code has no such weight; world.balance.form 'paper' takes any."
                )
        dynamics = [v for name, v in weights.items() if name.startswith("world.dynamics.")]
        if sum(dynamics) == 0:
            raise ConfigError(
                "world.dynamics.dyn and world.dynamics.rep are both 0: world.balance.form "
                f"{self.form!r} needs their ratio; world.balance.form 'paper' takes any weights."
            )

    def inner(self, tasks: Tasks) -> dict[str, float]:
        if self.form == "paper":
            return {loss.name: loss.weight for group in tasks.values() for loss in group}
        return shares(tasks)

    def rule(
        self, tasks: Tasks, means: Float[Array, " K"], sigmas: Sigmas | None, history: Any
    ) -> Rule:
        """The penalty is Σ c_k log(1 + σ_k)."""
        s = matched(sigmas, tasks, "harmony").s
        weights = [self.penalty_weight(task, group) for task, group in tasks.items()]
        return Rule(jnp.exp(-s), (jnp.asarray(weights) * jax.nn.softplus(s)).sum())

    def penalty_weight(self, task: str, group: tuple[Loss, ...]) -> float:
        """Weight c of the logarithm: 1.

        Form "jax": its code weighs the whole dynamics term, logarithm included, by the share of
        the KL that trains the prior (5/6 there), which shifts the optimum of that σ.
        """
        if self.form == "jax" and task == "dyn":
            return group[0].weight / sum(loss.weight for loss in group)
        return 1.0


@dataclass(frozen=True)
class Unrectified(AbstractSigmaBalance):
    """Ablation: L/sigma + log sigma, whose coefficient 1/L has no bound."""

    def rule(
        self, tasks: Tasks, means: Float[Array, " K"], sigmas: Sigmas | None, history: Any
    ) -> Rule:
        s = matched(sigmas, tasks, "unrectified").s
        return Rule(jnp.exp(-s), s.sum())


def matched(sigmas: Sigmas | None, tasks: Tasks, name: str) -> Sigmas:
    """The sigmas, if they are those of these tasks; else ValueError."""
    if sigmas is None or sigmas.tasks != (*tasks,):
        found = "no sigmas" if sigmas is None else f"sigmas of {sigmas.tasks}"
        raise ValueError(f"{name} balances {(*tasks,)}, found {found}.")
    return sigmas
