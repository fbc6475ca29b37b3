"""The open episode of each environment: its seed, its actions so far, whether a reset is due."""

import functools as ft
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from reverie.envs import worker
from reverie.envs.base import Action, EnvError
from reverie.envs.history import History
from reverie.envs.worker import Order
from reverie.records import Specs


@ft.lru_cache(maxsize=4096)
def episode_seed(seed: int, stream: str, index: int, episode: int) -> int:
    """The reset seed of an episode, in [0, 2³¹).

    Args:
        seed: root of a run, at least 0.
        stream: purpose of the environments; keeps for example training and evaluation apart.
        index: number of the environment, from 0.
        episode: number of the episode in that environment, from 0.
    """
    entropy = [seed, zlib.crc32(stream.encode()), index, episode]
    return int(np.random.SeedSequence(entropy).generate_state(1)[0] >> 1)


class OpenEpisodes:
    """Those of E environments, and the orders that begin one or rebuild it.

    `due` [E] says which environments the next step resets.
    """

    def __init__(self, actions: Specs, num: int, seed: int, stream: str, first: int = 0):
        """`first`: the number, among those of the whole run, of environment 0."""
        self._specs, self._num, self._seed, self._stream = actions, num, seed, stream
        self._first = first
        self._history = History(actions, num)
        self._number = np.full(num, -1, np.int64)
        self.due = np.ones(num, bool)

    def seed_of(self, index: int, *, ahead: int = 0) -> int:
        """The seed of the episode that comes so many after this one."""
        episode = int(self._number[index]) + ahead
        return episode_seed(self._seed, self._stream, self._first + index, episode)

    def begin(self, index: int) -> Order:
        """The order to begin the next episode, of which no action is known yet."""
        self._number[index] += 1
        self._history.clear(index)
        return worker.RESET, index, (self.seed_of(index), self.seed_of(index, ahead=1))

    def append(self, action: Action) -> None:
        """Note the actions of all environments."""
        self._history.append(action)

    def again(self, index: int) -> Order:
        """The order to replay the open episode from its seed."""
        return worker.REPLAY, index, (self.seed_of(index), self._history.rows(index))

    def skip(self, begun: np.ndarray, due: np.ndarray) -> None:
        """Take in that so many episodes (E,) began without an order, and which are due to begin;
        what their actions were is not known."""
        self._number += begun
        self.due[:] = due
        for index in range(self._num):
            self._history.clear(index)

    def rewind(self) -> None:
        """Give up all open episodes, and begin with the first ones once more."""
        self._number[:] = -1
        self.due[:] = True

    def state(self, index: int) -> dict[str, Any]:
        """Of one environment: `episode` its number, `due`, `actions` since the reset."""
        return {
            "episode": int(self._number[index]),
            "due": bool(self.due[index]),
            "actions": self._history.rows(index),
        }

    def load(self, states: Iterable[dict[str, Any]]) -> None:
        """Continue where `state` of every environment was taken.

        Raises EnvError if they are of another number of environments or of other actions.
        """
        states = list(states)
        if len(states) != self._num:
            raise EnvError(f"The state is of {len(states)} environments, here are {self._num}.")
        for key, spec in self._specs.items():
            for env in states:
                if np.shape(env["actions"].get(key))[1:] != spec.shape:
                    raise EnvError(f"The state's action {key!r} has not the shape {spec.shape}.")
        self._number[:] = [env["episode"] for env in states]
        self.due[:] = [env["due"] for env in states]
        self._history.load([env["actions"] for env in states])
