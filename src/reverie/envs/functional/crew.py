"""The seats of a vector that compiled copies take, and one copy as an environment."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from reverie.config.schema import EnvConfig
from reverie.envs import board as boards
from reverie.envs import worker
from reverie.envs.base import Action, EnvError, Obs
from reverie.envs.functional import rows
from reverie.envs.functional.copies import Copies
from reverie.envs.functional.game import Game
from reverie.envs.seats import Crash


class CompiledCrew:
    """E copies of a game with the commands of `envs.crew.Crew`, carried out together.

    Commands are collected; when every copy has one, all are carried out in a thread of their own
    (on the CPU, XLA makes programs of one thread wait for each other, and acting and learning must
    not wait for the environments).
    """

    def __init__(self, game: Game, config: EnvConfig, num: int, notices: list[str]):
        self.num, self.restarted, self.notices = num, 0, notices
        self.obs_specs, self.action_specs = rows.shown(game, config), game.action_specs
        self.log_specs = {}
        layout = boards.Layout(self.obs_specs, self.action_specs, self.log_specs, num)
        self.board = boards.make_board(layout, bytearray(boards.size_of(layout)))
        self._copies = Copies(game, config, num)
        self._todo: dict[int, tuple[bytes, Any]] = {}
        self._running: Future | None = None
        self._done: dict[int, Any] = {}
        self._pool = ThreadPoolExecutor(1, "reverie-copies")

    def ask(self, index: int, letter: bytes, payload: Any = None) -> None:
        """Give copy `index` a command (`worker.STEP` …) without waiting for it."""
        self._todo[index] = letter, payload
        if len(self._todo) == self.num:
            self._start()

    def _start(self) -> None:
        self._collect()
        self._running = self._pool.submit(self._run, self._todo)
        self._todo = {}

    def _collect(self) -> None:
        if self._running is not None:
            running, self._running = self._running, None
            self._done |= running.result()

    def answer(self, index: int) -> Any:
        """Wait for the command's result. Raises EnvError that names the copy."""
        if index in self._todo:
            self._start()
        self._collect()
        result = self._done.pop(index)
        if isinstance(result, EnvError):
            raise result
        return result

    def _run(self, todo: dict[int, tuple[bytes, Any]]) -> dict[int, Any]:
        stepped = np.array([todo.get(i, (b"",))[0] == worker.STEP for i in range(self.num)])
        if stepped.any():
            self._copies.step(dict(self.board.action), stepped)
        for index, (letter, payload) in todo.items():
            if letter == worker.RESET:
                self._copies.reset(index, payload[0])
        stored = {i: payload for i, (letter, payload) in todo.items() if letter == worker.REPLAY}
        if stored:
            self._copies.replay(stored)
        row = self._copies.look()
        return {index: self._show(index, letter, row) for index, (letter, _) in todo.items()}

    def _show(self, index: int, letter: bytes, row: rows.Row) -> Any:
        if letter == worker.RENDER:
            return self._picture(index, row)
        board = self.board
        for key, array in board.obs.items():
            array[index] = row.obs[key][index]
            if array.dtype == np.float32 and not np.isfinite(array[index]).all():
                return EnvError(f"Environment {index}: observation {key!r} holds NaN or infinity.")
        board.reward[index] = row.reward[index]
        board.terminal[index], board.last[index] = row.terminal[index], row.last[index]
        if not np.isfinite(row.reward[index]):
            return EnvError(f"Environment {index}: the reward is {row.reward[index]}.")
        return None

    def _picture(self, index: int, row: rows.Row) -> np.ndarray | None:
        """The first colour picture that the agent sees."""
        for key, spec in sorted(self.obs_specs.items()):
            if spec.kind == "image" and spec.shape[-1] == 3:
                return np.asarray(row.obs[key][index])
        return None

    def replace(self, index: int, crash: Crash) -> None:
        """Never called: copies do not crash one by one."""
        raise EnvError(f"Environment {index}: {crash}")

    def close(self) -> None:
        """End the thread. May be called twice."""
        self._pool.shutdown()


class One:
    """One copy as an `Env`."""

    def __init__(self, game: Game, config: EnvConfig, notices: list[str]):
        self._crew = CompiledCrew(game, config, 1, notices)
        self.obs_specs, self.action_specs = self._crew.obs_specs, self._crew.action_specs
        self.log_specs, self.logs, self.notices = {}, {}, notices

    def reset(self, seed: int) -> Obs:
        """The first observation of the episode of `seed`."""
        return self._do(worker.RESET, (seed,))[0]

    def prepare(self, seed: int) -> None:
        """Resets are compiled; there is nothing to begin with."""

    def step(self, action: Action) -> tuple[Obs, float, bool, bool]:
        """Observation, reward, `terminal` and `last` after one action."""
        for key, array in self._crew.board.action.items():
            array[0] = action[key]
        return self._do(worker.STEP)

    def _do(self, letter: bytes, payload: Any = None) -> tuple[Obs, float, bool, bool]:
        self._crew.ask(0, letter, payload)
        self._crew.answer(0)
        board = self._crew.board
        obs = {key: array[0].copy() for key, array in board.obs.items()}
        return obs, float(board.reward[0]), bool(board.terminal[0]), bool(board.last[0])

    def render(self) -> np.ndarray | None:
        """The colour picture that the agent sees, or None where there is none."""
        self._crew.ask(0, worker.RENDER)
        return self._crew.answer(0)

    def close(self) -> None:
        """End the thread."""
        self._crew.close()
