"""What everything is that metrics can be looked at in, a user's own included."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class Sink(Protocol):
    """Somewhere metrics go besides metrics.jsonl. Derive from it, and write what you need: the
    methods here do nothing.

    Any method may raise: the first failure is told in one sentence, after three in a row the sink
    is off, and the run goes on. A resumed run writes again what came after its checkpoint.
    """

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """One line of metrics.jsonl: `step`, environment steps of all environments together, and
        values by the names of docs/metrics.md (NaN and infinities as they are)."""

    def picture(self, step: int, name: str, picture: np.ndarray) -> None:
        """A still (height, width, 3) uint8 of what `video` shows."""

    def video(self, step: int, name: str, path: Path) -> None:
        """An episode or a dream: the mp4 that was written into the run folder."""

    def close(self) -> None:
        """The run is over."""
