"""DreamerV3-XP: imagined return, value error and reconstruction."""

from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, Float

from reverie.part.needs import DREAMS, Need
from reverie.replay.signal import AbstractStepSignal
from reverie.signals.found import Found


@dataclass(frozen=True)
class Xp(AbstractStepSignal):
    """(λr + λd δ) R + λe ε; negative values become 0.

    δ: value loss, mean over the dream. R: sum over the dream of the returns in units of the
    return range above its low. ε: reconstruction loss of the row.
    Source: DreamerV3-XP (arXiv:2510.21418), its published code; replay-sampling.md §4.3.
    """

    ret: float = 0.1
    """Weight λr of the imagined return."""
    value: float = 0.4
    """Weight λd of imagined return times value loss."""
    rec: float = 0.5
    """Weight λe of the reconstruction loss."""

    def __post_init__(self):
        self.checked().at_least(0, "ret", "value", "rec")

    def score(self, found: Found) -> Float[Array, "B T"]:
        scaled = (found.targets.returns - found.zero) / found.scale
        ret = found.on_rows(scaled.sum(0))
        rec = jnp.asarray(sum(value for _, value in found.group("observation")))
        return (self.ret + self.value * found.loss("value")) * ret + self.rec * rec

    def needs(self) -> frozenset[Need]:
        return frozenset({DREAMS})
