"""Options of the optimisers."""

from dataclasses import dataclass, field, fields
from typing import Literal

from reverie.part.checks import Checker


@dataclass(frozen=True)
class GroupConfig:
    """One of the three Adams (`optim.kind` adam)."""

    lr: float = 1e-4
    """Peak learning rate."""
    eps: float = 1e-8
    """Added to the root of the second moment."""
    clip: float = 1000.0
    """Largest norm of the whole group's gradient. 0: no clipping."""
    decay: float = 0.0
    """Weight decay on every parameter of the group, biases and scales included."""

    def __post_init__(self):
        check = Checker(self, "optim.GROUP.")
        check.above(0, "lr", "eps")
        check.at_least(0, "clip")
        check.share("decay", one=False)


GROUP_FIELDS = tuple(item.name for item in fields(GroupConfig))


@dataclass(frozen=True)
class OptimConfig:
    """How gradients become changes of the parameters."""

    kind: Literal["laprop", "adam"] = "laprop"
    """`laprop`: one optimiser for everything, adaptive gradient clipping and then LaProp (V3).
    `adam`: three, for world model, actor and critic; actor and critic learn after the world model,
    in dreams of the model that has just learned (V2, 2023)."""
    lr: float = 4e-5
    """Peak learning rate of laprop."""
    agc: float = 0.3
    """Largest gradient norm under laprop, as a share of the tensor's own norm. 0: no clipping."""
    eps: float = 1e-20
    """Added to the root of the second moment by laprop."""
    beta1: float = 0.9
    """Decay of the momentum."""
    beta2: float = 0.999
    """Decay of the second moment."""
    nesterov: bool = False
    """Nesterov form of the momentum of laprop."""
    decay: float = 0.0
    """Weight decay on kernels under laprop."""
    warmup: int = 1000
    """Updates over which the rate rises linearly from 0."""
    schedule: Literal["const", "linear", "cosine"] = "const"
    """Rate after the warm-up: constant, falling to a tenth of the peak (linear), or to practically
    zero (cosine, as the official code computes it)."""
    anneal: int = 0
    """Update at which a falling schedule reaches its end."""
    adam: Literal["torch", "tensorflow"] = "torch"
    """How adam counts: `torch` adds decay times parameter to the clipped gradient and eps to the
    corrected root of the second moment; `tensorflow` (official DreamerV2) shrinks the parameter by
    the share `decay` before its step and adds eps to the uncorrected root."""
    world: GroupConfig = field(default_factory=GroupConfig)
    """Adam of the world model."""
    actor: GroupConfig = field(default_factory=lambda: GroupConfig(3e-5, 1e-5, 100.0))
    """Adam of the actor."""
    critic: GroupConfig = field(default_factory=lambda: GroupConfig(3e-5, 1e-5, 100.0))
    """Adam of the critic."""
    ensemble: GroupConfig = field(default_factory=lambda: GroupConfig(3e-4, 1e-5, 100.0, 1e-6))
    """Adam of the explorer's ensemble; the explorer's actor and critic learn like the task's."""

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
        if self.kind == "adam":
            self._check_unused(check)

    def _check_unused(self, check: Checker) -> None:
        """What only laprop reads stays at its default under adam, so that nobody misses it."""
        for item in fields(self):
            if item.name in ("lr", "agc", "eps", "nesterov", "decay"):
                near = (
                    f"optim.world.{item.name}" if item.name in GROUP_FIELDS else "optim.world.clip"
                )
                rule = (
                    f"{item.default!r}, as it has no effect while optim.kind is 'adam' (see {near})"
                )
                check.require(getattr(self, item.name) == item.default, item.name, rule)
