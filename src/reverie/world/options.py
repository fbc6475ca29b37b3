"""Options of the world model: encoder, dynamics, objective, heads, and how their losses share."""

from dataclasses import dataclass, field
from typing import Literal

from reverie.nn.options import ContConfig, DecoderConfig, EncoderConfig, RewardConfig
from reverie.part.checks import Checker
from reverie.part.errors import ConfigError


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
class BalancingConfig:
    """How the world model's tasks (reward, observation, dynamics) share the gradient."""

    kind: Literal["fixed", "harmony", "unrectified", "reciprocal", "dwa"] = "fixed"
    """fixed: the weights of `loss`. harmony: each task's loss L becomes L/sigma + log(1+sigma) with
    sigma learned. unrectified: L/sigma + log sigma. reciprocal: L divided by its current value.
    dwa: dynamic weight averaging, by how fast each loss falls."""
    form: Literal["paper", "torch", "jax"] = "paper"
    """What enters harmony. paper: the losses with their own weights. torch, jax: as the two
    published code bases compute it: the KL pair scaled to weights that sum to 1, no other weights;
    jax also scales the penalty of the dynamics by the share of `world.dynamics.dyn`."""
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
        check = Checker(self, "world.balance.")
        check.at_least(0, "lr")
        check.at_least(1, "period")
        check.above(0, "temperature")
        if self.kind != "harmony":
            rule = f"'paper' while world.balance.kind is {self.kind!r}, where it has no effect"
            check.require(self.form == "paper", "form", rule)
        if not self.learned:
            rule = f"0 while world.balance.kind is {self.kind!r}, which learns no sigma"
            check.require(self.lr == 0, "lr", rule)
        if self.kind == "fixed":
            rule = "{} while world.balance.kind is 'fixed', where it has no effect"
            check.require(not self.per_key, "per_key", rule.format("False"))
            check.require(not self.outside, "outside", rule.format("empty"))


@dataclass(frozen=True)
class WorldConfig:
    """Station 3: what predicts the environment."""

    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    dynamics: RSSMConfig = field(default_factory=RSSMConfig)
    objective: DecoderConfig = field(default_factory=DecoderConfig)
    reward: RewardConfig = field(default_factory=RewardConfig)
    cont: ContConfig = field(default_factory=ContConfig)
    balance: BalancingConfig = field(default_factory=BalancingConfig)

    def __post_init__(self):
        check_balancing(self)


def check_balancing(world: WorldConfig) -> None:
    """Raises ConfigError where the form would pass over a weight in silence."""
    form = world.balance.form
    if form == "paper":
        return
    weights = {
        "world.objective.weight": world.objective.weight,
        "world.reward.weight": world.reward.weight,
    }
    if form == "jax":
        weights["world.cont.weight"] = world.cont.weight
    for name, weight in weights.items():
        if weight != 1:
            raise ConfigError(
                f"{name} ({weight:g}) must be 1 with world.balance.form {form!r}, whose code has "
                "no such weight; world.balance.form 'paper' takes any."
            )
    if world.dynamics.dyn + world.dynamics.rep == 0:
        raise ConfigError(
            f"world.dynamics.dyn and world.dynamics.rep are both 0: world.balance.form {form!r} "
            "needs their ratio; world.balance.form 'paper' takes any weights."
        )
