"""What an update found out about its batch, where a signal looks for the score of a row."""

from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, Float

from reverie.behavior.actor_critic import Targets
from reverie.nn.loss import Loss, by_name


@dataclass(frozen=True)
class Found:
    """Numbers of one update on B sequences of T trained rows. Nothing read here enters a loss."""

    shape: tuple[int, int]
    """(B, T)."""
    losses: tuple[Loss, ...]
    """All losses, each with a value (B, T) for every row."""
    targets: Targets
    """Of the dreams, which begin in every trained row, (H, B·T)."""
    zero: Float[Array, ""]
    """The return that `behavior.scale` counts from after this batch."""
    scale: Float[Array, ""]
    """What advantages are divided by."""
    free_nats: float
    """Surprise below which the latents' loss does not fall."""
    surprise: Callable[[], Float[Array, "B T"]]
    """Computes the KL of the posterior from the prior, before any floor, nats."""
    disagreement: Callable[[], Float[Array, "B T"]]
    """Computes how much the explorer's ensemble disagrees about what follows every row."""

    def loss(self, name: str) -> Float[Array, "B T"]:
        """The loss of this name, unweighted."""
        return by_name(self.losses)[name]

    def group(self, name: str) -> list[tuple[float, Float[Array, "B T"]]]:
        """Weights and values of the losses of a group, unweighted, in their order."""
        return [(x.weight, x.value) for x in self.losses if x.group == name and x.value is not None]

    def on_rows(self, x: Float[Array, " N"]) -> Float[Array, "B T"]:
        """Numbers of the dreams' starts as numbers of the rows that they began in."""
        return x.reshape(self.shape)


def model_loss(found: Found) -> Float[Array, "B T"]:
    """Sum of the world model's losses at their fixed weights, whatever balances them."""
    others = ("behavior", "explorer")
    parts = [
        loss.weight * loss.value
        for loss in found.losses
        if loss.group not in others and loss.value is not None
    ]
    return jnp.asarray(sum(parts))
