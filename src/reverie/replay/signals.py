"""What a step is worth, from what an update found out about it and how often it was trained on."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, UInt

from reverie.replay.options import ScoreConfig

Combine = Callable[[Float[np.ndarray, " N"], UInt[np.ndarray, " N"]], Float[np.ndarray, " N"]]

COUNTED = ("curious", "visits")
"""Signals that fall with the number of times a step was trained on."""


def curious(
    loss: Float[np.ndarray, " N"], visits: UInt[np.ndarray, " N"], config: ScoreConfig
) -> Float[np.ndarray, " N"]:
    """Count and surprise: c βᵛ + (L + ε)ᵃ.

    Args:
        loss: L, world-model loss of the step, nats and squared errors; at least 0.
        visits: v, times the step was trained on, the present update included.
        config: c `visit_scale`, β `visit_decay`, a `loss_power`, ε `offset`.

    Source: Curious Replay (arXiv:2306.15934), Eq. 3, with the published code's order: the visit
    is counted before the score is computed (the paper's Algorithm 1 counts it after).
    """
    return rarely(visits, config) + (loss.astype(np.float64) + config.offset) ** config.loss_power


def rarely(visits: UInt[np.ndarray, " N"], config: ScoreConfig) -> Float[np.ndarray, " N"]:
    """The count term alone: c βᵛ."""
    return config.visit_scale * config.visit_decay ** visits.astype(np.float64)


def make_combine(config: ScoreConfig) -> Combine:
    """The score of steps from the update's output and their visits, at least 0."""
    match config.signal:
        case "curious":
            return lambda raw, visits: curious(raw, visits, config)
        case "visits":
            return lambda raw, visits: rarely(visits, config) + config.offset
        case "td":
            return lambda raw, visits: np.abs(raw.astype(np.float64)) + config.offset
        case _:
            return lambda raw, visits: raw.astype(np.float64)
