"""What is got ready while the first rows are collected: the program of the update, and the plan.

Compiling takes longer than anything else at a start, and the first rows need none of it. When it
ends decides nothing: no update is begun earlier or later for it, the loop waits where one is due.
"""

import concurrent.futures
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

import jax
from rich.text import Text

from reverie.folder import run_folder
from reverie.folder.errors import RunError
from reverie.train import plan
from reverie.train.interrupt import Interrupt
from reverie.train.learner import Compiled
from reverie.train.losses import check_names
from reverie.watch.banner import banner, facts

if TYPE_CHECKING:
    from reverie.train.loop import Run

TURNS = 2
"""Turns before the update is traced: a reset and a step show that environments and policy work."""

POLL = 0.1
"""Seconds between two looks at the compiler and at signals."""


class Preparation:
    """The plan of a run, as soon as its update is compiled; `plan` is None until then."""

    def __init__(self, run: "Run", changes: run_folder.Changes):
        """Checks what can be known before the first step, and writes the configuration.

        Raises RunError where the disk lacks what the run needs, ConfigError where two losses have
        one name.
        `changes`: settings that differ from those of the run's earlier part.
        """
        self._run, self._turns, self._learns = run, 0, False
        self._updates, self._begun = run.updates, time.monotonic()
        self._compiling: Future[Compiled] | None = None
        self.plan: plan.Plan | None = None
        config = run.config
        check_names(run.envs.obs_specs, run.envs.action_specs, config)
        self._left = max(0, config.steps - run.step)
        plan.check_disk(run.logdir, plan.disk_bytes(config, run.learner, run.replay))
        change = {"step": run.step, **changes} if changes else None
        run_folder.write_config(run.logdir, config, (), change, **run.origin)
        if config.log.progress != "none":
            banner(config, [])

    def turned(self) -> None:
        """After a turn: begin to compile, take in what has been compiled, say that it is learned.

        Raises RunError where the compiler refuses.
        """
        self._turns += 1
        if self._turns == 1:
            self._run.progress.phase("")
            self._run.progress.collecting()
            self._say("first step")
        if not self._learns and self._run.updates > self._updates:
            self._learns = True
            self._run.progress.learning(self._run.step)
            self._say("first update")
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
        if self.plan is not None:
            return True
        compiling = self._compiling or self._begin()
        while not compiling.done():
            concurrent.futures.wait([compiling], POLL)
            self._run.progress.step(self._run.step)
            if interrupt.asked:
                return False
        self._take_in(compiling)
        return True

    def _say(self, what: str) -> None:
        seconds = time.monotonic() - self._begun
        self._run.progress.show(Text(f"{what} after {seconds:.1f} s, at {self._run.step:,} steps"))

    def _begin(self) -> Future[Compiled]:
        run = self._run
        run.progress.meanwhile("compiling the update")
        columns, batch = run.replay.columns, (run.config.train.batch, run.replay.length)
        shapes = {k: jax.ShapeDtypeStruct((*batch, *c.shape), c.dtype) for k, c in columns.items()}
        if run.replay.weighted:
            shapes["weight"] = jax.ShapeDtypeStruct(batch[:1], "float32")
        self._compiling = run.learner.compile_beside(shapes)
        return self._compiling

    def _take_in(self, compiling: Future[Compiled]) -> None:
        run = self._run
        try:
            compiled = compiling.result()
        except jax.errors.JaxRuntimeError as error:
            raise RunError(_refused(error)) from error
        self.plan = plan.make_plan(run.config, run.learner, run.replay, compiled, self._left)
        rows = self.plan.rows()
        run_folder.write_config(run.logdir, run.config, rows, **run.origin)
        run.progress.meanwhile("")
        run.progress.show(facts(rows))


def _refused(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    said = f" ({lines[0].rstrip('.')})" if lines else ""
    return (
        f"the update cannot be compiled{said}: if memory is short, lower --size, --train.batch or "
        "--train.length."
    )
