"""Curious Replay: count and surprise; and the count alone."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt

from reverie.replay.signal import AbstractStepSignal
from reverie.signals.found import Found, model_loss


@dataclass(frozen=True)
class Curious(AbstractStepSignal):
    """Rarely trained rows and those with a large world-model loss: c βᵛ + (L + ε)ᵃ.

    L is the loss of the step (nats and squared errors, at least 0), v the times it was trained on.
    Source: Curious Replay (arXiv:2306.15934), Eq. 3, with the published code's order: the visit
    is counted before the score is computed (the paper's Algorithm 1 counts it after).
    """

    visit_scale: float = 1e4
    """Score c of a step never trained on, in c beta^visits."""
    visit_decay: float = 0.7
    """Factor beta of each training on the step."""
    loss_power: float = 0.7
    """Power a of the model loss."""
    offset: float = 0.01
    """Added to the loss, so that none is 0."""

    def __post_init__(self):
        check = self.checked()
        check.at_least(0, "visit_scale", "loss_power", "offset")
        check.share("visit_decay")

    def score(self, found: Found) -> Float[Array, "B T"]:
        return model_loss(found)

    def combine(
        self, raw: Float[np.ndarray, " N"], visits: UInt[np.ndarray, " N"]
    ) -> Float[np.ndarray, " N"]:
        surprise = (raw.astype(np.float64) + self.offset) ** self.loss_power
        return rarely(visits, self.visit_scale, self.visit_decay) + surprise


@dataclass(frozen=True)
class Visits(AbstractStepSignal):
    """How rarely a step was trained on: c βᵛ + ε. Replay counts the visits itself."""

    visit_scale: float = 1e4
    """Score c of a step never trained on, in c beta^visits."""
    visit_decay: float = 0.7
    """Factor beta of each training on the step."""
    offset: float = 0.01
    """Added to the score, so that none is 0."""

    def __post_init__(self):
        check = self.checked()
        check.at_least(0, "visit_scale", "offset")
        check.share("visit_decay")

    def score(self, found: Found) -> Float[Array, "B T"]:
        """Nothing but which rows were trained on."""
        return jnp.zeros(found.shape)

    def combine(
        self, raw: Float[np.ndarray, " N"], visits: UInt[np.ndarray, " N"]
    ) -> Float[np.ndarray, " N"]:
        return rarely(visits, self.visit_scale, self.visit_decay) + self.offset


def rarely(visits: UInt[np.ndarray, " N"], scale: float, decay: float) -> Float[np.ndarray, " N"]:
    """The count term: c βᵛ."""
    return scale * decay ** visits.astype(np.float64)
