"""Options of what is learned and how: imagination and returns, loss weights, the optimiser."""

from dataclasses import dataclass
from typing import Literal

from reverie.config.checks import Checker


@dataclass(frozen=True)
class BehaviorConfig:
    """Station 4: learning in imagination."""

    imagine: int = 15
    """Imagined steps H from every start."""
    starts: int = 0
    """Starts per sequence: its last so many steps. 0: every trained step."""
    horizon: float = 333.0
    """Discount horizon: gamma = 1 - 1/horizon, agent steps."""
    lam: float = 0.95
    """Lambda of the returns."""
    contdisc: bool = True
    """The continue head learns gamma·(1-terminal) (True) or 1-terminal, with gamma outside."""
    slow_rate: float = 0.02
    """Share of the critic mixed into the slow critic at an update of it."""
    slow_every: int = 1
    """Updates between those."""
    slow_reg: float = 1.0
    """Weight of the pull of the critic towards the slow critic."""
    slow_target: bool = False
    """Bootstrap returns from the slow critic instead of the critic."""
    replay_grad: bool = True
    """The replay value loss also trains the representation."""
    actor_grad_start: bool = False
    """Actor and critic losses at the replayed start state also train the representation."""
    return_rate: float = 0.01
    """Update rate of the running return percentiles."""
    return_low: float = 5.0
    """Lower percentile of the return range."""
    return_high: float = 95.0
    """Upper percentile of the return range."""
    return_limit: float = 1.0
    """Smallest divisor of the advantage."""

    def __post_init__(self):
        check = Checker(self, "behavior.")
        check.at_least(1, "imagine", "slow_every")
        check.at_least(0, "starts", "slow_reg", "return_low")
        check.above(1, "horizon")
        check.share("lam")
        check.share("slow_rate", "return_rate", zero=False)
        check.above(0, "return_limit")
        check.require(self.return_high <= 100, "return_high", "a percentile, at most 100")
        rule = f"less than behavior.return_high ({self.return_high:g})"
        check.require(self.return_low < self.return_high, "return_low", rule)


@dataclass(frozen=True)
class LossConfig:
    """Weights of the mean losses in the total."""

    rec: float = 1.0
    """Every reconstructed observation key."""
    rew: float = 1.0
    """Reward."""
    con: float = 1.0
    """Continue flag."""
    dyn: float = 1.0
    """KL that trains the prior."""
    rep: float = 0.1
    """KL that trains the posterior."""
    policy: float = 1.0
    """Actor."""
    value: float = 1.0
    """Critic in imagination."""
    repval: float = 0.3
    """Critic on replayed sequences."""
    reward_grad: bool = True
    """The reward loss also trains the representation."""
    cont_grad: bool = True
    """The continue loss also trains the representation."""

    def __post_init__(self):
        check = Checker(self, "loss.")
        check.at_least(0, "rec", "rew", "con", "dyn", "rep", "policy", "value", "repval")


@dataclass(frozen=True)
class OptimConfig:
    """One optimiser for everything: adaptive gradient clipping, then LaProp."""

    lr: float = 4e-5
    """Peak learning rate."""
    agc: float = 0.3
    """Largest gradient norm, as a share of the tensor's own norm. 0: no clipping."""
    eps: float = 1e-20
    """Added to the root of the second moment."""
    beta1: float = 0.9
    """Decay of the momentum."""
    beta2: float = 0.999
    """Decay of the second moment."""
    nesterov: bool = False
    """Nesterov form of the momentum."""
    decay: float = 0.0
    """Weight decay on kernels."""
    warmup: int = 1000
    """Updates over which the rate rises linearly from 0."""
    schedule: Literal["const", "linear", "cosine"] = "const"
    """Rate after the warm-up: constant, falling to a tenth of the peak (linear), or to practically
    zero (cosine, as the official code computes it)."""
    anneal: int = 0
    """Update at which a falling schedule reaches its end."""

    def __post_init__(self):
        check = Checker(self, "optim.")
        check.above(0, "lr", "eps")
        check.at_least(0, "agc", "decay", "warmup", "anneal")
        check.share("beta1", "beta2", one=False)
        if self.schedule == "const":
            rule = "0 while optim.schedule is 'const', where it has no effect"
            check.require(self.anneal == 0, "anneal", rule)
        else:
            rule = f"greater than optim.warmup ({self.warmup}) for schedule {self.schedule!r}"
            check.require(self.anneal > self.warmup, "anneal", rule)
