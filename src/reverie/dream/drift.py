"""How far: dreams leave reality under the same actions."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from reverie.config.schema import Config
from reverie.dream.branch import Observed
from reverie.dream.errors import DreamError, check_whole
from reverie.dream.inspector import Inspector
from reverie.dream.programs import CHUNK, WIDE, keys_of
from reverie.dream.session import Session
from reverie.nn.axes import fold
from reverie.world.model import transform_reward

SAMPLES = 32
"""Dreams of one band."""


class Drift(NamedTuple):
    """How far H dreamed rows of many dreams are from reality, quantiles (H, 3) of 10, 50, 90 %."""

    error: dict[str, np.ndarray]  # by observation key, in the units of `distance`
    still: dict[str, np.ndarray]  # (H,) of a model that says nothing changes
    looked: dict[str, np.ndarray]  # (H,) of the model when it sees the row itself
    reward: np.ndarray  # (H, 3) predicted
    true_reward: np.ndarray  # (H,)


def drift(
    session: Session,
    row: int,
    number: int | None = None,
    *,
    horizon: int | None = None,
    samples: int = SAMPLES,
) -> Drift:
    """How dreams from a row leave reality under the recorded actions.

    Args:
        row: of the episode, or of branch `number`, whose actions up to there are the recorded ones.
        horizon: dreamed rows, 1 ... 16; None: 16, or as many as follow.
        samples: dreams, 2 ... 64.

    Raises DreamError where fewer rows follow, and where nobody knows what follows.
    """
    seen, (begin, row) = session.seen(), _begin(session, row, number)
    check_whole("samples", samples, 2, WIDE)
    most = min(CHUNK, seen.episode.rows - 1 - row)
    if most < 1:
        raise DreamError(f"no row follows row {row}, with which a dream could be compared.")
    horizon = most if horizon is None else horizon
    check_whole("horizon", horizon, 1, most, where=f" from row {row} on")
    inspector = session.inspector
    start = jax.tree.map(lambda x: np.repeat(np.asarray(x), samples, 0), begin)
    given = {key: value[:horizon] for key, value in windows(seen, np.full(samples, row)).items()}
    rolled = inspector.many(start, given, keys_of(0, samples), 1)
    states, feature = fold((rolled.state, rolled.readings.feature))
    shown = inspector.look(states, np.asarray(feature), seen)
    rows = np.arange(row + 1, row + 1 + horizon)
    found = {key: _compared(inspector, seen, key, rows, value) for key, value in shown.items()}
    error, still, looks = ({key: value[i] for key, value in found.items()} for i in range(3))
    true = learned(seen.episode.reward[rows], inspector.loaded.config)
    return Drift(error, still, looks, _band(np.asarray(rolled.readings.reward)), true)


def _begin(session: Session, row: int, number: int | None) -> tuple[Any, int]:
    """The state (1, …) in which the dreams begin, and its row of the episode."""
    seen = session.seen()
    if number is None:
        return seen.state(session.row_number(row, seen.episode.rows, "the episode")), row
    branch = session.find(number)
    at = session.row_number(row, len(branch.rows), f"branch {number}")
    taken = branch.taken[: branch.depth - (len(branch.rows) - 1 - at)]
    if not session.follows(branch.origin, taken):
        raise DreamError(
            f"drift is measured against what followed in the episode, which branch {number} has "
            f"left before this row: ask it of row {branch.origin} of the episode, where the dream "
            "began, or of a branch under the recorded actions."
        )
    return branch.states[at], branch.origin + len(taken)


def _compared(
    inspector: Inspector, seen: Observed, key: str, rows: np.ndarray, dreamed: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The error of the dreams (H · N, …) of `rows`, and the lines beside it."""
    truth = seen.episode.obs[key]
    scale, real = _scale(truth), truth[rows]
    looked = np.stack([seen.shown(at)[key] for at in rows]) if inspector.decodes else real
    dreamed = dreamed.reshape(len(rows), -1, *real.shape[1:])
    band = _band(distance(dreamed, real[:, None], scale))
    return band, distance(truth[rows[0] - 1][None], real, scale), distance(looked, real, scale)


def learned(reward: np.ndarray, config: Config) -> np.ndarray:
    """Rewards as the agent learns them."""
    return np.asarray(transform_reward(jnp.asarray(reward), config.world.reward))


def distance(dreamed: np.ndarray, real: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """How far pictures are (mean difference of a pixel, 0 ... 255), numbers (root mean square, in
    units of `scale`), or classes (share of those that differ); all axes but those of `scale` stay.
    """
    difference = (dreamed.astype(np.float32) - real.astype(np.float32)) / scale
    axes = tuple(range(difference.ndim - scale.ndim, difference.ndim))
    if dreamed.dtype == np.uint8:
        return np.abs(difference).mean(axes)
    if dreamed.dtype == np.int32:
        return (difference != 0).mean(axes)
    return np.sqrt(np.square(difference).mean(axes))


def _scale(truth: np.ndarray) -> np.ndarray:
    """1 for pictures and classes; the standard deviation of every number, 1 where it never
    changes."""
    if truth.dtype != np.float32:
        return np.ones(truth.shape[1:], np.float32)
    spread = truth.std(0)
    return np.where(spread > 1e-6, spread, 1.0)


def _band(values: np.ndarray) -> np.ndarray:
    """(H, N) -> (H, 3)."""
    return np.quantile(values, (0.1, 0.5, 0.9), axis=1).T


def windows(seen: Observed, rows: np.ndarray) -> dict[str, np.ndarray]:
    """The recorded actions (CHUNK, N, components) from N rows on; beyond the end the last one."""
    at = np.minimum(rows[None] + np.arange(CHUNK)[:, None], seen.episode.rows - 1)
    return {key: value[at] for key, value in seen.episode.action.items()}
