"""The critic's error."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt

from reverie.part.needs import DREAMS, Need
from reverie.replay.signal import AbstractStepSignal
from reverie.signals.found import Found


@dataclass(frozen=True)
class Td(AbstractStepSignal):
    """Distance of the λ-return of a dream from a row to the value there.

    Source: PER (arXiv:1511.05952), proportional; replay-sampling.md §4.4.
    """

    offset: float = 0.01
    """Added to the error, so that none is 0."""

    def __post_init__(self):
        self.checked().at_least(0, "offset")

    def score(self, found: Found) -> Float[Array, "B T"]:
        return found.on_rows(jnp.abs(found.targets.returns[0] - found.targets.value[0]))

    def combine(
        self, raw: Float[np.ndarray, " N"], visits: UInt[np.ndarray, " N"]
    ) -> Float[np.ndarray, " N"]:
        return np.abs(raw.astype(np.float64)) + self.offset

    def needs(self) -> frozenset[Need]:
        return frozenset({DREAMS})
