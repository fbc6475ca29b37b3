"""The value of a schedule at a step of the run."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from reverie.part.schedule import Scheduled, parse


def value_at(scheduled: Scheduled, step: Float[Array, "*n"] | float) -> Float[Array, "*n"] | float:
    """What `scheduled` (see `part/schedule.py`) is at agent step `step`; a constant stays one.

    Source: the official DreamerV2 code, `schedule`.
    """
    if not isinstance(scheduled, str):
        return scheduled
    step = jnp.asarray(step, jnp.float32)
    match parse(scheduled):
        case ("linear", (a, b, duration)):
            return _between(a, b, step / duration)
        case ("warmup", (duration, value)):
            return _between(0.0, value, step / duration)
        case ("exp", (a, b, half)):
            return (a - b) * 0.5 ** (step / half) + b
        case ("horizon", (a, b, duration)):
            return 1.0 - 1.0 / _between(a, b, step / duration)
        case other:
            raise AssertionError(other)


def _between(a: float, b: float, share: Float[Array, "*n"]) -> Float[Array, "*n"]:
    mix = jnp.clip(share, 0.0, 1.0)
    return (1.0 - mix) * a + mix * b
