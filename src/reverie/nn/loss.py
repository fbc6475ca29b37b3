"""A loss as a record: made by whoever computes it, summed once, read by its group."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from jaxtyping import Array, Float

from reverie.module import Module, static


class Loss(Module):
    """One loss of an update. Balancing, scores and displays read its group, never its name."""

    name: str = static(default="")
    """Its metric is `loss/NAME`."""
    value: Any = None
    """Per step (B, T), unweighted; None in an outline, which says what losses there will be."""
    weight: float = static(default=1.0)
    """Its weight in the total, before any balancing."""
    group: str = static(default="behavior")
    """What it is about: observation, reward, continue, dynamics, behavior, explorer, or another."""

    def valued(self, value: Array | None) -> "Loss":
        """The same loss with this value."""
        return dataclasses.replace(self, value=value)

    def weighing(self, weight: float) -> "Loss":
        """The same loss with this weight."""
        return dataclasses.replace(self, weight=weight)


def by_name(losses: Iterable[Loss]) -> dict[str, Float[Array, "..."]]:
    """The values of losses by name."""
    return {loss.name: loss.value for loss in losses if loss.value is not None}
