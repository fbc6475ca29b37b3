"""How many updates an environment step is worth."""

import math
from typing import Any


class Ratio:
    """Turns a count of environment steps into a number of updates.

    The first call answers 1 and remembers the step; a later one answers
    n = ⌊(step − previous) · ratio⌋ and moves `previous` forward by n / ratio, so that no
    fraction is lost. A ratio of 0 never trains, a negative one trains once a call.

    With R replayed rows per environment step the ratio is R / (B·T).
    Source: spec/dreamerv3.md §4.4; golden/dreamerv3/fn_ratio.npz.
    """

    def __init__(self, ratio: float):
        """Raises ValueError if `ratio` is not finite."""
        if not math.isfinite(ratio):
            raise ValueError(f"the ratio of updates to steps must be finite, got {ratio}.")
        self._ratio = float(ratio)
        self._previous: float | None = None

    def __call__(self, step: int) -> int:
        """Updates that are due at environment step `step`.

        Raises ValueError if `step` lies before the step up to which updates were counted.
        """
        if self._ratio <= 0:
            return 0 if self._ratio == 0 else 1
        if self._previous is None:
            self._previous = float(step)
            return 1
        if step < math.floor(self._previous):
            raise ValueError(f"environment steps went back from {self._previous} to {step}.")
        updates = int((step - self._previous) * self._ratio)
        self._previous += updates / self._ratio
        return updates

    def state(self) -> dict[str, Any]:
        """Everything that `load` needs, as JSON values."""
        return {"previous": self._previous}

    def load(self, state: dict[str, Any]) -> None:
        """Continue from a state."""
        previous = state["previous"]
        self._previous = None if previous is None else float(previous)
