"""How the actor learns from dreams, as parts: what each increases, and what goes together."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import pytest

from reverie.behavior.gradient import (
    AbstractGradient,
    Auto,
    Dynamics,
    Judged,
    Mixed,
    Reinforce,
    Through,
)
from reverie.behavior.scale import AbstractScale, NoScale, RangeScale
from reverie.config.edit import apply
from reverie.config.presets import resolve
from reverie.config.schema import Config
from reverie.config.version_0_1 import today
from reverie.part.errors import ConfigError

NLL, ADVANTAGE, CLIMB, RETURNS = (jnp.full((3, 2), x) for x in (2.0, 0.5, 0.7, 9.0))
JUDGED = Judged(NLL, ADVANTAGE, Through(CLIMB, RETURNS))
STEP = jnp.asarray(50.0)


@pytest.mark.parametrize(
    ("gradient", "gain"),
    [
        (Reinforce(), -2.0 * 0.5),
        (Dynamics(), 0.7),
        (Dynamics(climb="return"), 9.0),
        (Mixed(0.25), 0.25 * 0.7 - 0.75 * 2.0 * 0.5),
        (Mixed("linear(0, 1, 100)", climb="return"), 0.5 * 9.0 - 0.5 * 2.0 * 0.5),
    ],
)
def test_what_the_policy_increases(gradient, gain):
    np.testing.assert_allclose(gradient.gain(JUDGED, STEP), np.full((3, 2), gain), rtol=1e-6)
    assert gradient.through == (not isinstance(gradient, Reinforce))


def test_the_automatic_one_depends_on_the_actions():
    auto = Auto("return", entropy_in_target=True)
    assert auto.for_actions(continuous=True) == Dynamics("return", entropy_in_target=True)
    assert auto.for_actions(continuous=False) == Reinforce()
    assert Mixed().for_actions(continuous=False) == Mixed()


def test_options_of_another_choice_do_not_exist():
    with pytest.raises(ConfigError, match=r"behavior\.gradient"):
        apply(Config(), {"behavior.gradient.mix": 0.2})
    mixed = apply(Config(), {"behavior.gradient": "mixed", "behavior.gradient.mix": 0.2})
    assert mixed.behavior.gradient == Mixed(0.2)
    with pytest.raises(ConfigError, match=r"behavior\.gradient\.mix must be in \[0, 1\]"):
        apply(Config(), {"behavior.gradient": "mixed", "behavior.gradient.mix": 2})
    with pytest.raises(ConfigError, match="Did you mean 'dynamics'"):
        apply(Config(), {"behavior.gradient": "dynamic"})


def test_the_entropy_is_learned_as_reward_only_without_a_scale():
    edits = {"behavior.gradient": "dynamics", "behavior.gradient.entropy_in_target": True}
    with pytest.raises(ConfigError, match=r"needs advantages that are not divided.*scale none"):
        apply(Config(), edits)
    assert apply(Config(), edits | {"behavior.scale": "none"}).behavior.scale == NoScale()


@pytest.mark.parametrize("gradient", ["dynamics", "mixed", "auto"])
def test_gradients_through_a_dream_take_its_start_as_it_is(gradient):
    edits = {"behavior.gradient": gradient, "behavior.actor_grad_start": True}
    with pytest.raises(
        ConfigError, match=rf"behavior\.gradient .'{gradient}'. must be 'reinforce'"
    ):
        apply(Config(), edits)


def test_version_0_1_named_them_otherwise():
    old = {
        "actor.grad": "mixed",
        "actor.mix": 0.3,
        "actor.climb": "return",
        "behavior.entropy_in_target": False,
        "behavior.return_norm": "range",
        "behavior.return_limit": 0.5,
        "behavior.return_low": 10.0,
    }
    behavior = apply(Config(), today(old)).behavior
    assert behavior.gradient == Mixed(0.3, "return")
    assert behavior.scale == RangeScale(low=10.0, limit=0.5)
    unscaled = today(old | {"behavior.return_norm": "none", "actor.grad": "reinforce"})
    behavior = apply(Config(), unscaled).behavior
    assert (behavior.gradient, behavior.scale) == (Reinforce(), NoScale())


@dataclass(frozen=True)
class Clipped(AbstractGradient):
    """The likelihood of good actions, of advantages that are bounded."""

    bound: float = 1.0
    """Largest advantage."""

    def gain(self, judged, step):
        return -judged.nll * jnp.clip(judged.advantage, -self.bound, self.bound)


@dataclass(frozen=True)
class Half(AbstractScale):
    """Two, whatever the returns are."""

    def divisor(self, seen):
        return jnp.full((), 2.0)


def test_an_agent_takes_those_of_a_user():
    overrides = {"behavior.gradient": Clipped(0.1), "behavior.scale": Half()}
    behavior = resolve("gym:X-v0", overrides=overrides).behavior
    np.testing.assert_allclose(behavior.gradient.gain(JUDGED, STEP), -0.2)
    assert behavior.scale.divisor(behavior.scale.initial()) == 2.0
