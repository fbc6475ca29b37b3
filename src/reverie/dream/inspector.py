"""A run opened for looking: its networks, its episodes, its environment. Shared by all sessions."""

from collections import OrderedDict
from pathlib import Path
from typing import Any

import jax
import numpy as np

from reverie.dream.action import controls
from reverie.dream.branch import Observed, pictures
from reverie.dream.episode import Library
from reverie.dream.errors import DreamError, check_whole
from reverie.dream.model import Loaded
from reverie.dream.programs import CHUNK, GIVEN, WIDE, Rolled, key_of, roll, surprised
from reverie.dream.reality import World
from reverie.part.errors import suggest
from reverie.part.values import SEEDS
from reverie.world.openloop import closest

KINDS = ("replay", "evaluation", "played")
"""Where episodes come from."""
KEPT = 4
"""Episodes that are remembered with what the model saw in them."""
KNOWN = 2_000
"""Rows of the replay among which the nearest ones are looked for where nothing is decoded."""


class Inspector:
    """What sessions share. Not for several threads at once."""

    def __init__(self, logdir: Path, loaded: Loaded, world: World):
        self.loaded, self.world = loaded, world
        self.actions, self.observations = loaded.actions, loaded.observations
        specs = self.observations, self.actions
        self.library = Library(logdir, loaded.config, loaded.replay, specs)
        self.controls = controls(self.actions, loaded.config.task)
        self.decodes, self.disagrees = loaded.decodes, loaded.disagrees
        self._opened: OrderedDict[tuple, Observed] = OrderedDict()
        self._known: list[Observed] | None = None

    def observed(self, kind: str, number: int, *, task: str = "", greedy: bool = False) -> Observed:
        """An episode as the model saw it; arguments and errors are those of `Session.open`."""
        if kind not in KINDS:
            raise DreamError(f"there are no episodes {kind!r}; {suggest(str(kind), KINDS)}")
        check_whole("an episode's number", number, 0, SEEDS - 1)
        name = kind, number, task, greedy
        if name not in self._opened:
            self._opened[name] = self._observe(kind, number, task, greedy)
            while len(self._opened) > KEPT:
                self._opened.popitem(last=False)
        self._opened.move_to_end(name)
        return self._opened[name]

    def _observe(self, kind: str, number: int, task: str, greedy: bool) -> Observed:
        if kind == "replay":
            return Observed(self.loaded, self.library.episode(number))
        acting = self.loaded.model.acting()
        task = task or self.world.tasks[0]
        if kind == "evaluation":
            return Observed(self.loaded, self.world.evaluation(acting, task, number))
        return Observed(self.loaded, self.world.play(acting, task, number, greedy=greedy))

    def warm(self) -> None:
        """Compile the programs of a single dreamed row, before somebody waits for it."""
        dynamics = self.loaded.model.world.dynamics
        start = dynamics.initial(1, dynamics.dtype)
        idle = {key: value[None, None] for key, value in self.nothing().items()}
        rolled = self.roll(start, idle, key_of(0)[None], 1)
        seen = {k: np.zeros((1, *v.shape), v.dtype) for k, v in self.observations.items()}
        self.surprised(start, {key: value[0] for key, value in idle.items()}, seen)
        if self.decodes:
            pictures(self.loaded, jax.tree.map(lambda x: x[:1, 0], rolled.state))

    def nothing(self) -> dict[str, np.ndarray]:
        """The action that stands where the policy chooses its own, (components,) by key."""
        return {key: np.zeros(spec.size, spec.dtype) for key, spec in self.actions.items()}

    def roll(self, start: Any, given: Any, keys: Any, first: int, *, who: int = GIVEN) -> Rolled:
        """Dreams of this run; arguments as `programs.roll` takes them."""
        loaded, who_acts = self.loaded, np.int32(who)
        return roll(
            *(loaded.model, start, given, keys, np.int32(first)),
            who=who_acts,
            config=loaded.config,
        )

    def many(self, start: Any, given: Any, keys: Any, first: int, *, who: int = GIVEN) -> Rolled:
        """As `roll`, for any number of dreams of at most `CHUNK` rows: one program does for all."""
        steps, count = next(iter(given.values())).shape[:2]
        rows, parts = np.minimum(np.arange(CHUNK), steps - 1), []
        for begin in range(0, count, WIDE):
            index = np.minimum(np.arange(begin, begin + WIDE), count - 1)
            asked = {key: value[rows][:, index] for key, value in given.items()}
            from_here = jax.tree.map(lambda x: x[index], start)  # noqa: B023
            rolled = self.roll(from_here, asked, keys[index], first, who=who)
            left = min(WIDE, count - begin)
            parts.append(jax.tree.map(lambda x: x[:steps, :left], rolled))  # noqa: B023
        return jax.tree.map(lambda *x: np.concatenate(x, 1), *parts)

    def surprised(self, before: Any, action: Any, obs: Any) -> np.ndarray:
        """KL of dreams (N,) whose real rows are known; arguments as `programs.surprised` takes
        them, `CHUNK` at most."""
        count = len(next(iter(action.values())))
        index = np.minimum(np.arange(1 if count == 1 else CHUNK), count - 1)
        asked = jax.tree.map(lambda x: np.asarray(x)[index], (before, action, obs))
        return np.asarray(surprised(self.loaded.model, *asked))[:count]

    def look(self, states: Any, feature: np.ndarray, seen: Observed) -> dict[str, np.ndarray]:
        """How states (N, …) look: decoded, or what was observed in the nearest stored state."""
        if self.decodes:
            return pictures(self.loaded, states)
        known = [seen, *self.stored()]
        index = closest(np.concatenate([k.said.feature for k in known]), feature)
        keys = self.observations
        return {key: np.concatenate([k.episode.obs[key] for k in known])[index] for key in keys}

    def stored(self) -> list[Observed]:
        """The newest episodes of the replay, as the model saw them."""
        if self._known is None:
            found, rows = [], 0
            for number in range(len(self.library.names())):
                if rows >= KNOWN:
                    break
                found.append(self.observed("replay", number))
                rows += found[-1].episode.rows
            self._known = found
        return self._known
