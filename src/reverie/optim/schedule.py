"""What a learning rate does after its warm-up."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import optax

from reverie.part.checks import Checker
from reverie.part.part import Part


class AbstractSchedule(Part):
    """The rate from the end of the warm-up on."""

    SLOT = "optim.schedule"
    MEMBERS: ClassVar[Mapping[str, str]] = {
        "const": "reverie.optim.schedule:Constant",
        "linear": "reverie.optim.schedule:Linear",
        "cosine": "reverie.optim.schedule:Cosine",
    }

    @property
    def end(self) -> int:
        """Update at which the schedule reaches its end; 0: it has none."""
        return 0

    @abstractmethod
    def after(self, peak: float, span: int) -> optax.Schedule:
        """The rate by number of updates since the warm-up, which end `span` updates later."""


@dataclass(frozen=True)
class Constant(AbstractSchedule):
    """The peak for ever."""

    def after(self, peak: float, span: int) -> optax.Schedule:
        return optax.constant_schedule(peak)


@dataclass(frozen=True)
class AbstractFall(AbstractSchedule):
    """A rate that falls until an update."""

    until: int = 1_000_000
    """Update at which the end is reached."""

    def __post_init__(self):
        Checker(self, "optim.schedule.").at_least(1, "until")

    @property
    def end(self) -> int:
        return self.until


@dataclass(frozen=True)
class Linear(AbstractFall):
    """Falls linearly to a tenth of the peak."""

    def after(self, peak: float, span: int) -> optax.Schedule:
        return optax.linear_schedule(peak, 0.1 * peak, span)


@dataclass(frozen=True)
class Cosine(AbstractFall):
    """Falls along a cosine to 0.1 lr *times* the peak, practically zero: so the official code
    computes it."""

    def after(self, peak: float, span: int) -> optax.Schedule:
        return optax.cosine_decay_schedule(peak, span, 0.1 * peak)
