"""E environments that step side by side: one batch of actions in, one batched Step out."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from reverie.envs import worker
from reverie.envs.actions import fitting
from reverie.envs.base import Action, Env, EnvError
from reverie.envs.crew import Crew
from reverie.envs.episodes import OpenEpisodes
from reverie.envs.faults import Crash
from reverie.envs.functional.recipe import Compiled
from reverie.envs.history import equal_rows, row_of, stack_rows
from reverie.envs.ray import check_backend
from reverie.records import Spec, Specs, Step

if TYPE_CHECKING:
    from reverie.envs.functional.copies import Copies
    from reverie.envs.functional.crew import CompiledCrew


class Vector:
    """E environments, in processes, actors of Ray or this process.

    `send` starts a step everywhere, `recv` waits for the rows. The first `send`, and every `send`
    after a row with `is_last`, resets that environment: the action is ignored, the row that
    answers is `is_first` with reward 0.

    An environment that crashes, raises or does not answer in time is replaced, and with it those
    that share its process; that happens at most `restarts` times in all, `restarted` counts. Their
    open episodes end without a last row and the next row is the first of a new one. EnvError (bad
    values, bad spaces) is never met by a restart: it is raised with the number, and all are closed.

    `row` is the last one that `recv` or `load` brought; None before the first.

    Use it as a context manager, or call `close`; a forgotten one is closed at collection or exit.
    """

    def __init__(
        self,
        make_one: Callable[[], Env],
        *,
        num: int,
        seed: int,
        stream: str = "train",
        first_index: int = 0,
        first_seed: int = 0,
        parallel: bool = True,
        backend: Literal["local", "ray"] = "local",
        workers: int = 0,
        timeout: float = 120.0,
        restarts: int = 10,
        log_file: Path | str | None = None,
    ):
        """
        Args:
            make_one: makes one environment; it is sent to the processes by cloudpickle. What
                cannot be pickled runs in this process, and a notice says so. JAX-native ones
                (`Compiled`) are stepped together here, in one compiled call.
            num: environments E.
            seed: root of all reset seeds, at least 0.
            stream: name of the purpose; each has episodes of its own. What stands before a slash
                is the kind that environments are told of ("train", "eval").
            first_index: number that environment 0 is told; `first_seed`: of its reset seeds.
            parallel: in processes (True), or in this one (False).
            backend: processes on this machine, or actors of Ray on its cluster.
            workers: processes or actors, each of neighbours; 0: a process each, an actor for 16.
            timeout: seconds without an answer after which a process counts as hung.
            restarts: replacements, all together, before EnvError is raised.
            log_file: takes what simulators print and the tracebacks of crashes.

        Raises EnvError if an environment cannot be made, or not where `backend` says.
        """
        if num < 1 or seed < 0:
            raise EnvError(f"num must be at least 1 and seed at least 0, got {num} and {seed}.")
        if workers < 0:
            raise EnvError(f"workers must be at least 0, got {workers}.")
        check_backend(backend, parallel=parallel, compiled=isinstance(make_one, Compiled))
        self.num = num
        where = {"parallel": parallel, "backend": backend, "workers": workers}
        watch = {"timeout": timeout, "restarts": restarts, "log_file": log_file}
        told = {"kind": stream.partition("/")[0], "first_index": first_index}
        self._crew: Crew | CompiledCrew
        if isinstance(make_one, Compiled):
            self._crew = make_one.crew(num)
        else:
            self._crew = Crew(make_one, num=num, **where, **watch, **told)
        self._board = self._crew.board
        self._seat_of = {i: seat for seat, group in enumerate(self._crew.groups) for i in group}
        self._episodes = OpenEpisodes(self.action_specs, num, seed, stream, first_seed)
        self._first, self._pending = np.zeros(num, bool), set[int]()  # seats that must answer
        self._steps = [[(worker.STEP, i, None) for i in group] for group in self._crew.groups]
        self.row: Step | None = None

    @property
    def obs_specs(self) -> Specs:
        """What is seen, without the axis of environments."""
        return self._crew.obs_specs

    @property
    def action_specs(self) -> Specs:
        """What is done, without the axis of environments."""
        return self._crew.action_specs

    @property
    def log_specs(self) -> Specs:
        """What people see besides (`Step.log`), without the axis of environments."""
        return self._crew.log_specs

    @property
    def own_spaces(self) -> dict[str, Any] | None:
        """The spaces of environment 0 in its own terms, as `Env` has them."""
        return self._crew.own_spaces

    @property
    def notices(self) -> list[str]:
        """One sentence for every conversion that the user might want to know of."""
        return self._crew.notices

    @property
    def restarted(self) -> int:
        """How often environments that crashed or hung were replaced, since the run began."""
        return self._crew.restarted

    @property
    def here(self) -> bool:
        """Whether the environments run in this process, one by one."""
        return isinstance(self._crew, Crew) and self._crew.here

    @property
    def copies(self) -> "Copies | None":
        """The copies of a JAX-native environment; None where these are others."""
        return None if isinstance(self._crew, Crew) else self._crew.copies

    @property
    def episodes(self) -> OpenEpisodes:
        """The open episodes: their numbers, and which of them the next step begins."""
        return self._episodes

    def send(self, action: Action) -> None:
        """Start a step (or a reset, where one is due) in all environments and return at once.

        Args:
            action: key -> array (E, *shape), continuous ones in [−1, 1].
        """
        self._idle("send")
        for key, array in self._board.action.items():
            array[...] = _checked(action, key, array, self.action_specs[key])
        episodes = self._episodes
        episodes.append(self._board.action)
        self._first[:] = episodes.due
        due = {index for index, resets in enumerate(episodes.due.tolist()) if resets}
        for seat, steps in enumerate(self._steps):
            self._pending.add(seat)
            if due:
                steps = [episodes.begin(order[1]) if order[1] in due else order for order in steps]
            self._crew.ask(seat, steps)
        for index in due:
            episodes.seed_of(index, ahead=2)  # so that it is known when it is wanted

    def _idle(self, verb: str) -> None:
        if self._pending:
            raise EnvError(f"{verb}() was called before recv() fetched the last send().")

    def recv(self) -> Step:
        """Wait for all rows that `send` started.

        Raises EnvError for bad values, or when the allowed restarts are used up.
        """
        if not self._pending:
            raise EnvError("recv() was called without send().")
        try:
            for seat in sorted(self._pending):
                self._collect(seat, self._crew.groups[seat])
        except EnvError:
            self.close()
            raise
        self._episodes.due[:] = self._board.last
        self.row = self._copy()
        return self.row

    def _collect(self, seat: int, group: tuple[int, ...]) -> None:
        waiting = True
        while waiting:
            try:
                self._crew.answer(seat)
                waiting = False
            except Crash as crash:
                self._crew.replace(seat, crash)
                self._first[list(group)] = True
                self._crew.ask(seat, [self._episodes.begin(index) for index in group])
        self._pending.remove(seat)

    def _copy(self) -> Step:
        board = self._board
        obs = {key: array.copy() for key, array in board.obs.items()}
        flags = self._first.copy(), board.last.copy(), board.terminal.copy()
        log = {key: array.copy() for key, array in board.log.items()}
        return Step(obs, board.reward.copy(), *flags, log)

    def render(self, index: int) -> np.ndarray | None:
        """A picture of one environment, uint8 (height, width, 3), or None where there is none.

        Raises EnvError if it cannot be drawn. Where the process died or hung over it, it is
        replaced, and its environments begin new episodes with the next `send`.
        """
        self._idle("render")
        seat = self._seat_of[index]
        self._crew.ask(seat, [(worker.RENDER, index, None)])
        try:
            return self._crew.answer(seat)[0]
        except Crash as crash:
            if not crash.alive:
                self._crew.replace(seat, crash)
                self._episodes.due[list(self._crew.groups[seat])] = True
            raise EnvError(f"Environment {index} cannot draw: {crash}") from None

    def state(self) -> dict[str, Any]:
        """All that `load` needs: numbers and numpy arrays, nothing of the simulators.

        `envs` holds for each environment its episode's number, whether the next send resets it,
        the actions since its reset, and its last row (empty before the first).
        """
        self._idle("state")
        envs = [
            self._episodes.state(index)
            | {"row": {} if self.row is None else row_of(self.row, index)}
            for index in range(self.num)
        ]
        state = {"restarted": self.restarted, "envs": envs}
        return state | ({} if self.copies is None else {"copies": self.copies.state()})

    def load(self, state: dict[str, Any]) -> list[bool]:
        """Rebuild every open episode by its seed and its actions; True where that succeeded: the
        rebuilt last row equals the stored one, bit by bit. Elsewhere the episode is given up: the
        next send starts a new one. JAX-native environments go on from their saved arrays.

        Raises EnvError if the state belongs to another number of environments or other specs, or
        for bad values on the way.
        """
        self._idle("load")
        stored = state["envs"]
        self._episodes.load(stored)
        self._crew.restarted = int(state["restarted"])
        due = self._episodes.due
        open_ones = [[i for i in group if not due[i]] for group in self._crew.groups]
        if self.copies is not None and self.copies.load(state.get("copies", {})):
            open_ones = []
        for seat, group in enumerate(open_ones):
            if group:
                self._crew.ask(seat, [self._episodes.again(index) for index in group])
        try:
            for seat, group in enumerate(open_ones):
                if group:
                    due[group] = ~self._rebuilt(seat, group, stored)
        except EnvError:
            self.close()
            raise
        self.row = stack_rows([env["row"] for env in stored]) if stored[0]["row"] else None
        return [env["due"] or not lost for env, lost in zip(stored, due.tolist(), strict=True)]

    def _rebuilt(self, seat: int, group: list[int], stored: list[dict[str, Any]]) -> np.ndarray:
        """Which of a seat's open episodes show the row that was stored."""
        try:
            self._crew.answer(seat)
        except Crash as crash:
            self._crew.replace(seat, crash)
            return np.zeros(len(group), bool)
        row = self._copy()
        return np.array([equal_rows(row_of(row, i), stored[i]["row"]) for i in group])

    def rewind(self) -> None:
        """Give up all open episodes; the next send starts the first episodes once more."""
        self._idle("rewind")
        self._episodes.rewind()

    def close(self) -> None:
        """End all environments and their processes. May be called twice."""
        self._crew.close()

    def __enter__(self) -> "Vector":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _checked(action: Action, key: str, array: np.ndarray, spec: Spec) -> np.ndarray:
    value = action.get(key)
    if isinstance(value, np.ndarray) and value.dtype == array.dtype and value.shape == array.shape:
        return value  # the environments look at the numbers
    if value is None or np.shape(value) != array.shape:
        shapes = {name: np.shape(value) for name, value in action.items()}
        raise EnvError(
            f"The batch of actions needs {key!r} of shape {array.shape}; it holds {shapes}."
        )
    return fitting(value, spec, key, lead=array.shape[:1])
