"""What is got ready while the first rows are collected: the program of the update, and the plan.

Compiling takes longer than anything else at a start, and the first rows need none of it. When it
ends decides nothing: no update is begun earlier or later for it, the loop waits where one is due.
"""

import concurrent.futures
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

import jax
from rich.text import Text

from reverie.folder import run_folder
from reverie.folder.errors import RunError
from reverie.train import alternative, plan
from reverie.train.compiling import Compiled
from reverie.train.interrupt import Interrupt
from reverie.train.losses import check_names
from reverie.watch.banner import facts
from reverie.watch.progress import Progress

if TYPE_CHECKING:
    from reverie.train.loop import Run

TURNS = 2
"""Turns before the update is traced: a reset and a step show that environments and policy work."""

POLL = 0.1
"""Seconds between two looks at the compiler and at signals."""


def record(run: "Run") -> None:
    """Check what can be known of `run` before its first step, and write its configuration.

    Raises RunError where the disk lacks what the run needs, ConfigError where two losses have one
    name.
    """
    config = run.config
    check_names(run.envs.obs_specs, run.envs.action_specs, config)
    plan.check_disk(run.logdir, plan.disk_bytes(config, run.learner, run.replay))
    change = {"step": run.step, **run.changes} if run.changes else None
    run_folder.write_config(run.logdir, config, (), change, **run.origin)


class Preparation:
    """The plan of runs that share a program, as soon as it is compiled; `plan` is None until then.

    `compiling` begins to compile the update for the shapes of a run's batch; `check` may refuse
    the plan.
    """

    def __init__(
        self,
        runs: Sequence["Run"],
        compiling: Callable[..., Future[Compiled]],
        progress: Progress,
        *,
        check: Callable[[plan.Plan], None] | None = None,
    ):
        self._runs, self._compile, self._progress = [*runs], compiling, progress
        self._check = check
        self._turns, self._learns = 0, False
        self._updates, self._begun = self._count("updates"), time.monotonic()
        self._compiling: Future[Compiled] | None = None
        self.plan: plan.Plan | None = None
        self._agreed = False  # that an update can be made, in all processes
        self._counting: alternative.Counting | None = None
        self._left = max(0, *(run.config.steps - run.step for run in runs))

    def turned(self) -> None:
        """After a turn: begin to compile, take in what has been compiled, say that it is learned
        and what the other settings of the task would take.

        Raises RunError where the compiler refuses.
        """
        self._turns += 1
        if self._turns == 1:
            self._progress.phase("")
            self._progress.collecting()
            self._say("first step")
        if not self._learns and self._count("updates") > self._updates:
            self._learns = True
            self._progress.learning(self._count("step"))
            self._say("first update")
            self._counting = alternative.beside(self._runs)
        if self._counting is not None and self._counting.cost.done():
            self._progress.show(facts([self._counting.row()]))
            self._counting = None
        if self.plan is not None:
            return
        if self._compiling is not None and self._compiling.done():
            self._take_in(self._compiling)
        elif self._compiling is None and self._turns == TURNS:
            self._begin()

    def complete(self, interrupt: Interrupt) -> bool:
        """Wait until an update can be made; False where a signal came first.

        Raises RunError where the compiler refuses.
        """
        if self._agreed:
            return True
        ready = self.plan is not None or self._wait(interrupt)
        self._agreed = all(self._runs[0].peers.gather(ready))
        return self._agreed

    def _wait(self, interrupt: Interrupt) -> bool:
        compiling = self._compiling or self._begin()
        while not compiling.done():
            concurrent.futures.wait([compiling], POLL)
            self._progress.step(self._count("step"))
            if interrupt.asked:
                return False
        self._take_in(compiling)
        return True

    def _count(self, name: str) -> int:
        return sum(getattr(run, name) for run in self._runs)

    def _say(self, what: str) -> None:
        seconds, step = time.monotonic() - self._begun, self._count("step")
        self._progress.show(Text(f"{what} after {seconds:.1f} s, at {step:,} steps"))

    def _begin(self) -> Future[Compiled]:
        run = self._runs[0]
        self._progress.meanwhile("compiling the update")
        columns, batch = run.replay.columns, (run.config.train.batch, run.replay.length)
        shapes = {k: jax.ShapeDtypeStruct((*batch, *c.shape), c.dtype) for k, c in columns.items()}
        if run.replay.weighted:
            shapes["weight"] = jax.ShapeDtypeStruct(batch[:1], "float32")
        self._compiling = self._compile(shapes)
        return self._compiling

    def _take_in(self, compiling: Future[Compiled]) -> None:
        try:
            compiled = compiling.result()
        except jax.errors.JaxRuntimeError as error:
            raise RunError(_refused(error)) from error
        first, seeds = self._runs[0], len(self._runs)
        given = (first.config, first.learner, first.replay, compiled, self._left)
        rows_bytes = 0 if first.device is None else first.device.nbytes
        self.plan = plan.make_plan(*given, seeds=seeds, rows_bytes=rows_bytes)
        if self._check is not None:
            self._check(self.plan)
        rows = self.plan.rows()
        for run in self._runs if not first.peers.index else ():
            run_folder.write_config(run.logdir, run.config, rows, **run.origin)
        self._progress.meanwhile("")
        self._progress.show(facts(rows))


def _refused(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    said = f" ({lines[0].rstrip('.')})" if lines else ""
    return (
        f"the update cannot be compiled{said}: if memory is short, lower --size, --train.batch or "
        "--train.length."
    )
