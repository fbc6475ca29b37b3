"""The slot of explorers: whether something beside the task's actor chooses where to go."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from reverie.part.checks import Checker
from reverie.part.needs import ENSEMBLE, Need
from reverie.part.part import Part


class AbstractExplorer(Part):
    """An actor and critic that seek something else than the task's reward, and when they act."""

    SLOT = "explore"
    MEMBERS: ClassVar[Mapping[str, str]] = {
        "none": "reverie.behavior.explorer:NoExplorer",
        "plan2explore": "reverie.behavior.explorer:Plan2Explore",
    }

    @property
    def active(self) -> bool:
        """Whether there is an explorer."""
        return False

    @property
    def evaluated(self) -> bool:
        """Whether evaluations watch the explorer instead of the task's actor."""
        return False

    @property
    def task_hidden(self) -> bool:
        """Whether the task's reward is hidden from everything that would learn from it."""
        return False

    def acts(self, step: int, turn: int) -> bool:
        """Whether the explorer chooses the actions of a turn.

        Args:
            step: environment steps before it.
            turn: turns before it.
        """
        return False


@dataclass(frozen=True)
class NoExplorer(AbstractExplorer):
    """The task's actor alone."""


@dataclass(frozen=True)
class Plan2Explore(AbstractExplorer):
    """A second actor and critic that seek what an ensemble cannot agree on (arXiv:2005.05960)."""

    form: Literal["corrected", "published"] = "corrected"
    """`corrected`: heads predict from a state and the action chosen in it, the bonus is their
    variance. `published` (the DreamerV2 code): from a state and the action that led to it, so that
    the action that matters is not seen, and the bonus is their standard deviation."""
    heads: int = 10
    """Ensemble members, which differ in their first weights only."""
    layers: int = 1
    """Hidden layers of a member."""
    units: int = 0
    """Width of those layers. 0: half of world.dynamics.hidden."""
    target: Literal["stoch", "deter", "feature", "embed"] = "stoch"
    """What of the next step they predict: the sampled latent, the deterministic state, both, or
    the encoded observation."""
    action: bool = True
    """Members see the action."""
    log: bool = False
    """The bonus is the logarithm of the disagreement."""
    intrinsic: float = 1.0
    """Factor of the bonus in the explorer's reward."""
    extrinsic: float = 0.0
    """Factor of the predicted task reward in the explorer's reward."""
    collect: Literal["explore", "task"] = "explore"
    """Which actor gathers experience while exploration lasts."""
    evaluate: Literal["task", "explore"] = "task"
    """Which actor is evaluated."""
    until: int = 0
    """Environment step at which exploration ends and the task's actor gathers. 0: never."""
    every: int = 0
    """The explorer chooses one action in so many steps, the task's actor the others. 0: all."""
    task: bool = True
    """Off: the task's reward is hidden; reward head, task actor and critic do not learn (they can
    later: the same run folder goes on with it)."""
    weight: float = 1.0
    """Weight of the ensemble's loss."""
    return_limit: float = 1e-3
    """Smallest divisor of the explorer's advantage (`corrected`; as behavior.return_limit)."""
    entropy: float = -1.0
    """The explorer's own `behavior.actor.entropy`: with little it may stay where a small ensemble
    never agrees. Negative: that of the task's actor."""

    def __post_init__(self):
        check = Checker(self, "explore.")
        check.at_least(2, "heads")
        check.at_least(1, "layers")
        check.at_least(0, "units", "intrinsic", "extrinsic", "until", "every")
        check.above(0, "weight", "return_limit")
        rule = "0 while explore.task is False: there is no task reward to add"
        check.require(self.task or not self.extrinsic, "extrinsic", rule)

    def offers(self) -> frozenset[Need]:
        return frozenset({ENSEMBLE})

    @property
    def active(self) -> bool:
        return True

    @property
    def evaluated(self) -> bool:
        return self.evaluate == "explore"

    @property
    def task_hidden(self) -> bool:
        return not self.task

    def acts(self, step: int, turn: int) -> bool:
        """Source: `until` and `every` are ours."""
        if self.collect != "explore" or (self.until and step >= self.until):
            return False
        return not self.every or turn % self.every == 0
