"""Loss balancing: how much each task of the world model counts in the total.

A *task* is what balancing gives one coefficient: the reward (`rew`), the observation (`obs`, or one
task a key) and the dynamics (`dyn`: both halves of the KL), told apart by the group of a loss.
Every other loss keeps its own weight. Only the mean losses enter: a coefficient is the same for all
steps of a batch. One record a rule: `fixed.py`, `harmony.py`, `weight_averaging.py`.
"""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from reverie.module import Module, static
from reverie.nn.layers import AbstractExact
from reverie.nn.loss import Loss
from reverie.part.checks import Checker
from reverie.part.errors import ConfigError, suggest
from reverie.part.part import Part

sg = jax.lax.stop_gradient

TASKS = {"reward": "rew", "observation": "obs", "dynamics": "dyn"}
"""Group of a loss -> the task that balancing counts it to, in the order of the coefficients."""

Tasks = dict[str, tuple[Loss, ...]]
"""The losses of each task."""


class Sigmas(AbstractExact):
    """What balancing learns: s = log σ of every task, 0 at first, float32 in every precision."""

    s: Float[Array, " K"]
    tasks: tuple[str, ...] = static()

    def __init__(self, tasks: tuple[str, ...]):
        self.s = jnp.zeros(len(tasks))
        self.tasks = tasks


class Rule(NamedTuple):
    """How K task losses are weighted at this update."""

    coef: Float[Array, " K"]
    penalty: Array | float = 0.0  # added to the total
    history: Module | None = None


class Balanced(NamedTuple):
    """The world model's total loss and what came with it."""

    total: Float[Array, ""]
    metrics: dict[str, Array]  # `balance/…`
    history: Module | None  # after this update


class AbstractBalance(Part):
    """A rule by which tasks share the gradient.

    `sigmas` are parameters that it learns, `history` what it remembers of earlier updates; both are
    None where it has none.
    """

    SLOT = "world.balance"
    MEMBERS: ClassVar[Mapping[str, str]] = {
        "fixed": "reverie.world.fixed:Fixed",
        "harmony": "reverie.world.harmony:Harmony",
        "unrectified": "reverie.world.harmony:Unrectified",
        "reciprocal": "reverie.world.fixed:Reciprocal",
        "dwa": "reverie.world.weight_averaging:WeightAveraging",
    }

    @property
    def sigma_lr(self) -> float:
        """Peak learning rate of the sigmas; 0: that of the world model."""
        return 0.0

    def check(self, weights: Mapping[str, float]) -> None:
        """Raises ConfigError where a weight (by dotted path) would be passed over in silence."""

    def tasks(self, losses: Iterable[Loss]) -> Tasks:
        """The losses of each task, in the order of the coefficients."""
        return tasks_of(losses)

    def sigmas(self, losses: Iterable[Loss]) -> Sigmas | None:
        """The parameters for losses with these names and groups (their values may be missing)."""
        return None

    def history(self, losses: Iterable[Loss]) -> Module | None:
        """The memory before the first update."""
        return None

    def inner(self, tasks: Tasks) -> dict[str, float]:
        """Weight of each loss within its task, by name: its own."""
        return {loss.name: loss.weight for group in tasks.values() for loss in group}

    @abstractmethod
    def rule(
        self, tasks: Tasks, means: Float[Array, " K"], sigmas: Sigmas | None, history: Any
    ) -> Rule:
        """The coefficients for task losses with these means."""

    def total(
        self, losses: Sequence[Loss], rule: Rule, after: Float[Array, " K"], balanced: set[str]
    ) -> Float[Array, ""]:
        """The total from the tasks' losses times their coefficients and all other losses."""
        rest = [loss for loss in losses if loss.name not in balanced]
        return after.sum() + rule.penalty + weighted_sum(rest)


