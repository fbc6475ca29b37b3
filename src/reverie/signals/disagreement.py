"""What the explorer's ensemble does not agree on."""

from dataclasses import dataclass

from jaxtyping import Array, Float

from reverie.part.needs import ENSEMBLE, Need
from reverie.replay.signal import AbstractStepSignal
from reverie.signals.found import Found


@dataclass(frozen=True)
class Disagreement(AbstractStepSignal):
    """Disagreement of the ensemble about what follows a row."""

    def score(self, found: Found) -> Float[Array, "B T"]:
        return found.disagreement()

    def needs(self) -> frozenset[Need]:
        return frozenset({ENSEMBLE})
