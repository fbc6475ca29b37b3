"""Options of the world model: its parts, its heads, and how their losses share."""

from dataclasses import dataclass, field

from reverie.nn.options import ContConfig, RewardConfig
from reverie.part.checks import Checker
from reverie.world.balance import AbstractBalance
from reverie.world.dynamics import AbstractDynamics
from reverie.world.encoder import EncoderConfig
from reverie.world.fixed import Fixed
from reverie.world.objective import AbstractObjective
from reverie.world.reconstruction import Reconstruction
from reverie.world.rssm import RSSMConfig
from reverie.world.term import AbstractExtra


@dataclass(frozen=True)
class WorldConfig:
    """Station 3: what predicts the environment."""

    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    dynamics: AbstractDynamics = field(default_factory=RSSMConfig)
    """What state the model keeps, and how it moves."""
    objective: AbstractObjective = field(default_factory=Reconstruction)
    """What ties the latents to the observations."""
    beside_pictures: float = 1.0
    """Further factor of the losses of numbers, classes and the reward where there are pictures: the
    loss of a picture is a sum over thousands of pixels, in whose gradient the others drown."""
    reward: RewardConfig = field(default_factory=RewardConfig)
    cont: ContConfig = field(default_factory=ContConfig)
    extras: tuple[AbstractExtra, ...] = ()
    """Further losses, with heads of their own."""
    balance: AbstractBalance = field(default_factory=Fixed)
    """How the tasks of the world model share the gradient."""

    def __post_init__(self):
        Checker(self, "world.").at_least(0, "beside_pictures")
        self.objective.check(self.dynamics.widths)
        weights = {
            "world.reward.weight": self.reward.weight,
            "world.cont.weight": self.cont.weight,
            "world.objective.weight": self.objective.weight,
        }
        weights |= {f"world.dynamics.{x.name}": x.weight for x in self.dynamics.outline()}
        self.balance.check(weights)
