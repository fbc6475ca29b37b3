"""Actions as one input vector."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from reverie.records import Specs


def embed_action(action: dict[str, Array], specs: Specs) -> Float[Array, "*n a"]:
    """Actions by key as one vector: classes one-hot, numbers as they are, keys sorted.

    Components beyond ±1 are scaled back to ±1; the divisor is a constant for the gradient.
    `action` is flat: (*n, components).
    """
    parts = []
    for key, spec in sorted(specs.items()):
        value = action[key]
        if spec.kind == "discrete":
            for i, classes in enumerate(spec.classes):
                parts.append(jax.nn.one_hot(value[..., i], classes, dtype=jnp.float32))
        else:
            parts.append(value.astype(jnp.float32))
    joint = jnp.concatenate(parts, -1)
    return joint / jax.lax.stop_gradient(jnp.maximum(1.0, jnp.abs(joint)))
