"""The course of a run: it begins or is resumed, turns until its steps are done, and is saved."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple

from reverie.config.schema import Config
from reverie.folder import divergence, run_folder
from reverie.folder.errors import Stopped
from reverie.machine.readings import peak_bytes
from reverie.train import chores, snapshot, warm_start
from reverie.train.interrupt import Interrupt
from reverie.train.preparation import Preparation, record
from reverie.watch.banner import banner
from reverie.watch.logger import Logger
from reverie.watch.progress import Progress

if TYPE_CHECKING:
    from reverie.train.loop import Run


class Beginning(NamedTuple):
    """Where a run stands when it begins."""

    offset: int | None  # length of metrics.jsonl at the checkpoint; None: there is none
    over: str = ""  # why nothing is left to do; "" where something is


def go(run: "Run", from_step: int | None = None) -> None:
    """Resume if there is something to resume, plan, and turn until the steps are done.

    `from_step` as `train` has it.
    """
    beginning = begin(run, from_step)
    if not beginning.over and run.config.log.progress != "none":
        banner(run.config, [])
    with view([run]) as run.progress:
        say(run, beginning)
        if beginning.over:
            return
        preparation = Preparation([run], (run.device or run.learner).compile_beside, run.progress)
        with recording(run, beginning.offset, Interrupt()) as interrupt:
            agree(run, interrupt)
            if not (run.callbacks.stopping or _ready(run, preparation, interrupt)):
                asked, _ = agree(run, interrupt)
                raise Stopped(asked, f"at step {run.step:,}, where it resumed")
            run.progress.phase("compiling the policy")
            _turn_until_done(run, preparation, interrupt)
            if not run.callbacks.stopping:
                preparation.complete(interrupt)
        tell_outcome(preparation, run.config, run.progress)


def tell_outcome(preparation: Preparation, config: Config, progress: Progress) -> None:
    """Say at the end what memory was planned, and what was taken."""
    if peak_bytes() and preparation.plan and config.log.progress != "none":
        progress.note(preparation.plan.outcome(peak_bytes()))


def begin(run: "Run", from_step: int | None = None) -> Beginning:
    """Put `run` where its folder stands, check what can be known before the first step, and write
    its configuration. Raises RunError or ConfigError where it cannot begin."""
    over = snapshot.beyond(run, from_step)
    if over:
        return Beginning(None, over)
    offset = snapshot.begin(run, from_step, run.changes)
    if run.step >= run.config.steps and not run.chores:
        return Beginning(offset, f"this run has finished its {run.config.steps:,} steps.")
    run.origin["init"] = warm_start.begin(run, run.init, resumed=offset is not None)
    run.origin.setdefault("group", run_folder.read_group(run.logdir / "config.json"))
    if not run.peers.index:
        record(run)
    run.peers.gather("begun")
    return Beginning(offset)


def view(runs: Sequence["Run"]) -> Progress:
    """What people see of a run, or of the seeds of a group together."""
    first = runs[0]
    return Progress(
        first.config.log.progress,
        sum(run.config.steps for run in runs),
        start=sum(run.step for run in runs),
        title=first.config.task + (f", {len(runs)} seeds" if len(runs) > 1 else ""),
        observations=first.envs.obs_specs,
    )


def say(run: "Run", beginning: Beginning) -> None:
    """Tell what there is to know of the beginning."""
    for notice in [*run.notices, *filter(None, [beginning.over])]:
        run.progress.note(notice)


@contextlib.contextmanager
def recording(
    run: "Run", offset: int | None, interrupt: AbstractContextManager[Interrupt]
) -> Iterator[Interrupt]:
    """Within, metrics are written from `offset` on, signals are asked about and callbacks hear of
    the run."""
    if run.peers.index:  # the first process writes
        with interrupt as asked:
            yield asked
        return
    how: dict[str, Any] = {"notify": run.progress.note, "further": run.callbacks.sinks}
    run.logger = Logger(run.logdir, run.config.log, run.config, offset, **how)
    marked = divergence.marked(run.logdir)
    with contextlib.closing(run.logger), marked, interrupt as asked, run.callbacks:
        yield asked


def agree(run: "Run", interrupt: Interrupt, saved: float | None = None) -> tuple[int, bool]:
    """The signal that came, if one did, and whether a checkpoint is due.

    A signal to one of several processes counts for all of them, in the same turn: one that comes
    while they agree counts the next time. The first one's callbacks and clock decide.
    """
    saving = saved is not None and wants_saving(run, saved)
    found = run.peers.gather([interrupt.asked, run.callbacks.stopping, saving])
    _, run.callbacks.stopping, saving = found[0]
    return max(asked for asked, _, _ in found), saving


def goes_on(run: "Run") -> bool:
    """Whether something is left to do."""
    return bool(run.chores or run.step < run.config.steps) and not run.callbacks.stopping


def wants_saving(run: "Run", saved: float) -> bool:
    """Whether a checkpoint is due; the last one was taken at `saved` of the monotonic clock."""
    return run.callbacks.saving or time.monotonic() - saved > run.config.train.save_every


def _ready(run: "Run", preparation: Preparation, interrupt: Interrupt) -> bool:
    """Whether results can be read of an update in flight from a checkpoint; False where a signal
    came first."""
    return not run.updates or preparation.complete(interrupt)


def _turn_until_done(run: "Run", preparation: Preparation, interrupt: Interrupt) -> None:
    saved = time.monotonic()
    while goes_on(run):
        if run.chores:
            chores.do(run, run.chores.pop(0), interrupt)
        elif not (run.due or run.device) or preparation.complete(interrupt):
            before = run.step
            run.turn()
            preparation.turned()
            run.chores = chores.due_since(run, before)
            run.progress.step(run.step)
        asked, saving = agree(run, interrupt, saved)
        if asked:
            run.save()
            raise Stopped(asked, f"at step {run.step:,} and saved")
        if saving:
            run.save()
            saved = time.monotonic()
    run.save()
