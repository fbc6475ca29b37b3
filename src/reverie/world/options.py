"""Options of the world model: encoder, dynamics, objective, heads, and how their losses share."""

from dataclasses import dataclass, field
from typing import Literal

from reverie.nn.options import ContConfig, DecoderConfig, EncoderConfig, RewardConfig
from reverie.part.checks import Checker
from reverie.world.balance import AbstractBalance
from reverie.world.fixed import Fixed


@dataclass(frozen=True)
class RSSMConfig:
    """Recurrent state-space model: the core, the latents, and the KL between both guesses."""

    deter: int = 2048
    """Width D of the deterministic state."""
    core: Literal["block", "gru"] = "block"
    """Recurrent core: block-diagonal GRU (V3), or dense GRU with LayerNorm on its gates."""
    latent: Literal["categorical", "gaussian"] = "categorical"
    """Kind of the latents."""
    hidden: int = 256
    """Width of the hidden layers of core, prior and posterior."""
    stoch: int = 32
    """Number Z of categorical latents."""
    classes: int = 16
    """Classes C of each categorical latent."""
    deviation: Literal["sigmoid2", "softplus"] = "sigmoid2"
    """Standard deviation of Gaussian latents: 2 sigmoid(x/2) or softplus(x), plus min_std."""
    min_std: float = 0.1
    """Smallest standard deviation of Gaussian latents."""
    initial: Literal["zeros", "learned"] = "zeros"
    """State before an episode: zeros, or tanh of a learned vector with the mode of its prior."""
    blocks: int = 8
    """Blocks of the block-diagonal GRU."""
    unimix: float = 0.01
    """Share of the uniform distribution mixed into every latent."""
    free_nats: float = 1.0
    """Floor of the KL losses, nats per step."""
    floor: Literal["step", "batch"] = "step"
    """What the floor acts on: the KL of every step, or its mean over the batch (V2)."""
    kl: Literal["balanced", "forward", "joint"] = "balanced"
    """KL of posterior to prior whose two halves (dyn, rep) stop each other's gradient; of prior to
    posterior in the same way; or one KL without stopped gradients in both halves (what DreamerV2's
    code computes for balance 0.5; with weights 0.5 and 0.5 they add up to it)."""
    core_layers: int = 1
    """Block layers before the GRU gates."""
    prior_layers: int = 2
    """Hidden layers of the prior."""
    post_layers: int = 1
    """Hidden layers of the posterior."""
    absolute: bool = False
    """Posterior from the tokens alone, without the deterministic state."""
    dyn: float = 1.0
    """Weight of the KL that trains the prior."""
    rep: float = 0.1
    """Weight of the KL that trains the posterior."""

    def __post_init__(self):
        check = Checker(self, "world.dynamics.")
        check.at_least(1, "deter", "hidden", "stoch", "blocks", "core_layers")
        check.at_least(1, "prior_layers", "post_layers")
        check.at_least(2, "classes")
        check.require(self.classes <= 256, "classes", "at most 256 (replay stores one byte)")
        check.share("unimix", one=False)
        check.at_least(0, "free_nats", "dyn", "rep")
        check.above(0, "min_std")
        rule = f"a multiple of world.dynamics.blocks ({self.blocks})"
        ok = self.core != "block" or self.deter % self.blocks == 0
        check.require(ok, "deter", rule)

    @property
    def outputs(self) -> int:
        """Network outputs of each latent: one logit a class, or mean and raw deviation."""
        return self.classes if self.latent == "categorical" else 2

    @property
    def flat(self) -> int:
        """Width of the flat stochastic state."""
        return self.stoch * (self.classes if self.latent == "categorical" else 1)

    @property
    def feature(self) -> int:
        """Width of what every head reads: deterministic and stochastic state."""
        return self.deter + self.flat


@dataclass(frozen=True)
class WorldConfig:
    """Station 3: what predicts the environment."""

    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    dynamics: RSSMConfig = field(default_factory=RSSMConfig)
    objective: DecoderConfig = field(default_factory=DecoderConfig)
    reward: RewardConfig = field(default_factory=RewardConfig)
    cont: ContConfig = field(default_factory=ContConfig)
    balance: AbstractBalance = field(default_factory=Fixed)
    """How the tasks of the world model share the gradient."""

    def __post_init__(self):
        Checker(self, "world.")
        self.balance.check(
            {
                "world.objective.weight": self.objective.weight,
                "world.reward.weight": self.reward.weight,
                "world.cont.weight": self.cont.weight,
                "world.dynamics.dyn": self.dynamics.dyn,
                "world.dynamics.rep": self.dynamics.rep,
            }
        )
