"""The loss of one observation key: what is predicted, how wrong it is, what a constant would be."""

from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from reverie.nn.distributions import Categorical, SquaredError
from reverie.nn.scaling import symlog
from reverie.records import Spec

Prediction = SquaredError | list[Categorical]


def vector_prediction(
    output: Float[Array, "n w"], spec: Spec, vector: Literal["symlog", "gauss"]
) -> Prediction:
    if spec.kind == "vector" and vector == "gauss":
        return SquaredError(output, weight=0.5)
    if spec.kind == "vector":
        return SquaredError(output, symlog=True)
    parts, start = [], 0
    for classes in spec.classes:
        parts.append(Categorical(output[:, start : start + classes]))
        start += classes
    return parts


def key_loss(pred: Prediction, target: Array, spec: Spec) -> Float[Array, " n"]:
    if isinstance(pred, SquaredError):
        if spec.kind == "image":
            return pred.nll(target.astype(jnp.float32) / 255).sum((1, 2, 3))
        return pred.nll(target.reshape(target.shape[0], -1)).sum(-1)
    flat = target.reshape(target.shape[0], -1)
    return jnp.asarray(sum(part.nll(flat[:, i]) for i, part in enumerate(pred)))


def constant_loss(
    target: Array, spec: Spec, *, image: Literal["sse", "gauss"], vector: Literal["symlog", "gauss"]
) -> Float[Array, ""]:
    """Mean loss over targets (N, …) of the best constant guess: the mean, or the frequencies."""
    flat = target.reshape(target.shape[0], -1)
    if spec.kind == "discrete":
        shares = [jax.nn.one_hot(flat[:, i], n).mean(0) for i, n in enumerate(spec.classes)]
        return jnp.asarray(sum(jax.scipy.special.entr(share).sum() for share in shares))
    numbers = flat.astype(jnp.float32)
    if spec.kind == "image":
        return (0.5 if image == "gauss" else 1.0) * (numbers / 255).var(0).sum()
    return 0.5 * numbers.var(0).sum() if vector == "gauss" else symlog(numbers).var(0).sum()
