"""The slot of dynamics: what state the world model keeps, and how it moves.

A record here says the options, the widths that others need and what of a state replay stores; it
builds a `Dynamics`, the module with the parameters. What a state *is*, nobody else knows: any tree
of arrays that begin with the same axes. All others read a state through `view`.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from reverie.module import Module
from reverie.nn.loss import Loss
from reverie.nn.options import NetConfig
from reverie.nn.scan import ScanForm
from reverie.part.part import Part
from reverie.records import Latent

State = Any
"""A state of the dynamics: arrays that begin with the same axes, (B, …) or (B, T, …)."""


class Observed(NamedTuple):
    """What the world model makes of B sequences of T trained steps."""

    state: State  # posterior, (B, T, …)
    view: Latent  # what networks read of it
    post: Any  # statistics of the posterior, begin with (B, T)
    prior: Any  # of the prior from the same history
    tokens: Array  # encoded observations (B, T, E)
    action: Array  # embedded actions that led to each row (B, T, A)


def feature(view: Latent) -> Float[Array, "*n f"]:
    """What every head reads: concat(deter, flat stoch)."""
    deter, stoch = view
    flat = stoch.reshape(*deter.shape[:-1], -1).astype(deter.dtype)
    return jnp.concatenate([deter, flat], -1)


class AbstractDynamics(Part):
    """Options of a dynamics, and what can be known before it is built."""

    SLOT = "world.dynamics"
    MEMBERS: ClassVar[Mapping[str, str]] = {"rssm": "reverie.world.rssm:RSSMConfig"}

    @property
    @abstractmethod
    def widths(self) -> tuple[int, int]:
        """Widths of what networks read: of `deter`, and of `stoch` laid flat."""

    @property
    @abstractmethod
    def inner(self) -> int:
        """Width of its hidden layers, which others go by that have no width of their own."""

    @property
    def free_nats(self) -> float:
        """Surprise below which its loss does not fall, nats."""
        return 0.0

    @abstractmethod
    def outline(self) -> tuple[Loss, ...]:
        """Its losses without their values, of the group `dynamics`."""

    @abstractmethod
    def columns(self) -> Mapping[str, tuple[tuple[int, ...], Any]]:
        """What of a state replay stores: shape and dtype by name (`latent/NAME` there)."""

    def classes(self) -> Mapping[str, int]:
        """How many values those of the columns take that hold classes, by name."""
        return {}

    @abstractmethod
    def pack(self, state: State) -> dict[str, Array]:
        """States (B, T, …) as those columns."""

    @abstractmethod
    def unpack(self, stored: Mapping[str, Array], dtype: Any) -> State:
        """The states that `pack` gave, for networks that compute in `dtype`."""

    @abstractmethod
    def build(self, tokens: int, action: int, net: NetConfig, *, key: PRNGKeyArray) -> "Dynamics":
        """The module for so many tokens and an embedded action of so many numbers."""


class Dynamics(Module):
    """The parameters of a dynamics, and how a state moves."""

    @property
    @abstractmethod
    def dtype(self) -> jnp.dtype:
        """The compute dtype: that of the weights."""

    @abstractmethod
    def noise(self, key: PRNGKeyArray, shape: tuple[int, ...]) -> Float[Array, "*n z"]:
        """Numbers that decide samples, (*shape, Z)."""

    @abstractmethod
    def initial(self, batch: int, dtype: Any) -> State:
        """The state before the first observation."""

    @abstractmethod
    def observe(
        self,
        start: State,
        tokens: Float[Array, "b t e"],
        action: Float[Array, "b t a"],
        is_first: Bool[Array, "b t"],
        noise: Float[Array, "b t z"],
    ) -> tuple[State, Any]:
        """Posterior states along observed sequences, and their statistics.

        `start` is the state before the first step, `action` led to each observation; where
        `is_first` is set an episode begins, and nothing before it counts.
        """

    @abstractmethod
    def expected(self, state: State) -> Any:
        """Statistics of the prior that belong to states (B, T, …)."""

    def view(self, state: State) -> Latent:
        """What networks read of a state."""
        return state

    def prepared(self) -> Any:
        """The same module with its weights laid out for scans; call it once before one."""
        return self

    def in_form(self, form: ScanForm) -> Any:
        """The same module with its scans over observed time in the form that suits the device
        (`device.scan`, `device.unroll`). A module that has one form alone stays as it is."""
        return self

    def carry(self, state: State) -> Any:
        """A state (B, …) in the form in which it travels through a scan of `imagine`."""
        return state

    def state(self, carry: Any) -> State:
        """The state in `carry`."""
        return carry

    @abstractmethod
    def imagine(
        self, carry: Any, action: Float[Array, "b a"], noise: Float[Array, "b z"]
    ) -> tuple[Any, Any]:
        """One step without looking: the next carry from the prior, and the prior's statistics.

        The module must be `prepared`.
        """

    @abstractmethod
    def losses(self, post: Any, prior: Any) -> tuple[dict[str, Array], dict[str, Array]]:
        """Values (B, T) of the losses of `outline` by name, and metrics."""

    @abstractmethod
    def surprise(self, post: Any, prior: Any) -> Float[Array, "b t"]:
        """KL of the posterior from the prior before any floor, nats; replay's signals read it."""
