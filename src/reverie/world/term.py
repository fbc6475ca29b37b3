"""What every further loss of the world model has in common: options, a module, values.

The objective (`objective.py`) is one term, and `world.extras` takes any number of others: a loss
with a head of its own is one record in one file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from jaxtyping import Array, Float, PRNGKeyArray

from reverie.nn.loss import Loss
from reverie.nn.options import NetConfig
from reverie.part.part import Part
from reverie.records import Sequence, Specs
from reverie.world.dynamics import Observed


@dataclass(frozen=True)
class Shapes:
    """What a head can be built for."""

    obs: Specs
    actions: Specs
    deter: int
    stoch: int
    """Width of the stochastic half laid flat."""
    tokens: int
    """Of the encoded observation."""
    hidden: int
    """Width of the dynamics' hidden layers."""
    encoder: Any
    """Options of the encoder (`encoder.EncoderConfig`), which a decoder mirrors."""

    @property
    def feature(self) -> int:
        """Width of what every head reads, concat(deter, flat stoch)."""
        return self.deter + self.stoch

    @property
    def action(self) -> int:
        """Width of the embedded action."""
        return sum(spec.width for spec in self.actions.values())


class AbstractTerm(Part):
    """A loss of the world model beside reward, continuation and dynamics."""

    def outline(self, obs: Specs, actions: Specs) -> tuple[Loss, ...]:
        """Its losses without their values: names, weights and groups."""
        return ()

    def build(self, shapes: Shapes, net: NetConfig, *, key: PRNGKeyArray) -> Any:
        """The module that holds its parameters; None where it has none."""
        return None

    def losses(
        self, model: Any, observed: Observed, rows: Sequence
    ) -> Mapping[str, Float[Array, "b t"]]:
        """Values of the losses of `outline` by name, unweighted.

        Args:
            model: what `build` gave, in the compute dtype.
            observed: states, tokens and actions of the trained rows; gradients reach the whole
                world model through them (`jax.lax.stop_gradient` where they should not).
            rows: the rows themselves; `action[t]` was chosen at row t, `observed.action[t]` is the
                embedded one that led to it.
        """
        return {}


class AbstractExtra(AbstractTerm):
    """A further loss, with a head of its own where it needs one."""

    SLOT = "world.extras"
    MEMBERS: ClassVar[Mapping[str, str]] = {}
