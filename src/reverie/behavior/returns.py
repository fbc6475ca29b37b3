"""Returns along one trajectory, and the running magnitude that may divide imagined rewards."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from reverie.behavior.options import BehaviorConfig
from reverie.module import Module


def lambda_return(
    reward: Float[Array, " H"],
    cont: Float[Array, " H"],
    value: Float[Array, " H"],
    lam: Float[Array, " H"] | float,
) -> Float[Array, " H"]:
    """Bootstrapped λ-return at every step of one trajectory.

        Rₜ = rₜ + cₜ [(1 − λₜ) vₜ + λₜ Rₜ₊₁],   closed by R_H = v_{H−1}

    Element t of every input belongs to the *arrival* in state t + 1 from t; the result belongs to
    the departure states. λ = 0 gives one-step targets, λ = 1 the discounted sum closed by the last
    value; λₜ = 0 at one step cuts the recursion there, as the last row of an episode needs.

    Args:
        reward: environment units.
        cont: discount times the probability of going on, in [0, 1].
        value: bootstrap at the arrival state, units of `reward`.
        lam: in [0, 1].

    Every step is a linear function of the return that follows, Rₜ = aₜ + bₜ Rₜ₊₁. Functions are
    composed in pairs, which takes log H rounds instead of H steps.

    Source: DreamerV3 (arXiv:2301.04104v2), Eq. 7.
    """

    def composed(later, earlier):
        (a, b), (c, d) = later, earlier
        return c + d * a, d * b

    mix = jnp.broadcast_to(jnp.asarray(lam, reward.dtype), reward.shape)
    steps = (reward + cont * (1.0 - mix) * value, cont * mix)
    base, slope = jax.lax.associative_scan(composed, steps, reverse=True)
    return base + slope * value[-1]


def imagined_return(
    reward: Float[Array, " K"],
    cont: Float[Array, " K"],
    value: Float[Array, " K"],
    config: BehaviorConfig,
) -> tuple[Float[Array, " H"], Float[Array, " K"]]:
    """λ-returns of the first H = K − 1 imagined states, and the weight of every state.

    Element t of every input belongs to imagined state t. The weight is the probability, discount
    included, that the trajectory is still alive: the running product of `cont`, the start's own
    included.

    With `own_reward` the return of a state begins with the reward of that state,
    Vₜ = rₜ + dₜ [(1 − λ) vₜ₊₁ + λ Vₜ₊₁], and its weight is the product of the discounts *before*
    it: 1 at the start. Source: DreamerV2 (arXiv:2010.02193), Eq. 4, and its official code.
    """
    gamma = 1.0 if config.contdisc else discount_of(config)
    discount = cont * gamma
    if config.own_reward:
        returns = lambda_return(reward[:-1], discount[:-1], value[1:], config.lam)
        return returns, jnp.cumprod(jnp.concatenate([jnp.ones_like(cont[:1]), discount[:-1]]))
    returns = lambda_return(reward[1:], discount[1:], value[1:], config.lam)
    return returns, jnp.cumprod(discount) / gamma


def discount_of(config: BehaviorConfig) -> float:
    """γ of the discount horizon."""
    return 1.0 - 1.0 / config.horizon


def certain_of(config: BehaviorConfig) -> float:
    """The continue factor of a step after which the episode surely goes on: with `contdisc` the
    head learns the discount too."""
    return discount_of(config) if config.contdisc else 1.0


def replay_return(
    reward: Float[Array, " T"],
    is_last: Array,
    is_terminal: Array,
    bootstrap: Float[Array, " T"],
    config: BehaviorConfig,
) -> Float[Array, " H"]:
    """λ-returns of the first T − 1 rows of a replayed sequence.

    `bootstrap` at row t is the return imagined from there; the recursion stops at the last row of
    an episode and nothing follows a terminal one. Source: DreamerV3 (arXiv:2301.04104v2), section
    "Critic learning".
    """
    gamma = discount_of(config)
    cont = (1.0 - is_terminal[1:].astype(jnp.float32)) * gamma
    lam = (1.0 - is_last[1:].astype(jnp.float32)) * config.lam
    return lambda_return(reward[1:], cont, bootstrap[1:], lam)


class RewardScale(Module):
    """Running mean magnitude of imagined rewards, which divides them. Starts at 1.

    Source: the official DreamerV2 code (`StreamNorm`); its configurations leave it off.
    """

    magnitude: Float[Array, ""]

    @classmethod
    def initial(cls) -> "RewardScale":
        return cls(jnp.ones(()))

    @classmethod
    def wanted(cls, config: BehaviorConfig) -> "RewardScale | None":
        """The first one, or None where rewards are not divided."""
        return cls.initial() if config.reward_momentum < 1 else None

    def update(self, reward: Float[Array, "..."], config: BehaviorConfig) -> "RewardScale":
        """The magnitude after seeing all rewards of a batch."""
        keep, seen = config.reward_momentum, jnp.abs(jax.lax.stop_gradient(reward)).mean()
        return RewardScale(keep * self.magnitude + (1.0 - keep) * seen)

    def divide(self, reward: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """`reward` in units of the magnitude."""
        return reward / (self.magnitude + 1e-8)
