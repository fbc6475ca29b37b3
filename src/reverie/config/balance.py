"""Options of loss balancing, and what they demand of the loss weights."""

from dataclasses import dataclass
from typing import Literal

from reverie.part.checks import Checker
from reverie.part.errors import ConfigError
from reverie.config.learn import LossConfig


@dataclass(frozen=True)
class BalancingConfig:
    """How the world model's tasks (reward, observation, dynamics) share the gradient."""

    kind: Literal["fixed", "harmony", "unrectified", "reciprocal", "dwa"] = "fixed"
    """fixed: the weights of `loss`. harmony: each task's loss L becomes L/sigma + log(1+sigma) with
    sigma learned. unrectified: L/sigma + log sigma. reciprocal: L divided by its current value.
    dwa: dynamic weight averaging, by how fast each loss falls."""
    form: Literal["paper", "torch", "jax"] = "paper"
    """What enters harmony. paper: the losses with their own weights. torch, jax: as the two
    published code bases compute it: the KL pair scaled to weights that sum to 1, no other weights;
    jax also scales the penalty of the dynamics by the share of `loss.dyn`."""
    per_key: bool = False
    """One sigma an observation key instead of one for all of them together."""
    outside: tuple[str, ...] = ()
    """Losses that are not balanced but keep their weight: rew, dyn, or observation keys."""
    lr: float = 0.0
    """Learning rate of log sigma, with the same schedule as the world model's. 0: the world
    model's own."""
    period: int = 100
    """dwa: updates over which a loss is averaged before it is compared with the average before."""
    temperature: float = 2.0
    """dwa: softness of the weights; large: all alike."""

    @property
    def learned(self) -> bool:
        """Whether there are sigmas to learn."""
        return self.kind in ("harmony", "unrectified")

    def __post_init__(self):
        check = Checker(self, "balancing.")
        check.at_least(0, "lr")
        check.at_least(1, "period")
        check.above(0, "temperature")
        if self.kind != "harmony":
            rule = f"'paper' while balancing.kind is {self.kind!r}, where it has no effect"
            check.require(self.form == "paper", "form", rule)
        if not self.learned:
            rule = f"0 while balancing.kind is {self.kind!r}, which learns no sigma"
            check.require(self.lr == 0, "lr", rule)
        if self.kind == "fixed":
            rule = "{} while balancing.kind is 'fixed', where it has no effect"
            check.require(not self.per_key, "per_key", rule.format("False"))
            check.require(not self.outside, "outside", rule.format("empty"))


def check_balancing(balancing: BalancingConfig, loss: LossConfig) -> None:
    """Raises ConfigError where the form would pass over a weight in silence."""
    if balancing.form == "paper":
        return
    ignored = {"torch": ("rec", "rew"), "jax": ("rec", "rew", "con")}[balancing.form]
    for name in ignored:
        if getattr(loss, name) != 1:
            raise ConfigError(
                f"loss.{name} ({getattr(loss, name):g}) must be 1 with balancing.form "
                f"{balancing.form!r}, whose code has no such weight; balancing.form 'paper' takes "
                "any."
            )
    if loss.dyn + loss.rep == 0:
        raise ConfigError(
            f"loss.dyn and loss.rep are both 0: balancing.form {balancing.form!r} needs their "
            "ratio; balancing.form 'paper' takes any weights."
        )
