"""An episode to begin dreams from: of the replay, or played now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from reverie.config.schema import Config
from reverie.dream.errors import DreamError
from reverie.folder.errors import RunError
from reverie.records import Specs
from reverie.replay import stored
from reverie.replay.errors import ReplayError
from reverie.replay.shares import manifests_of
from reverie.replay.stored import Stored, Stretch
from reverie.train import recovery
from reverie.train.setup import replay_arguments, replay_columns

MOST_ROWS = 1000
"""Rows of an episode that are looked at; a longer one is cut, and its name says so."""
MOST_EPISODES = 200
"""Episodes of the replay that are offered, the newest ones."""

LONG = 12
"""Rows of an episode with which a page begins, where there is one."""


class Start(NamedTuple):
    """Which episode of which evaluation: enough to play it again, with the same latents."""

    task: str
    seed: int  # of the environments and of the policy
    env: int = 0  # environment that plays it
    envs: int = 1  # among so many, for which the policy draws
    number: int = 0  # of the episode, in that environment
    row: int = 0  # steps of the evaluation before its first row


@dataclass(frozen=True)
class Episode:
    """T rows in the agent's terms."""

    name: str
    obs: dict[str, np.ndarray]  # (T, *shape)
    action: dict[str, np.ndarray]  # (T, components), chosen at each row
    reward: np.ndarray  # (T,) environment units
    is_last: np.ndarray  # (T,)
    is_terminal: np.ndarray  # (T,)
    start: Start | None = None  # where it was played now
    drawn: np.ndarray | None = None  # (T, H, W, 3) as the environment draws itself

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.reward)


def as_episode(name: str, rows: Mapping[str, np.ndarray], actions: Specs, **more: Any) -> Episode:
    """An episode from replay's columns (T, …)."""
    rows = {key: value[:MOST_ROWS] for key, value in rows.items()}
    obs = {k.removeprefix("obs/"): v for k, v in rows.items() if k.startswith("obs/")}
    action = {key: rows[f"action/{key}"].reshape(-1, spec.size) for key, spec in actions.items()}
    flags = {key: rows[key] for key in ("reward", "is_last", "is_terminal")}
    return Episode(name, obs, action, **flags, **more)


class Library:
    """The episodes of a run's replay, of its first share where it has several. They are read when
    somebody asks for them."""

    def __init__(self, logdir: Any, config: Config, manifest: Mapping[str, Any], specs: Any):
        """`specs`: of the observation and of the actions."""
        self._folder, self._manifest = manifests_of(recovery.folders(logdir)[1], manifest)[0]
        self._config, self._specs = config, specs
        self._rows: Stored | None = None
        self._listed: list[Stretch] = []
        self.missing = ""
        """Why there are none; empty where there are some, or nobody has asked."""

    def names(self) -> list[str]:
        """What the episodes are called, newest first; empty where `missing` says why."""
        if self._rows is None and not self.missing:
            try:
                self._rows = self._read()
                self._listed = self._rows.stretches()[:MOST_EPISODES]
            except (ReplayError, RunError) as error:
                self.missing = str(error)
            if self._rows is not None and not self._listed:
                self.missing = "the replay of this checkpoint holds no episode of two rows or more."
        return [_name(index, stretch) for index, stretch in enumerate(self._listed)]

    def first(self) -> int:
        """The number of the one to begin with: the newest whole one of `LONG` rows or more, or the
        longest where there is none."""
        self.names()
        rows = [stretch.rows for stretch in self._listed]
        whole = (i for i, s in enumerate(self._listed) if s.whole and s.rows >= LONG)
        return next(whole, rows.index(max(rows)) if rows else 0)

    def episode(self, number: int) -> Episode:
        """One of them. Raises DreamError where it is not there."""
        names = self.names()
        if not 0 <= number < len(names):
            there = f"those offered are 0 ... {len(names) - 1}" if names else self.missing
            raise DreamError(f"there is no episode {number} of the replay: {there}")
        assert self._rows is not None
        return as_episode(names[number], self._rows.rows(self._listed[number]), self._specs[1])

    def _read(self) -> Stored:
        obs, actions = self._specs
        streams = self._manifest["layout"]["streams"]
        arguments = replay_arguments(self._config, streams)
        columns = replay_columns(self._config, obs, actions)
        return stored.load(self._folder, self._manifest, columns, **arguments)


def _name(index: int, stretch: Stretch) -> str:
    cut = f", the first {MOST_ROWS:,} shown" if stretch.rows > MOST_ROWS else ""
    part = "" if stretch.whole else ", a part"
    return f"replay {index}: {stretch.rows:,} rows{part}{cut}"
