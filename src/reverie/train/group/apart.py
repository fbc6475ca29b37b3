"""The learners and policies of several seeds, each computed by itself: by the programs of a run
that is alone, so that its numbers are the same to the last bit, and beside the others.

On a CPU an update is bound by its arithmetic unless it is tiny, and stacked arrays only leave its
caches sooner. What several seeds have to gain there are the cores that one of them leaves idle.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import jax

from reverie.envs.waiting import result_of
from reverie.module import count_params
from reverie.train.compiling import Compiled
from reverie.train.group.acting import Ask
from reverie.train.group.calls import chunk_of, loop_of
from reverie.train.group.stack import Batch
from reverie.train.learner import Result
from reverie.train.loop import Run

FEW = 1_000_000
"""Weights times rows of a batch, up to which an update on a CPU is bound by the number of its
operations (docs/benchmarks.md, "Several seeds")."""

WAITING, CALL = "the update's program", "the device's program"
"""What is waited for where beginning an update, or a whole call of the device, takes long."""


def is_apart(run: Run) -> bool:
    """Whether each seed like `run` is computed by itself: on a CPU, where updates are not tiny."""
    rows = run.config.train.batch * run.replay.length
    many = count_params(run.learner.train_state.agent) * rows > FEW
    return many and jax.default_backend() == "cpu"


class Apart:
    """What computes the turns of runs that keep their own arrays.

    Each has a thread from which its updates are begun: XLA begins a program on a CPU only when the
    last one that was dispatched from the same thread has ended.
    """

    def __init__(self, runs: Sequence[Run]):
        self._runs = runs
        self._threads = _threads(runs)

    def compile_beside(self, rows: Mapping[str, Any]) -> Future[Compiled]:
        """As that of a learner; what is compiled serves all of them."""
        first, *others = (run.learner for run in self._runs)
        return first.compile_beside(rows, others)

    def update(self, batches: Mapping[int, Batch]) -> dict[int, tuple[Any, Result] | None]:
        """As `Stack.update`."""
        begun = {
            place: self._threads[place].submit(self._runs[place].learner.update, *batch)
            for place, batch in batches.items()
        }
        return {place: result_of(future, WAITING) for place, future in begun.items()}

    def act(self, asks: Mapping[int, Ask]) -> dict[int, dict[str, Any]]:
        """The rows that replay stores, of the seeds that ask."""
        found = {}
        for place, (step, random, explore) in asks.items():
            run = self._runs[place]
            found[place] = run.actor(run.learner.acting, step, random=random, explore=explore)
        return found


class CallsApart:
    """The loops on the device of runs that keep their own arrays and make calls of their own, each
    from a thread of its own; where their schedules part makes no difference."""

    def __init__(self, runs: Sequence[Run]):
        self._loops, self._threads = [loop_of(run) for run in runs], _threads(runs)
        chunk = chunk_of(runs)
        program = jax.jit(chunk, donate_argnums=0)
        for loop in self._loops:
            loop.chunk, loop.program = chunk, program

    def compile_beside(self, rows: Mapping[str, Any]) -> Future[Compiled]:
        """As that of a loop; what is compiled serves all of them."""
        first, *others = self._loops
        return first.compile_beside(rows, others)

    def ready(self, runs: Sequence[Run]) -> tuple[Sequence[Run], int]:
        """All are, for as many updates as each makes of itself (0: nobody else says)."""
        return runs, 0

    def measure(self, place: int) -> None:
        """As `DeviceLoop.measure`, of one seed."""
        self._loops[place].measure()

    def __call__(self, places: Sequence[int], updates: int) -> dict[int, Callable[[], None]]:
        """A call of each of the seeds at `places`, beside each other; by which each of them takes
        in what came of it."""
        planned = {place: self._loops[place].planned() for place in places}
        begun = {place: self._threads[place].submit(call) for place, call in planned.items()}
        return {place: result_of(future, CALL) for place, future in begun.items()}


def _threads(runs: Sequence[Run]) -> list[ThreadPoolExecutor]:
    return [ThreadPoolExecutor(1, thread_name_prefix="updating") for _ in runs]
