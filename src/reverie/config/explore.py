"""Options of exploration by curiosity."""

from dataclasses import dataclass
from typing import Literal

from reverie.config.checks import Checker


@dataclass(frozen=True)
class ExploreConfig:
    """Plan2Explore: a second actor and critic that seek what the model cannot predict yet."""

    kind: Literal["none", "plan2explore"] = "none"
    """Whether there is an explorer beside the task's own actor and critic."""
    form: Literal["corrected", "published"] = "corrected"
    """`corrected`: heads predict from a state and the action chosen in it, the bonus is their
    variance. `published` (the DreamerV2 code): from a state and the action that led to it, so that
    the action that matters is not seen, and the bonus is their standard deviation."""
    heads: int = 10
    """Ensemble members, which differ in their first weights only."""
    layers: int = 1
    """Hidden layers of a member."""
    units: int = 0
    """Width of those layers. 0: half of rssm.hidden."""
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
    """The explorer's own `actor.entropy`: with little it may stay where a small ensemble never
    agrees. Negative: that of the task's actor."""
    count: Literal["none", "position", "observation"] = "none"
    """Add scale/sqrt(visits) to the training rewards: visits to a position (MiniGrid) or to an
    observation, counted over the whole run. Reported returns stay without it."""
    count_scale: float = 1.0
    """Bonus of a first visit, reward units. 0: visits are counted only (explore/places)."""

    def __post_init__(self):
        check = Checker(self, "explore.")
        check.at_least(2, "heads")
        check.at_least(1, "layers")
        check.at_least(0, "units", "intrinsic", "extrinsic", "until", "every", "count_scale")
        check.require(self.count_scale <= 3.4e38, "count_scale", "at most 3.4e38 (float32)")
        check.above(0, "weight", "return_limit")
        if self.kind == "none":
            rule = "left alone while explore.kind is 'none'; choose --explore plan2explore"
            check.require(self.task, "task", rule)
            check.require(self.collect == "explore", "collect", rule)
            check.require(self.evaluate == "task", "evaluate", rule)
        elif self.extrinsic:
            rule = "0 while explore.task is False: there is no task reward to add"
            check.require(self.task, "extrinsic", rule)
