"""A dream of its own: where it began, and row by row how it went on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import numpy as np

from reverie.dream.episode import Episode, Start
from reverie.dream.model import Loaded
from reverie.dream.programs import Readings, Seen, observe, show
from reverie.dream.reality import Beside
from reverie.train.learner import EVAL, purpose_key

LEAST = 32
"""Rows for which `observe` is compiled at least; else the next power of two."""
SHOWN = 64
"""States that are drawn in one call."""


class Row(NamedTuple):
    """One row of a dream, or of the episode that it began in."""

    said: Readings  # numbers, without leading axes
    shown: dict[str, np.ndarray]  # (*shape) how the model sees it
    action: dict[str, np.ndarray] | None  # (components,) that led here
    real: dict[str, np.ndarray] | None  # (*shape) what was observed, where it is known
    reward: float | None  # the true one, environment units
    over: bool = False  # reality ended here
    drawn: np.ndarray | None = None  # (H, W, 3) as the environment draws itself


@dataclass
class Branch:
    """One dream. Row 0 is the observed row in which it begins; the others are dreamed."""

    number: int
    parent: int | None  # the branch that it left, None: the episode
    at: int  # row of the episode, or of the parent, in which it begins
    origin: int  # row of the episode at which reality was left
    seed: int
    rows: list[Row]
    states: list[Any]  # (1, …) one a row
    beside: Beside | None = None
    notice: str = ""  # why reality stands still
    taken: list[dict[str, np.ndarray]] = field(default_factory=list)  # actions since `origin`

    @property
    def depth(self) -> int:
        """Dreamed rows since reality was left, at the last one."""
        return len(self.taken)


class Observed:
    """An episode as the model saw it: its posteriors and what was said of each row."""

    def __init__(self, loaded: Loaded, episode: Episode):
        self.episode, self._loaded, self._decodes = episode, loaded, loaded.decodes
        rows = episode.rows
        size = max(LEAST, 1 << (rows - 1).bit_length())
        start = episode.start or Start("", 0)
        root = purpose_key(start.seed, EVAL)
        how = {"first": np.uint32(start.row), "env": np.int32(start.env), "envs": start.envs}
        padded = jax.tree.map(lambda x: _padded(x, size), (episode.obs, episode.action))
        seen: Seen = observe(loaded.model, *padded, root, config=loaded.config, **how)
        self.states = jax.tree.map(lambda x: x[:rows], seen.state)
        self.said: Readings = jax.tree.map(lambda x: np.asarray(x[:rows]), seen.readings)
        self._shown: dict[int, dict[str, np.ndarray]] = {}

    def state(self, row: int) -> Any:
        """The posterior of a row, (1, …)."""
        return jax.tree.map(lambda x: x[row : row + 1], self.states)

    def shown(self, row: int) -> dict[str, np.ndarray]:
        """How the model sees a row, by key; its neighbours are drawn along with it. Where nothing
        is decoded, the nearest stored observation, which at an observed state is its own."""
        if not self._decodes:
            return {key: value[row] for key, value in self.episode.obs.items()}
        if row not in self._shown:
            begin = row - row % SHOWN
            part = jax.tree.map(lambda x: x[begin : begin + SHOWN], self.states)
            drawn = pictures(self._loaded, part)
            count = min(SHOWN, self.episode.rows - begin)
            for index in range(count):
                self._shown[begin + index] = {k: v[index] for k, v in drawn.items()}
        return self._shown[row]

    def row(self, row: int) -> Row:
        """All that is known of a row."""
        episode = self.episode
        action = {k: v[row - 1] for k, v in episode.action.items()} if row else None
        drawn = None if episode.drawn is None else episode.drawn[row]
        real = {key: value[row] for key, value in episode.obs.items()}
        said = jax.tree.map(lambda x: x[row], self.said)
        facts = float(episode.reward[row]), bool(episode.is_last[row])
        return Row(said, self.shown(row), action, real, *facts, drawn)


def pictures(loaded: Loaded, states: Any) -> dict[str, np.ndarray]:
    """How states (N, …) look, in calls of `SHOWN` at most; empty without a decoder."""
    count = len(jax.tree.leaves(states)[0])
    parts = []
    for begin in range(0, count, SHOWN):
        part = jax.tree.map(lambda x: x[begin : begin + SHOWN], states)  # noqa: B023
        size = SHOWN if count > 1 else 1
        padded = jax.tree.map(lambda x: _padded(np.asarray(x), size), part)  # noqa: B023
        drawn = show(loaded.model, padded, config=loaded.config)
        used = len(jax.tree.leaves(part)[0])
        parts.append({key: np.asarray(value)[:used] for key, value in drawn.items()})
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def _padded(array: np.ndarray, size: int) -> np.ndarray:
    """The array with zeros behind, `size` long."""
    return np.pad(array, [(0, size - len(array)), *[(0, 0)] * (array.ndim - 1)])


def actions_of(rows: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Several actions (components,) as one array (H, 1, components) by key."""
    return {key: np.stack([row[key] for row in rows])[:, None] for key in rows[0]}
