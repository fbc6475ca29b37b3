"""Whether the model learned its environment or its replay: what it foresees of play that it never
learned from, beside what it foresees of what it replays."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from reverie.config.schema import Config
from reverie.train.dream import SEQUENCES, Foreseen, predict
from reverie.train.state import Agent

PARTS = ("obs/", "action/", "latent/")
FLAGS = ("reward", "is_first", "is_last", "is_terminal")
"""Columns that the model reads: by the beginning of their names, and whole names."""


class HeldOut:
    """The first rows of an evaluation, as sequences.

    Args:
        length: rows L of a sequence, context included.
        count: sequences B at most.
    """

    def __init__(self, length: int, count: int = SEQUENCES):
        self._length, self._count = length, count
        self._rows: list[dict[str, np.ndarray]] = []

    def add(self, row: Mapping[str, Any]) -> None:
        """Take in one row (E, …) of every environment, as replay would store it."""
        envs = len(row["reward"])
        if len(self._rows) < -(-self._count // envs) * self._length:
            self._rows.append({name: np.array(x[: self._count]) for name, x in row.items()})

    def sequences(self) -> dict[str, np.ndarray] | None:
        """Columns (B, L, …), rows of one environment after the other; None where no environment
        made L rows."""
        parts = len(self._rows) // self._length
        if not parts:
            return None
        return {name: self._sequences(name, parts) for name in self._rows[0]}

    def _sequences(self, name: str, parts: int) -> np.ndarray:
        rows = np.stack([row[name] for row in self._rows[: parts * self._length]])
        cut = np.moveaxis(rows.reshape(parts, self._length, *rows.shape[1:]), 2, 1)
        return cut.reshape(-1, *cut.shape[2:])[: self._count]


def told(
    agent: Agent,
    played: Mapping[str, np.ndarray],
    replayed: Mapping[str, np.ndarray],
    *,
    key: Any,
    config: Config,
) -> dict[str, float]:
    """Metrics of sequences that were `played` without learning beside `replayed` ones: the KL, and
    the share of the reward's variance that is predicted, where rewards vary and hold no bonus.

    Both are columns (B, context + T, …); those played may be fewer.
    """
    count = len(played["reward"])
    columns = [name for name in replayed if name.startswith(PARTS) or name in FLAGS]
    replayed = {name: replayed[name] for name in columns}
    same = {name: np.asarray(played[name], x.dtype) for name, x in replayed.items()}
    same = {name: np.resize(x, replayed[name].shape) for name, x in same.items()}  # one program
    found = {}
    for name, rows, some in (("played", same, count), ("replayed", replayed, None)):
        numbers = _numbers(agent, rows, some, key, config)
        found |= {f"model/{what}_{name}": value for what, value in numbers.items()}
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _numbers(
    agent: Agent, rows: dict[str, np.ndarray], count: int | None, key: Any, config: Config
) -> dict[str, float]:
    """What the model foresees of the first `count` sequences, but for the rows that begin an
    episode."""
    context, precision = config.replay.context, config.device.precision
    how = {"options": config.world, "context": context, "precision": precision}
    seen = Foreseen(*map(np.asarray, predict(agent, rows, key, **how).foreseen))
    later = ~np.asarray(rows["is_first"], bool)[:, context:]
    kl, reward, guess = (x[:count][later[:count]].astype(np.float64) for x in seen)
    spread = np.nan if config.bonus.active or not len(reward) else reward.var() or np.nan
    share = 1 - np.mean((reward - guess) ** 2) / spread if len(reward) else np.nan
    return {"kl": kl.mean() if len(kl) else np.nan, "reward": float(share)}
