"""What was drawn, in numbers that fit into a metric line."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int

TASK = "task"
"""Column with the number of the task, where a run visits several."""

AGES = (0.01, 0.1, 0.5)
"""Edges of the histogram of ages, shares of the windows: the newest 1 %, 10 %, 50 %, the rest."""

NAMES = ("newest_1", "newest_10", "newest_50", "oldest_50")


@dataclass
class Portrait:
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

    def state(self) -> dict[str, Any]:
        """Everything that `load` needs, as JSON values."""
        return dataclasses.asdict(self)

    def load(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        self.ages, self.tasks = list(state["ages"]), dict(state["tasks"])
