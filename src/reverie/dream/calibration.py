"""How honest: what dreams predicted of reward and continuation, beside what came."""

from typing import Any, NamedTuple

import jax
import numpy as np

from reverie.behavior.returns import certain_of
from reverie.config.schema import Config
from reverie.dream.branch import Observed
from reverie.dream.drift import learned, windows
from reverie.dream.errors import DreamError
from reverie.dream.inspector import Inspector
from reverie.dream.programs import CHUNK, keys_of
from reverie.dream.session import Session

BINS = 10
FEW = 20
"""Predictions that a bin of rewards holds at least, where there are so many."""


class Bin(NamedTuple):
    """Predictions that are alike."""

    predicted: float  # mean
    true: float  # mean of what came
    count: int


class Along(NamedTuple):
    """N dreams of H = `CHUNK` rows under recorded actions, and what really came."""

    state: Any  # (N, …) in which they begin
    given: dict[str, np.ndarray]  # (N, H, components)
    reward: np.ndarray  # (N, H) as the agent learns it
    goes_on: np.ndarray  # (N, H)
    known: np.ndarray  # (N, H) whether the episode has that row


def calibration(session: Session) -> dict[str, list[Bin]]:
    """What was predicted of reward and continuation along dreams under recorded actions, beside
    what came: bins of alike predictions, pooled over all dreamed rows.

    The dreams begin in every 16th row of the session's episode and of the replay's newest ones, and
    go on until the next one begins, or the episode ends: every row but the first is dreamed once.
    """
    inspector = session.inspector
    config = inspector.loaded.config
    episodes = {id(seen): seen for seen in (session.seen(), *inspector.stored())}.values()
    parts = [_along(seen, config) for seen in episodes if seen.episode.rows > 1]
    if not parts:
        raise DreamError("no episode here has two rows, one to dream from and one to compare with.")
    whole = jax.tree.map(lambda *x: np.concatenate(x), *parts)
    reward, cont = _predicted(inspector, whole)
    count = min(BINS, max(1, len(reward) // FEW))
    bins = {"reward": _bins(reward, np.quantile(reward[:, 0], np.linspace(0, 1, count + 1)))}
    if not np.isnan(cont).any():
        bins["cont"] = _bins(cont, np.linspace(0.0, 1.0, BINS + 1))
    return bins


def _along(seen: Observed, config: Config) -> Along:
    """The dreams of one episode."""
    episode = seen.episode
    certain = certain_of(config.behavior)
    rows = np.arange(0, episode.rows - 1, CHUNK)
    wanted = rows[:, None] + 1 + np.arange(CHUNK)
    at = np.minimum(wanted, episode.rows - 1)
    return Along(
        state=jax.tree.map(lambda x: np.asarray(x[rows]), seen.states),
        given=_swapped(windows(seen, rows)),
        reward=learned(episode.reward[at], config),
        goes_on=(1.0 - episode.is_terminal[at]) * certain,
        known=wanted < episode.rows,
    )


def _predicted(inspector: Inspector, whole: Along) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (rows, 2) of what was predicted and what came, of reward and of continuation."""
    keys = keys_of(0, len(whole.known))
    said = inspector.many(whole.state, _swapped(whole.given), keys, 1).readings
    reward = np.stack([np.asarray(said.reward).T, whole.reward], -1)[whole.known]
    return reward, np.stack([np.asarray(said.cont).T, whole.goes_on], -1)[whole.known]


def _swapped(tree: Any) -> Any:
    """(H, N, …) as (N, H, …), and back."""
    return jax.tree.map(lambda x: np.swapaxes(x, 0, 1), tree)


def _bins(pairs: np.ndarray, edges: np.ndarray) -> list[Bin]:
    index = np.clip(np.searchsorted(edges, pairs[:, 0], "right") - 1, 0, len(edges) - 2)
    parts = [pairs[index == i] for i in range(len(edges) - 1)]
    return [
        Bin(float(part[:, 0].mean()), float(part[:, 1].mean()), len(part))
        for part in parts
        if len(part)
    ]
