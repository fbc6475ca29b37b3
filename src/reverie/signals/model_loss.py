"""Losses of the world model."""

from dataclasses import dataclass

from jaxtyping import Array, Float

from reverie.replay.signal import AbstractStepSignal
from reverie.signals.found import Found, model_loss


@dataclass(frozen=True)
class ModelLoss(AbstractStepSignal):
    """Sum of the world model's losses at their fixed weights [replay-sampling.md §4.1]."""

    def score(self, found: Found) -> Float[Array, "B T"]:
        return model_loss(found)
