"""Options of the networks: widths and depths (set by the size presets) and their inner choices."""

from dataclasses import dataclass
from typing import Literal

from reverie.part.checks import Checker
from reverie.part.schedule import Scheduled


@dataclass(frozen=True)
class NetConfig:
    """What the layers of all networks have in common."""

    act: Literal["silu", "elu"] = "silu"
    """Activation of every hidden layer."""
    norm: Literal["rms", "layer", "none"] = "rms"
    """Norm between a hidden layer and its activation: root mean square, LayerNorm, or none."""
    eps: float = 1e-4
    """Added to the mean square (rms) or to the variance (layer)."""
    maps: Literal["channels", "whole"] = "channels"
    """What the norm of an image stack averages over: the channels of a pixel, or channels and
    pixels of the whole map, with a scale for each entry (HarmonyDream's PyTorch tree)."""
    bias: bool = True
    """Layers that a norm follows have a bias (block layers always do)."""
    init: Literal["fan_in", "fan_avg", "glorot"] = "fan_in"
    """Initial kernels: truncated normal of variance 1/fan-in or 1/mean fan, or Glorot uniform."""

    def __post_init__(self):
        check = Checker(self, "net.")
        check.above(0, "eps")
        rule = "'channels' unless net.norm is 'layer'"
        check.require(self.maps == "channels" or self.norm == "layer", "maps", rule)


Dist = Literal["twohot", "symlog_twohot", "gauss"]
"""How a head predicts a number."""


@dataclass(frozen=True)
class CriticConfig:
    """The critic: a network on the feature (deter, stoch) that predicts returns."""

    layers: int = 3
    """Hidden layers."""
    units: int = 256
    """Width of the hidden layers."""
    dist: Dist = "twohot"
    """How the number is predicted: by bins spaced by symexp (`twohot`), by bins spaced evenly in
    symlog space (`symlog_twohot`, 2023), or by a Gaussian of variance one (`gauss`, V2)."""
    bins: int = 255
    """Bins of both two-hot kinds."""
    outscale: float = 0.0
    """Scale of the initial output kernel."""
    weight: float = 1.0
    """Weight of its loss in imagination."""
    replay_weight: float = 0.3
    """Weight of its loss on replayed sequences."""

    def __post_init__(self):
        check = Checker(self, "behavior.critic.")
        _check_head(check)
        check.at_least(0, "weight", "replay_weight")


@dataclass(frozen=True)
class RewardConfig:
    """The reward head, and what is made of a reward before anything learns from it."""

    layers: int = 1
    """Hidden layers."""
    units: int = 256
    """Width of the hidden layers."""
    dist: Dist = "twohot"
    """How the reward is predicted, as behavior.critic.dist."""
    bins: int = 255
    """Bins of both two-hot kinds."""
    outscale: float = 0.0
    """Scale of the initial output kernel."""
    transform: Literal["identity", "tanh", "sign"] = "identity"
    """What the agent learns from: the reward, its tanh, or its sign. Scores stay untouched."""
    divisor: float = 1.0
    """Rewards are divided by this before the transform."""
    weight: float = 1.0
    """Weight of the reward loss in the total."""
    grad: bool = True
    """The reward loss also trains the representation."""

    def __post_init__(self):
        check = Checker(self, "world.reward.")
        _check_head(check)
        check.above(0, "divisor")
        check.at_least(0, "weight")


@dataclass(frozen=True)
class ContConfig:
    """The continue head: does the episode go on after this state?"""

    predict: bool = True
    """Learn it. False: there is no such head, and dreams never end (constant discount)."""
    layers: int = 1
    """Hidden layers."""
    units: int = 256
    """Width of the hidden layers."""
    outscale: float = 1.0
    """Scale of the initial output kernel."""
    weight: float = 1.0
    """Weight of its loss in the total."""
    grad: bool = True
    """Its loss also trains the representation."""

    def __post_init__(self):
        check = Checker(self, "world.cont.")
        check.at_least(1, "layers", "units")
        check.at_least(0, "outscale", "weight")


def _check_head(check: Checker) -> None:
    check.at_least(1, "layers", "units")
    check.at_least(2, "bins")
    check.at_least(0, "outscale")


@dataclass(frozen=True)
class ActorConfig:
    """The policy: its network, its distributions, and what its loss weighs."""

    layers: int = 3
    """Hidden layers."""
    units: int = 256
    """Width of the hidden layers."""
    outscale: float = 0.01
    """Scale of the initial output kernel."""
    dist: Literal["bounded", "truncated"] = "bounded"
    """Continuous actions: a Gaussian with bounded mean and deviation, or one truncated to [-1, 1]
    (V2), of deviation 2 sigmoid(x/2) + minstd."""
    minstd: float = 0.1
    """Smallest standard deviation of a continuous action (range is [-1, 1])."""
    maxstd: float = 1.0
    """Largest standard deviation of a continuous action, if `bounded`."""
    unimix: float = 0.0
    """Share of the uniform distribution mixed into discrete actions. The official code names 0.01
    in its configuration but never applies it; 0 is what it computes."""
    entropy: Scheduled = 3e-4
    """Weight of the policy's entropy, per nat, against the scaled advantage: a number, or a
    schedule over agent steps such as linear(3e-3, 3e-4, 100000) (part/schedule.py)."""
    weight: float = 1.0
    """Weight of the actor's loss in the total."""

    def __post_init__(self):
        check = Checker(self, "behavior.actor.")
        check.at_least(1, "layers", "units")
        check.at_least(0, "outscale", "weight")
        check.schedule("entropy")
        check.above(0, "minstd")
        check.share("unimix", one=False)
        rule = f"less than behavior.actor.maxstd ({self.maxstd:g})"
        check.require(self.minstd < self.maxstd, "minstd", rule)
