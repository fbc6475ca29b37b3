"""Options of learning in imagination: dreams, returns, actor and critic."""

from dataclasses import dataclass, field
from typing import Literal

from reverie.behavior.gradient import AbstractGradient, Reinforce
from reverie.behavior.scale import AbstractScale, RangeScale
from reverie.nn.options import ActorConfig, CriticConfig
from reverie.part.checks import Checker


@dataclass(frozen=True)
class BehaviorConfig:
    """Station 4: learning in imagination."""

    actor: ActorConfig = field(default_factory=ActorConfig)
    critic: CriticConfig = field(default_factory=CriticConfig)
    gradient: AbstractGradient = field(default_factory=Reinforce)
    """How the actor learns from dreams."""
    scale: AbstractScale = field(default_factory=RangeScale)
    """What advantages are divided by."""
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
    cont_mode: bool = False
    """In dreams an episode goes on or ends, whichever is likelier (2023), instead of going on with
    the predicted probability."""
    true_root: bool = False
    """Whether an episode ends at the replayed start of a dream is read from its row (V2, 2023)
    instead of predicted."""
    own_reward: bool = False
    """The value of a state includes the reward of arriving in it (V2), so that an action is judged
    by the state it leads to; off: it begins with the next reward (V3)."""
    slow_rate: float = 0.02
    """Share of the critic mixed into the slow critic at an update of it."""
    slow_every: int = 1
    """Updates between those."""
    slow_copy_first: bool = False
    """The first update of the slow critic copies the critic whole (V2, 2023)."""
    slow_reg: float = 1.0
    """Weight of the pull of the critic towards the slow critic."""
    slow_target: bool = False
    """Bootstrap returns from the slow critic instead of the critic."""
    baseline: Literal["target", "critic", "slow"] = "target"
    """What the return is compared with: the critic that bootstraps it (target), the critic, or the
    slow critic."""
    replay_value: bool = True
    """The critic also learns from replayed rewards (behavior.critic.replay_weight)."""
    replay_grad: bool = True
    """The replay value loss also trains the representation."""
    actor_grad_start: bool = False
    """Actor and critic losses at the replayed start state also train the representation."""
    reward_momentum: float = 1.0
    """Momentum of the running mean magnitude that divides imagined rewards (V2); 1: no division."""

    def __post_init__(self):
        check = Checker(self, "behavior.")
        check.at_least(1, "imagine", "slow_every")
        check.at_least(0, "starts", "slow_reg")
        check.above(1, "horizon")
        check.share("lam", "reward_momentum")
        check.share("slow_rate", zero=False)
        rule = "False while behavior.contdisc is True: the mode of the head has no discount"
        check.require(not (self.cont_mode and self.contdisc), "cont_mode", rule)
        rule = (
            "False while behavior.own_reward is True: replayed returns begin with the next reward"
        )
        check.require(not (self.replay_value and self.own_reward), "replay_value", rule)
        rule = (
            "0 or at least 2 while behavior.replay_value is True: a replayed return takes two rows"
        )
        check.require(not self.replay_value or self.starts != 1, "starts", rule)
