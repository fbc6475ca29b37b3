"""What a step is worth: from what an update found out about it to the score of its windows.

Another signal is a frozen record below `AbstractStepSignal`: `score` reads off the update what it
says about every row (the records that do stand in `reverie/signals`), `combine` puts that together
with what replay knows besides. Replay itself knows neither JAX nor networks.

Windows overlap, so sums and maxima slide: those of L steps are put together from those of 1, 2, 4,
… steps. Every window is combined in the same order wherever it lies in the array, so the same steps
give the same bits, whether one window is computed or a thousand.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from jaxtyping import Float, Shaped, UInt

from reverie.part.checks import Checker
from reverie.part.needs import RETURNS, SCORES, Need
from reverie.part.part import Part


class AbstractSignal(Part, ABC):
    """What windows and units are judged by, where a draw or retention prefers some to others."""

    SLOT = "replay.signal"
    MEMBERS: ClassVar[Mapping[str, str]] = {
        "none": "reverie.replay.signal:NoSignal",
        "kl": "reverie.signals.kl:Kl",
        "kl_clipped": "reverie.signals.kl:KlClipped",
        "model_loss": "reverie.signals.model_loss:ModelLoss",
        "td": "reverie.signals.td:Td",
        "visits": "reverie.signals.curious:Visits",
        "return": "reverie.replay.signal:Return",
        "disagreement": "reverie.signals.disagreement:Disagreement",
        "curious": "reverie.signals.curious:Curious",
        "xp": "reverie.signals.xp:Xp",
    }

    @abstractmethod
    def score(self, found: Any) -> Any:
        """What an update says about every row it trained on, (B, T) float32 and at least 0; None
        where it is not asked. `found`: a `signals.found.Found`."""

    @property
    def sweep(self) -> tuple[int, int]:
        """Updates between two sweeps that score stored windows anew (0: none), windows of each."""
        return 0, 0


@dataclass(frozen=True)
class NoSignal(AbstractSignal):
    """Nothing is judged."""

    def score(self, found: Any) -> None:
        """Nothing is asked."""


@dataclass(frozen=True)
class Return(AbstractSignal):
    """The undiscounted return of a row's episode, which replay sums up itself."""

    def score(self, found: Any) -> None:
        """The update is not asked."""

    def offers(self) -> frozenset[Need]:
        return frozenset({RETURNS})


@dataclass(frozen=True)
class AbstractStepSignal(AbstractSignal):
    """A score of every step that was trained on, and what windows are worth by it."""

    exponent: float = 0.8
    """Power of a step's score before windows are formed. 0: uniform."""
    aggregate: Literal["blend", "mean", "max", "sum", "anchor"] = "blend"
    """Score of a window: blend of its largest and mean step, or the score of one step (anchor)."""
    blend: float = 0.5
    """blend: share of the largest step; the rest is the mean."""
    anchor: int = -1
    """anchor: which row of the window counts, from 0 or backwards from -1 (the last)."""
    initial: Literal["mean", "constant", "max"] = "mean"
    """Score of a step before its first update: mean of the seen steps and initial_std deviations,
    initial_value, or the largest score so far."""
    initial_std: float = 1.0
    """mean: standard deviations of the seen scores above (below 0: under) their mean."""
    initial_value: float = 1.0
    """Score of a step not seen yet, where it is constant or nothing has been seen, score units."""

    def __post_init__(self):
        self.checked()

    def checked(self) -> Checker:
        """Raises ConfigError for an option out of range; the checker, for the options of others."""
        check = Checker(self, f"{self.SLOT}.")
        check.at_least(0, "exponent", "initial_value")
        check.share("blend")
        return check

    def offers(self) -> frozenset[Need]:
        return frozenset({SCORES})

    def combine(
        self, raw: Float[np.ndarray, " N"], visits: UInt[np.ndarray, " N"]
    ) -> Float[np.ndarray, " N"]:
        """The score of steps, at least 0, from what the update said about them and the times they
        were trained on, the present update included."""
        return raw.astype(np.float64)

    def windows(self, steps: Float[np.ndarray, "R N"], length: int) -> Float[np.ndarray, "R M"]:
        """The scores of all M = N − L + 1 windows of L steps in a row.

        Source: dreamerv3's prioritised selector (blend), Curious Replay (anchor).
        """
        match self.aggregate:
            case "blend":
                mean = slide(steps, length, np.add) / length
                return self.blend * slide(steps, length, np.maximum) + (1.0 - self.blend) * mean
            case "mean":
                return slide(steps, length, np.add) / length
            case "max":
                return slide(steps, length, np.maximum)
            case "sum":
                return slide(steps, length, np.add)
            case "anchor":
                offset = self.anchor % length
                return steps[:, offset : offset + steps.shape[1] - length + 1]


def slide(
    steps: Shaped[np.ndarray, "R N"], length: int, combine: np.ufunc
) -> Shaped[np.ndarray, "R M"]:
    """`combine` over every window of `length` neighbours, M = N − L + 1 of them in a row."""
    num = steps.shape[1] - length + 1
    result, done, power, span = None, 0, steps, 1
    while True:
        if length & span:
            part = power[:, done : done + num]
            result = part if result is None else combine(result, part)
            done += span
        if done == length:
            assert result is not None
            return result
        power = combine(power[:, :-span], power[:, span:])
        span *= 2
