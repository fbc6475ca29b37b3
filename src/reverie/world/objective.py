"""The slot of the objective: what ties latents to observations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from jaxtyping import Array, Float

from reverie.records import Latent
from reverie.world.term import AbstractTerm


class AbstractObjective(AbstractTerm):
    """Losses of the group `observation`, and how a latent looks.

    Balancing counts those losses as the task `obs`; a name there is an observation key or a name of
    its own.
    """

    SLOT = "world.objective"
    MEMBERS: ClassVar[Mapping[str, str]] = {
        "reconstruction": "reverie.world.reconstruction:Reconstruction",
        "nothing": "reverie.world.objective:Nothing",
    }

    weight: float = 1.0
    """Weight of its losses in the total, an option where it has any."""

    def check(self, widths: tuple[int, int]) -> None:
        """Raises ConfigError where states of these widths (deter, flat stoch) do not fit."""

    def observations(self, model: Any, view: Latent) -> dict[str, Array] | None:
        """How latents (N, …) look: pictures in uint8 and numbers in their own units by key.

        None where the objective cannot tell; dreams are then shown by the nearest observations.
        """
        return None

    def classes(self, model: Any, view: Latent) -> dict[str, Array]:
        """The most probable classes of latents (N, …), of the observations that are classes; those
        of which it cannot tell them are left out."""
        return {}

    def explained(
        self, model: Any, view: Latent, obs: Mapping[str, Array]
    ) -> dict[str, Float[Array, ""]]:
        """How much of what varies in observations (N, …) their own latents (N, …) tell, by key.

        1 is all of it, 0 what a constant guess tells as well; not a number where nothing varies.
        Keys of which the objective tells nothing are left out.
        """
        return {}


@dataclass(frozen=True)
class Nothing(AbstractObjective):
    """No loss on observations: reward, continuation and dynamics alone shape the latents."""
