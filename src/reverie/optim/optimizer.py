"""The slot of optimisers: how gradients become changes of the parameters."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import optax

from reverie.optim.groups import groups_of, part_of
from reverie.optim.schedule import AbstractSchedule
from reverie.part.checks import Checker
from reverie.part.part import Part

WHOLE = "agent"
"""The one group of an optimiser that takes all parameters together."""


class AbstractOptimizer(Part):
    """One chain of gradient transformations a group of parameters.

    A record gives the chain and the peak rate of a group; warm-up and schedule are applied here.
    """

    SLOT = "optim"
    MEMBERS: ClassVar[Mapping[str, str]] = {
        "laprop": "reverie.optim.laprop:LaProp",
        "adam": "reverie.optim.adam:Adam",
    }

    warmup: int
    schedule: AbstractSchedule

    @property
    @abstractmethod
    def grouped(self) -> bool:
        """Whether the parts of an agent (`groups.groups_of`) have settings of their own."""

    @abstractmethod
    def peak(self, group: str) -> tuple[str, float]:
        """The option that holds the peak rate of a group, as a user writes it, and its value."""

    @abstractmethod
    def chain(self, group: str, sigma_lr: float = 0.0) -> Any:
        """The chain of a group, an optax.GradientTransformation (whose annotations know arrays and
        dicts of them, not modules; hence Any).

        `sigma_lr` is the peak rate of the sigmas of loss balancing; 0: that of their group.
        """

    def numbers(self, sigma_lr: float = 0.0) -> dict[str, float]:
        """Options by dotted path that the update's program takes as arguments: it need not be
        compiled again for others. None where `chain` computes with them before it is traced."""
        return {}

    def rate(self, group: str = WHOLE) -> optax.Schedule:
        """Learning rate of a group by number of earlier updates: linear from exactly 0 over the
        warm-up, then the schedule."""
        _, peak = self.peak(group)
        after = self.schedule.after(peak, max(self.schedule.end - self.warmup, 1))
        if not self.warmup:
            return after
        rise = optax.linear_schedule(0.0, peak, self.warmup)
        return optax.join_schedules([rise, after], [self.warmup])

    def init(self, agent: Any, sigma_lr: float = 0.0, *, ordered: bool = False) -> Any:
        """The state before the first update: of the whole agent, or a dict by group where groups
        have settings of their own or learn in order."""
        if not (self.grouped or ordered):
            return self.chain(WHOLE, sigma_lr).init(agent)
        parts = {name: part_of(agent, name) for name in groups_of(agent)}
        return {name: self.chain(name, sigma_lr).init(part) for name, part in parts.items()}


def check_warmup(check: Checker, schedule: AbstractSchedule, warmup: int) -> None:
    """Raises ConfigError where a schedule ends before the warm-up does."""
    rule = f"less than optim.schedule.until ({schedule.end})"
    check.require(not schedule.end or schedule.end > warmup, "warmup", rule)
