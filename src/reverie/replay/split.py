"""A memory split into two stores, each with a rule of its own."""

from dataclasses import dataclass, field

from reverie.part.checks import Checker
from reverie.part.errors import ConfigError
from reverie.part.needs import STORES, Need
from reverie.replay.reservoir import Reservoir
from reverie.replay.retention import AbstractRetention, AbstractRule, Fifo


@dataclass(frozen=True)
class Split(AbstractRetention):
    """Two stores: the newest units in one, what another rule keeps in the other.

    Source: WMAR (arXiv:2401.16650).
    """

    share: float = 0.5
    """Share of the memory for the fifo store, in (0, 1); the rest is for the other."""
    other: AbstractRetention = field(default_factory=Reservoir)
    """What the other store keeps."""

    def __post_init__(self):
        Checker(self, "replay.keep.").share("share", zero=False, one=False)
        if isinstance(self.other, Fifo | Split):
            raise ConfigError(
                f"replay.keep.other of 'split' must be another rule than that of the first store "
                f"and fill its store alone, found {type(self.other).__name__}: choose reservoir."
            )

    def rule(self, seed: int) -> AbstractRule:
        """Of the other store; the first has that of `Fifo`."""
        return self.other.rule(seed)

    def stores(self) -> tuple[tuple[AbstractRetention, float], ...]:
        return ((Fifo(), self.share), (self.other, 1.0 - self.share))

    def offers(self) -> frozenset[Need]:
        return frozenset({STORES})
