"""Networks on the feature (deter, stoch) that end in a distribution."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.module import Module, static
from reverie.nn.distributions import Bernoulli, Categorical, Normal, SquaredError, TwoHot
from reverie.nn.layers import MLP, NET, Linear
from reverie.nn.options import ActorConfig, ContConfig, CriticConfig, NetConfig, RewardConfig
from reverie.nn.truncated import TruncatedNormal
from reverie.records import Spec, Specs

Number = TwoHot | SquaredError
"""What a `NumberHead` predicts: `mean`, `nll`, `nll_pulled`."""


def trunk_and_out(
    inputs: int,
    outputs: int,
    config: RewardConfig | CriticConfig | ContConfig,
    net: NetConfig,
    key: PRNGKeyArray,
) -> tuple[MLP, Linear]:
    """The hidden layers of a head and its output layer."""
    trunk_key, out_key = jax.random.split(key)
    width = config.units if config.layers else inputs
    trunk = MLP(inputs, config.units, config.layers, net, key=trunk_key)
    return trunk, Linear(width, outputs, scale=config.outscale, init=net.init, key=out_key)


class NumberHead(Module):
    """A real number, reward or value, by the distribution that the configuration names."""

    trunk: MLP
    out: Linear
    dist: str = static(default="twohot")

    def __init__(
        self,
        inputs: int,
        config: RewardConfig | CriticConfig,
        net: NetConfig = NET,
        *,
        key: PRNGKeyArray,
    ):
        outputs = 1 if config.dist == "gauss" else config.bins
        self.trunk, self.out = trunk_and_out(inputs, outputs, config, net, key)
        self.dist = config.dist

    def __call__(self, feature: Float[Array, "*n f"]) -> Number:
        x = self.out(self.trunk(feature))
        match self.dist:
            case "gauss":
                return SquaredError(x[..., 0], weight=0.5)
            case kind:
                return TwoHot(x, symlog=kind == "symlog_twohot")


class BernoulliHead(Module):
    """The probability of an event: that the episode goes on."""

    trunk: MLP
    out: Linear

    def __init__(self, inputs: int, config: ContConfig, net: NetConfig = NET, *, key: PRNGKeyArray):
        self.trunk, self.out = trunk_and_out(inputs, 1, config, net, key)

    def __call__(self, feature: Float[Array, "*n f"]) -> Bernoulli:
        return Bernoulli(self.out(self.trunk(feature))[..., 0])


class DiscreteOut(Module):
    """Independent categories, one a component; components may differ in their classes."""

    logits: Linear
    spec: Spec = static()
    unimix: float = static()

    def __call__(self, x: Float[Array, "*n i"]) -> list[Categorical]:
        logits, parts, start = self.logits(x), [], 0
        for classes in self.spec.classes:
            parts.append(Categorical(logits[..., start : start + classes], self.unimix))
            start += classes
        return parts


class ContinuousOut(Module):
    """One distribution over all components (see `ActorConfig.dist`)."""

    mean: Linear
    stddev: Linear
    spec: Spec = static()
    low: float = static()
    high: float = static()
    dist: str = static(default="bounded")

    def __call__(self, x: Float[Array, "*n i"]) -> list[Normal] | list[TruncatedNormal]:
        if self.dist == "truncated":
            return [TruncatedNormal.squashed(self.mean(x), self.stddev(x), self.low)]
        return [Normal.bounded(self.mean(x), self.stddev(x), self.low, self.high)]


Continuous = Normal | TruncatedNormal


class Policy(Module):
    """A distribution over dicts of actions: independent parts, by action key.

    Actions are flat here: discrete keys int32 (..., components), continuous float32 (..., size).
    """

    parts: dict[str, list[Any]]  # one `Continuous`, or a `Categorical` for each component

    def nll(self, action: dict[str, Array]) -> Float[Array, "..."]:
        """−log π of the joint action, summed over keys and components."""
        total = 0.0
        for key, dists in self.parts.items():
            if isinstance(dists[0], Continuous):
                total = total + dists[0].nll(action[key]).sum(-1)
            else:
                total = total + sum(d.nll(action[key][..., i]) for i, d in enumerate(dists))
        return jnp.asarray(total)

    def entropy(self) -> dict[str, Float[Array, "..."]]:
        """Entropy of each key, nats, summed over its components."""
        return {
            key: dists[0].entropy().sum(-1)
            if isinstance(dists[0], Continuous)
            else jnp.asarray(sum(d.entropy() for d in dists))
            for key, dists in self.parts.items()
        }

    def sample(self, noise: dict[str, Array]) -> dict[str, Array]:
        """The action that belongs to `noise` (see `Actor.noise`)."""
        return {
            key: dists[0].sample(noise[key])
            if isinstance(dists[0], Continuous)
            else jnp.stack([d.sample(noise[key][..., i]) for i, d in enumerate(dists)], -1)
            for key, dists in self.parts.items()
        }

    def relaxed(self, noise: dict[str, Array]) -> dict[str, Array]:
        """The action of `sample` as network input (…, width), with a gradient to the policy.

        Continuous keys are the sample itself; discrete ones are one-hot vectors whose gradient is
        that of the probabilities (straight through).
        """
        return {
            key: dists[0].sample(noise[key])
            if isinstance(dists[0], Continuous)
            else jnp.concatenate(
                [d.sample_straight_through(noise[key][..., i]) for i, d in enumerate(dists)], -1
            )
            for key, dists in self.parts.items()
        }

    def mode(self) -> dict[str, Array]:
        """The most likely action."""
        return {
            key: dists[0].mode()
            if isinstance(dists[0], Continuous)
            else jnp.stack([d.mode() for d in dists], -1)
            for key, dists in self.parts.items()
        }


class Actor(Module):
    """The policy network: one trunk, one output a key of the action."""

    trunk: MLP
    outs: dict[str, DiscreteOut | ContinuousOut]

    def __init__(
        self,
        inputs: int,
        actions: Specs,
        config: ActorConfig,
        net: NetConfig = NET,
        *,
        key: PRNGKeyArray,
    ):
        trunk_key, *keys = jax.random.split(key, 1 + 2 * len(actions))
        self.trunk = MLP(inputs, config.units, config.layers, net, key=trunk_key)
        width = config.units if config.layers else inputs
        low, high, kind = config.minstd, config.maxstd, config.dist

        def linear(size, key):
            return Linear(width, size, scale=config.outscale, init=net.init, key=key)

        self.outs = {
            name: DiscreteOut(linear(spec.width, a), spec, config.unimix)
            if spec.kind == "discrete"
            else ContinuousOut(linear(spec.size, a), linear(spec.size, b), spec, low, high, kind)
            for (name, spec), a, b in zip(
                sorted(actions.items()), keys[::2], keys[1::2], strict=True
            )
        }

    def __call__(self, feature: Float[Array, "*n f"]) -> Policy:
        x = self.trunk(feature)
        return Policy({name: out(x) for name, out in self.outs.items()})

    def noise(self, key: PRNGKeyArray, shape: tuple[int, ...]) -> dict[str, Array]:
        """What `Policy.sample` turns into actions, each (*shape, components).

        Uniform numbers for categories and truncated normals, normal ones for bounded normals.
        """
        keys = jax.random.split(key, len(self.outs))
        return {
            name: (jax.random.uniform if is_uniform(out) else jax.random.normal)(
                k, (*shape, out.spec.size)
            )
            for (name, out), k in zip(self.outs.items(), keys, strict=True)
        }


def is_uniform(out: DiscreteOut | ContinuousOut) -> bool:
    """Whether samples of this output are functions of uniform numbers (else of normal ones)."""
    return isinstance(out, DiscreteOut) or out.dist == "truncated"
