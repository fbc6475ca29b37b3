"""The seats of a vector that compiled copies take, and one copy as an environment."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from reverie.envs import board as boards
from reverie.envs import worker
from reverie.envs.actions import fitting
from reverie.envs.base import Action, EnvError, Obs
from reverie.envs.faults import Crash
from reverie.envs.functional import rows
from reverie.envs.functional.copies import Copies
from reverie.envs.functional.game import Game
from reverie.envs.options import EnvConfig
from reverie.envs.waiting import result_of
from reverie.envs.worker import Order


class CompiledCrew:
    """E copies of a game that take orders as `envs.crew.Crew` does, all of them in one seat.

    Orders are carried out together in a thread of their own (on the CPU, XLA makes programs of one
    thread wait for each other, and acting and learning must not wait for the environments).
    """

    def __init__(self, game: Game, config: EnvConfig, num: int, notices: list[str]):
        self.groups = (tuple(range(num)),)
        self.restarted, self.notices = 0, notices
        self.obs_specs, self.action_specs = rows.shown(game, config), game.action_specs
        self.log_specs, self.own_spaces = {}, None
        layout = boards.Layout(self.obs_specs, self.action_specs, self.log_specs, num)
        self.board = boards.make_board(layout, bytearray(boards.size_of(layout)))
        self.copies = Copies(game, config, num)
        self._running: Future | None = None
        self._pool = ThreadPoolExecutor(1, "reverie-copies")

    def ask(self, seat: int, orders: list[Order]) -> None:
        """Begin with the orders (`worker.STEP` …) to the copies of the only seat."""
        self._running = self._pool.submit(self._run, orders)

    def answer(self, seat: int) -> list[Any]:
        """Wait for the results, in the order of the orders. Raises EnvError that names the copy."""
        assert self._running is not None
        return result_of(self._running, "a compiled step of the environments")

    def _run(self, orders: list[Order]) -> list[Any]:
        stepped = np.zeros(len(self.groups[0]), bool)
        stepped[[index for letter, index, _ in orders if letter == worker.STEP]] = True
        if stepped.any():
            self.copies.step(dict(self.board.action), stepped)
        for letter, index, payload in orders:
            if letter == worker.RESET:
                self.copies.reset(index, payload[0])
        stored = {index: payload for letter, index, payload in orders if letter == worker.REPLAY}
        if stored:
            self.copies.replay(stored)
        row = self.copies.look()
        return [self._show(index, letter, row) for letter, index, _ in orders]

    def _show(self, index: int, letter: bytes, row: rows.Row) -> Any:
        if letter == worker.RENDER:
            return self._picture(index, row)
        board = self.board
        for key, array in board.obs.items():
            array[index] = row.obs[key][index]
            if array.dtype == np.float32 and not np.isfinite(array[index]).all():
                raise rows.bad_observation(index, key)
        board.reward[index] = row.reward[index]
        board.terminal[index], board.last[index] = row.terminal[index], row.last[index]
        if not np.isfinite(row.reward[index]):
            raise rows.bad_reward(index, row.reward[index])
        return None

    def _picture(self, index: int, row: rows.Row) -> np.ndarray | None:
        """The first colour picture that the agent sees."""
        for key, spec in sorted(self.obs_specs.items()):
            if spec.kind == "image" and spec.shape[-1] == 3:
                return np.asarray(row.obs[key][index])
        return None

    def replace(self, seat: int, crash: Crash) -> None:
        """Never called: copies do not crash one by one."""
        raise EnvError(f"Seat {seat}: {crash}")

    def close(self) -> None:
        """End the thread. May be called twice."""
        self._pool.shutdown()


class One:
    """One copy as an `Env`."""

    def __init__(self, game: Game, config: EnvConfig, notices: list[str]):
        self._crew = CompiledCrew(game, config, 1, notices)
        self.obs_specs, self.action_specs = self._crew.obs_specs, self._crew.action_specs
        self.log_specs, self.logs, self.notices = {}, {}, notices
        self.own_spaces: dict[str, Any] | None = None

    def reset(self, seed: int) -> Obs:
        """The first observation of the episode of `seed`."""
        return self._do(worker.RESET, (seed,))[0]

    def prepare(self, seed: int) -> None:
        """Resets are compiled; there is nothing to begin with."""

    def step(self, action: Action) -> tuple[Obs, float, bool, bool]:
        """Observation, reward, `terminal` and `last` after one action."""
        for key, array in self._crew.board.action.items():
            array[0] = fitting(action.get(key), self.action_specs[key], key)
        return self._do(worker.STEP)

    def _do(self, letter: bytes, payload: Any = None) -> tuple[Obs, float, bool, bool]:
        self._crew.ask(0, [(letter, 0, payload)])
        self._crew.answer(0)
        board = self._crew.board
        obs = {key: array[0].copy() for key, array in board.obs.items()}
        return obs, float(board.reward[0]), bool(board.terminal[0]), bool(board.last[0])

    def render(self) -> np.ndarray | None:
        """The colour picture that the agent sees, or None where there is none."""
        self._crew.ask(0, [(worker.RENDER, 0, None)])
        return self._crew.answer(0)[0]

    def close(self) -> None:
        """End the thread."""
        self._crew.close()
