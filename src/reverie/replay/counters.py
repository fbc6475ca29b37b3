"""What was drawn and dropped so far, in whole numbers, so that it can be saved exactly."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int


@dataclass
class Counters:
    """Totals since the beginning; `since_…` restart with every report."""

    draws: int = 0
    samples: int = 0
    online: int = 0
    updates: int = 0
    dropped: int = 0
    since_drawn: int = 0
    since_fresh: int = 0
    since_age: int = 0

    def note_draw(self, *, fresh: int, ages: Int[np.ndarray, " B"]) -> None:
        """Count one batch of sequences with these ages, `fresh` of them from the queue."""
        self.draws += 1
        self.samples += len(ages)
        self.online += fresh
        self.since_drawn += len(ages)
        self.since_fresh += fresh
        self.since_age += int(ages.sum())

    def note_write(self, *, live: int, late: int) -> None:
        """Count the rows of one write-back: those that were written and those that were gone."""
        self.updates += live
        self.dropped += late

    def report(self) -> dict[str, float]:
        """Totals, and means since the previous report."""
        names = ("samples", "online", "updates", "dropped")
        values: dict[str, float] = {name: getattr(self, name) for name in names}
        if self.since_drawn:
            values["fresh"] = self.since_fresh / self.since_drawn
            values["age"] = self.since_age / self.since_drawn
        self.since_drawn = self.since_fresh = self.since_age = 0
        return values

    def state(self) -> dict[str, Any]:
        """Everything that `load` needs, as JSON values."""
        return dataclasses.asdict(self)

    def load(self, state: dict[str, Any]) -> None:
        """Continue from a state."""
        for field in dataclasses.fields(self):
            setattr(self, field.name, int(state[field.name]))
