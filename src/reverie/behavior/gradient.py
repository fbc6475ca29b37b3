"""The slot of actor gradients: how a policy learns from dreams.

    loss = −w · (gain + η·Σ H[π])

A part says what the gain of every judged departure is; w is the probability that the dream still
goes on there, η the weight of the entropy (`behavior.actor.entropy`).
Sources: DreamerV3 (arXiv:2301.04104v2), Eq. 8; DreamerV2 (arXiv:2010.02193), Eq. 6.
"""

import dataclasses
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

from jaxtyping import Array, Float

from reverie.behavior.schedule import value_at
from reverie.part.checks import Checker
from reverie.part.needs import UNSCALED, Need
from reverie.part.part import Part
from reverie.part.schedule import Scheduled

Climbed = Literal["advantage", "return"]
"""What gradients through the dream increase."""


class Through(NamedTuple):
    """What gradients through the dream may increase; these carry one if the dream did."""

    advantage: Float[Array, "m n"]  # divided by the scale
    returns: Float[Array, "m n"]  # units of the reward


class Judged(NamedTuple):
    """The M departures of N dreams that are judged."""

    nll: Float[Array, "m n"]  # of the action that was taken, with the policy's gradient
    advantage: Float[Array, "m n"]  # divided by the scale, without gradient
    through: Through


class AbstractGradient(Part):
    """How the actor learns from dreams."""

    SLOT = "behavior.gradient"
    MEMBERS: ClassVar[dict[str, str]] = {
        "reinforce": "reverie.behavior.gradient:Reinforce",
        "dynamics": "reverie.behavior.gradient:Dynamics",
        "mixed": "reverie.behavior.gradient:Mixed",
        "auto": "reverie.behavior.gradient:Auto",
    }

    @property
    def through(self) -> bool:
        """Whether the dream is differentiated; `judged.through` then carries its gradient."""
        return False

    def for_actions(self, *, continuous: bool) -> "AbstractGradient":
        """The part to use where every action is continuous, or where some are not."""
        return self

    def gain(self, judged: Judged, step: Array) -> Float[Array, "m n"]:
        """What the policy increases; `step` counts environment steps, for schedules."""
        raise NotImplementedError(f"{type(self).__name__} has no gain.")

    def bonus(self, entropy: Float[Array, "m n"]) -> Float[Array, "m n"] | None:
        """What is added to the last M returns that the critic learns, given the weighted entropy
        of the policy at the judged departures; None: nothing."""
        return None


@dataclass(frozen=True)
class Reinforce(AbstractGradient):
    """log π(a)·A: the likelihood of actions that went well."""

    def gain(self, judged: Judged, step: Array) -> Float[Array, "m n"]:
        return -judged.nll * judged.advantage


@dataclass(frozen=True)
class Dynamics(AbstractGradient):
    """The advantage or the return itself, differentiated through the dream."""

    climb: Climbed = "advantage"
    """What increases: the scaled advantage (2023) or the plain return (V2)."""
    entropy_in_target: bool = False
    """Bug of HarmonyDream's PyTorch code, for comparison with it: without a scale, the critic
    learns the entropy bonus of the last action as if it were reward."""

    def needs(self) -> frozenset[Need]:
        return frozenset({UNSCALED}) if self.entropy_in_target else frozenset()

    @property
    def through(self) -> bool:
        return True

    def gain(self, judged: Judged, step: Array) -> Float[Array, "m n"]:
        return _climbed(judged, self.climb)

    def bonus(self, entropy: Float[Array, "m n"]) -> Float[Array, "m n"] | None:
        return entropy if self.entropy_in_target else None


@dataclass(frozen=True)
class Mixed(AbstractGradient):
    """m·C + (1 − m)·log π(a)·A, where C is what `dynamics` increases."""

    mix: Scheduled = 0.1
    """Share m of the dynamics gradient: a number or a schedule."""
    climb: Climbed = "advantage"
    """What increases through the dream, as in `dynamics`."""

    def __post_init__(self):
        Checker(self, "behavior.gradient.").schedule("mix", high=1.0)

    @property
    def through(self) -> bool:
        return True

    def gain(self, judged: Judged, step: Array) -> Float[Array, "m n"]:
        mix = value_at(self.mix, step)
        likely = -judged.nll * judged.advantage
        return mix * _climbed(judged, self.climb) + (1.0 - mix) * likely


@dataclass(frozen=True)
class Auto(Dynamics):
    """`dynamics` where every action is continuous, else `reinforce` (V2, 2023)."""

    def for_actions(self, *, continuous: bool) -> AbstractGradient:
        if not continuous:
            return Reinforce()
        options = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return Dynamics(**options)


def _climbed(judged: Judged, what: Climbed) -> Float[Array, "m n"]:
    return judged.through.advantage if what == "advantage" else judged.through.returns
