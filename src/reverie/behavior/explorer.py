"""The slot of explorers: whether something beside the task's actor chooses where to go.

An explorer has an actor and a critic of its own, which learn by the same losses as the task's
(`explore.py`); a record here says what reward their dreams have, and when they act.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from jaxtyping import Array, Float, PRNGKeyArray

from reverie.behavior.imagine import Imagined
from reverie.behavior.options import BehaviorConfig
from reverie.nn.options import NetConfig
from reverie.part.part import Part
from reverie.world.dynamics import Observed
from reverie.world.model import WorldModel
from reverie.world.term import Shapes


class AbstractExplorer(Part):
    """An actor and critic that seek something else than the task's reward."""

    SLOT = "explore"
    MEMBERS: ClassVar[Mapping[str, str]] = {
        "none": "reverie.behavior.explorer:NoExplorer",
        "plan2explore": "reverie.behavior.plan2explore:Plan2Explore",
    }

    @property
    def active(self) -> bool:
        """Whether there is an explorer."""
        return True

    @property
    def evaluated(self) -> bool:
        """Whether evaluations watch the explorer instead of the task's actor."""
        return False

    @property
    def task_hidden(self) -> bool:
        """Whether the task's reward is hidden from everything that would learn from it."""
        return False

    @property
    def loss_weight(self) -> float:
        """Weight of the loss of `learn` in the total."""
        return 1.0

    def acts(self, step: int, turn: int) -> bool:
        """Whether the explorer chooses the actions of a turn, after so many environment steps and
        turns."""
        return True

    def tuned(self, behavior: BehaviorConfig) -> BehaviorConfig:
        """The options of its actor and critic, from those of the task's.

        Replayed rows do not hold its reward, so it has no replay value loss in any case.
        """
        return behavior

    def build(self, shapes: Shapes, net: NetConfig, *, key: PRNGKeyArray) -> Any:
        """The module that learns what its reward is made of."""
        return None

    def learn(
        self,
        model: Any,
        world: WorldModel,
        observed: Observed,
        action: dict[str, Array],
        is_first: Array,
    ) -> Float[Array, "b t"]:
        """Loss of that module at the rows (B, T), T − 1 if pairs of rows are needed; nothing of it
        reaches the world model. `action` led to each row."""
        raise NotImplementedError(f"{type(self).__name__} learns nothing.")

    def reward(
        self, model: Any, world: WorldModel, dream: Imagined, *, through: bool
    ) -> Float[Array, "k n"]:
        """Its reward at all H + 1 imagined states; `through`: with the gradient of the dream."""
        raise NotImplementedError(f"{type(self).__name__} has no reward.")

    def surprise(
        self, model: Any, x: Float[Array, "b t f"], action: Float[Array, "b t a"]
    ) -> Float[Array, "b t"]:
        """How unknown what follows stored rows is, for replay; offered by those that offer
        `needs.ENSEMBLE`."""
        raise NotImplementedError(f"{type(self).__name__} tells no surprise.")


@dataclass(frozen=True)
class NoExplorer(AbstractExplorer):
    """The task's actor alone."""

    @property
    def active(self) -> bool:
        return False

    def acts(self, step: int, turn: int) -> bool:
        return False
