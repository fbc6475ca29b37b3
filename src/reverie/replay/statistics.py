"""What was drawn and dropped so far, in whole numbers: records that are saved as they are."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

TASK = "task"
"""Column with the number of the task, where a run visits several."""

AGES = (0.01, 0.1, 0.5)
"""Edges of the histogram of ages, shares of the windows: the newest 1 %, 10 %, 50 %, the rest."""

NAMES = ("newest_1", "newest_10", "newest_50", "oldest_50")


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


@dataclass
class DrawHistogram:
    """Histogram of the ages of draws, and draws per task, since the previous report."""

    ages: list[int] = field(default_factory=lambda: [0] * len(NAMES))
    tasks: dict[str, int] = field(default_factory=dict)

    def note(self, age: Float[np.ndarray, " B"], task: Int[np.ndarray, " B"] | None) -> None:
        """Count a batch: ages as shares of all windows that are newer, tasks where known."""
        bins = np.bincount(np.searchsorted(AGES, age, side="right"), minlength=len(NAMES))
        self.ages = [old + int(new) for old, new in zip(self.ages, bins, strict=True)]
        for number in () if task is None else task.tolist():
            self.tasks[str(number)] = self.tasks.get(str(number), 0) + 1

    def report(self) -> dict[str, float]:
        """Shares of the draws by age and by task; nothing where nothing was drawn."""
        total = sum(self.ages)
        if not total:
            return {}
        values = {
            f"drawn_{name}": count / total for name, count in zip(NAMES, self.ages, strict=True)
        }
        values |= {f"task_{name}": count / total for name, count in sorted(self.tasks.items())}
        self.ages, self.tasks = [0] * len(NAMES), {}
        return values
