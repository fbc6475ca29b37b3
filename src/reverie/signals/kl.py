"""Surprise of the latents."""

from abc import abstractmethod
from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, Float

from reverie.part.needs import LATENTS, Need
from reverie.replay.signal import AbstractStepSignal
from reverie.signals.found import Found


@dataclass(frozen=True)
class AbstractKl(AbstractStepSignal):
    """KL of the posterior from the prior, which a sweep can compute anew.

    Source: replay-sampling.md §2.1, sweeps §2.4.
    """

    sweep_every: int = 0
    """Updates between two sweeps that score stored windows anew with the current model. 0: none."""
    sweep_windows: int = 4096
    """Windows a sweep scores at most, spread over the replay; all of them if there are fewer."""

    def __post_init__(self):
        check = self.checked()
        check.at_least(0, "sweep_every")
        check.at_least(1, "sweep_windows")

    @abstractmethod
    def score(self, found: Found) -> Float[Array, "B T"]: ...

    @property
    def sweep(self) -> tuple[int, int]:
        return self.sweep_every, self.sweep_windows

    def needs(self) -> frozenset[Need]:
        """A sweep starts from stored latents."""
        return frozenset({LATENTS} if self.sweep_every else ())


@dataclass(frozen=True)
class Kl(AbstractKl):
    """Surprise in nats, before the free nats."""

    def score(self, found: Found) -> Float[Array, "B T"]:
        return found.surprise()


@dataclass(frozen=True)
class KlClipped(AbstractKl):
    """Surprise after the free nats; the losses dyn + rep are twice that."""

    def score(self, found: Found) -> Float[Array, "B T"]:
        return jnp.maximum(found.surprise(), found.free_nats)
