"""The slot of bonuses: what is added to training rewards, computed when a row arrives."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from reverie.part.checks import Checker
from reverie.part.errors import ConfigError
from reverie.part.part import Part
from reverie.records import Specs, Step

POSITION = "position"
"""Name of the logged numbers that say where an environment's agent is (`Step.log`)."""


class AbstractBonus(Part):
    """A bonus for visits, counted over the whole run; reported returns stay without it."""

    SLOT = "bonus"
    MEMBERS: ClassVar[Mapping[str, str]] = {
        "none": "reverie.behavior.bonus:NoBonus",
        "position": "reverie.behavior.bonus:PositionBonus",
        "observation": "reverie.behavior.bonus:ObservationBonus",
    }

    @property
    def active(self) -> bool:
        """Whether visits are counted."""
        return True

    def check(self, log_specs: Specs) -> None:
        """Raises ConfigError where environments with these logged numbers do not show enough."""

    def counted(self, step: Step) -> Mapping[str, Any]:
        """The arrays (E, …) that tell two visited things apart."""
        return step.obs

    def worth(self, count: int) -> float:
        """The bonus of visit number `count` ≥ 1, reward units."""
        return 0.0


@dataclass(frozen=True)
class NoBonus(AbstractBonus):
    """Rewards as they are; nothing is counted."""

    @property
    def active(self) -> bool:
        return False


@dataclass(frozen=True)
class AbstractVisitBonus(AbstractBonus):
    """scale/√n for the n-th visit."""

    scale: float = 1.0
    """Bonus of a first visit, reward units. 0: visits are counted only (explore/places)."""

    def __post_init__(self):
        check = Checker(self, "bonus.")
        check.at_least(0, "scale")
        check.require(self.scale <= 3.4e38, "scale", "at most 3.4e38 (float32)")

    def worth(self, count: int) -> float:
        return self.scale / count**0.5


@dataclass(frozen=True)
class PositionBonus(AbstractVisitBonus):
    """scale/√n for the n-th visit to a position (MiniGrid)."""

    def check(self, log_specs: Specs) -> None:
        if POSITION not in log_specs:
            raise ConfigError(
                "bonus is 'position', but the environments do not say where their agent is (an "
                f"observation key 'log/{POSITION}', as MiniGrid's have it); --bonus observation "
                "counts what is seen."
            )

    def counted(self, step: Step) -> Mapping[str, Any]:
        return {POSITION: step.log[POSITION]}


@dataclass(frozen=True)
class ObservationBonus(AbstractVisitBonus):
    """scale/√n for the n-th visit to an observation."""
