"""How honest: what dreams predicted of reward and continuation, beside what came."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from reverie.behavior.returns import discount_of
from reverie.dream.branch import Observed
from reverie.dream.drift import learned, windows
from reverie.dream.errors import DreamError
from reverie.dream.programs import key_of
from reverie.dream.session import CHUNK, Session

STARTS = 64
"""Dreams of one call."""
BINS = 10
FEW = 20
"""Predictions that a bin of rewards holds at least, where there are so many."""


class Bin(NamedTuple):
    """Predictions that are alike."""

    predicted: float  # mean
    true: float  # mean of what came
    count: int


def calibration(session: Session) -> dict[str, list[Bin]]:
    """What was predicted of reward and continuation along dreams under recorded actions, beside
    what came: bins of alike predictions, pooled over the rows of dreams of 16.

    The dreams begin in every 16th row of the session's episode and of the replay's newest ones.
    Raises DreamError where no episode has enough rows.
    """
    inspector = session.inspector
    config = inspector.loaded.config
    pairs: dict[str, list[np.ndarray]] = {"reward": [], "cont": []}
    for seen in {id(s): s for s in (session.seen(), *inspector.stored())}.values():
        for said, reward, goes_on in _dreams(session, seen):
            real = learned(reward, config)
            pairs["reward"].append(np.stack([said.reward, real], -1).reshape(-1, 2))
            pairs["cont"].append(np.stack([said.cont, goes_on], -1).reshape(-1, 2))
    if not pairs["reward"]:
        raise DreamError(f"no episode here has more than {CHUNK} rows to dream along.")
    found = {key: np.concatenate(parts) for key, parts in pairs.items()}
    reward, cont = found["reward"], found["cont"]
    edges = np.quantile(reward[:, 0], np.linspace(0, 1, min(BINS, max(1, len(reward) // FEW)) + 1))
    bins = {"reward": _bins(reward, edges)}
    if not np.isnan(cont).any():
        bins["cont"] = _bins(cont, np.linspace(0.0, 1.0, BINS + 1))
    return bins


def _bins(pairs: np.ndarray, edges: np.ndarray) -> list[Bin]:
    index = np.clip(np.searchsorted(edges, pairs[:, 0], "right") - 1, 0, len(edges) - 2)
    parts = [pairs[index == i] for i in range(len(edges) - 1)]
    return [
        Bin(float(part[:, 0].mean()), float(part[:, 1].mean()), len(part))
        for part in parts
        if len(part)
    ]


def _dreams(session: Session, seen: Observed):
    """Readings (H, N), true rewards and true continuation of dreams along an episode."""
    loaded, episode = session.inspector.loaded, seen.episode
    starts = np.arange(0, episode.rows - CHUNK, CHUNK)
    behavior = loaded.config.behavior
    certain = discount_of(behavior) if behavior.contdisc else 1.0
    for begin in range(0, len(starts), STARTS):
        part = starts[begin : begin + STARTS]
        rows = np.concatenate([part, np.repeat(part[-1:], STARTS - len(part))])
        state = jax.tree.map(lambda x: x[rows], seen.states)  # noqa: B023
        keys = jax.vmap(lambda m: jax.random.fold_in(key_of(0), m))(jnp.asarray(rows))
        given = windows(seen, rows)
        rolled = session.inspector.roll(state, given, keys, 1)
        said = jax.tree.map(lambda x: np.asarray(x[:, : len(part)]), rolled.readings)  # noqa: B023
        at = part[None] + 1 + np.arange(CHUNK)[:, None]
        yield said, episode.reward[at], (1.0 - episode.is_terminal[at]) * certain