@dataclass(frozen=True)
class AbstractTaskBalance(AbstractBalance):
    """A rule whose tasks the user may choose."""

    per_key: bool = False
    """One coefficient an observation key instead of one for all of them together."""
    outside: tuple[str, ...] = ()
    """Losses that are not balanced but keep their weight: rew, dyn, or observation keys."""

    def __post_init__(self):
        self.checked()

    def checked(self) -> Checker:
        """The checks that every such rule makes of itself; what makes further ones."""
        return Checker(self, "world.balance.")

    def tasks(self, losses: Iterable[Loss]) -> Tasks:
        return tasks_of(losses, per_key=self.per_key, outside=self.outside)


def balance(
    losses: Sequence[Loss], rules: AbstractBalance, sigmas: Sigmas | None, history: Any
) -> Balanced:
    """The balanced total of the world model's losses, their values (B, T) or scalars.

    With task losses L_k ≥ 0 and all other losses at their own weight:

        fixed        Σ w_k L_k                      unrectified  Σ L_k/σ_k + log σ_k
        harmony      Σ L_k/σ_k + c_k log(1 + σ_k)   reciprocal   Σ L_k / sg(L_k)
        dwa          Σ λ_k L_k,  λ = K softmax(r/T),  r_k: this loss by the one a period before

    Gradients flow into the losses and into s = log σ, never into coefficients that are computed
    from losses.
    """
    means = [loss.valued(loss.value.mean()) for loss in losses]
    tasks = rules.tasks(means)
    inner = rules.inner(tasks)
    before = jnp.stack(
        [
            jnp.asarray(sum(inner[loss.name] * loss.value for loss in group))
            for group in tasks.values()
        ]
    )
    rule = rules.rule(tasks, before, sigmas, history)
    after = rule.coef * before
    total = rules.total(means, rule, after, set(inner))
    values = {"before": before, "coef": rule.coef, "after": after}
    metrics = {
        f"balance/{n}/{task}": v[k] for n, v in values.items() for k, task in enumerate(tasks)
    }
    if sigmas is not None:
        metrics |= {f"balance/s/{task}": sigmas.s[k] for k, task in enumerate(tasks)}
        metrics |= {f"balance/sigma/{task}": jnp.exp(sigmas.s[k]) for k, task in enumerate(tasks)}
        metrics["balance/penalty"] = jnp.asarray(rule.penalty)
    return Balanced(total, jax.tree.map(sg, metrics), rule.history)


def tasks_of(
    losses: Iterable[Loss], *, per_key: bool = False, outside: tuple[str, ...] = ()
) -> Tasks:
    """The losses of each task, tasks in the order of `TASKS`, keys sorted.

    Args:
        losses: all losses of the world model.
        per_key: one task an observation key instead of one for all of them.
        outside: tasks, or observation keys, that keep their own weight instead.

    Raises ConfigError where `outside` names none.
    """
    losses = [loss for loss in losses if loss.group in TASKS]
    keys = sorted(x.name for x in losses if x.group == "observation")
    for name in outside:
        if name not in ("rew", "dyn", *keys):
            hint = suggest(name, ("rew", "dyn", *keys))
            raise ConfigError(f"world.balance.outside names no loss {name!r}; {hint}")
    by_name = {loss.name: loss for loss in losses if loss.group == "observation"}
    inside = [by_name[key] for key in keys if key not in outside]
    found: Tasks = {}
    for group, task in TASKS.items():
        if group == "observation" and per_key:
            found |= {loss.name: (loss,) for loss in inside}
        elif group == "observation":
            found[task] = tuple(inside)
        elif task not in outside:
            found[task] = tuple(loss for loss in losses if loss.group == group)
    return {task: group for task, group in found.items() if group}


def weighted_sum(losses: Iterable[Loss], start: Array | float = 0.0) -> Float[Array, ""]:
    """Mean losses times their weights, added to `start` one after the other."""
    return jnp.asarray(sum((loss.weight * loss.value.mean() for loss in losses), start))
