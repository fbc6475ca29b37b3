"""A group: the runs of several seeds are opened, go their turns together, and end one by one."""

import contextlib
import functools as ft
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from reverie.callbacks.base import Callback
from reverie.config.schema import Config
from reverie.config.start import Start
from reverie.part.errors import ConfigError
from reverie.train import course
from reverie.train.group import room
from reverie.train.group.acting import Actors
from reverie.train.group.apart import Apart, CallsApart, is_apart
from reverie.train.group.calls import Calls
from reverie.train.group.folders import group_of
from reverie.train.group.stack import Stack
from reverie.train.group.turns import Member, Together, Turns
from reverie.train.interrupt import Interrupt
from reverie.train.loop import Run, opened
from reverie.train.preparation import Preparation
from reverie.train.sequence import MakeEnv
from reverie.train.step import write_back
from reverie.watch.banner import banner
from reverie.watch.progress import Progress
from reverie.watch.sink import Sink
from reverie.watch.together import SeedProgress


class Outcome(NamedTuple):
    """How the run of a seed ended."""

    config: Config
    logdir: Path
    error: Exception | None = None


def train(
    configs: Sequence[Config],
    make_env: MakeEnv = None,
    *,
    init: Start | None = None,
    callbacks: Callable[[int], Sequence[Callback | Sink]] | None = None,
) -> list[Outcome]:
    """Run or resume the seeds of one configuration together; how each of them ended.

    `configs` differ in `seed` and `logdir` alone, `callbacks` gives those of a seed; the rest is as
    `loop.train` has it. What keeps
    the group from starting is raised; a seed that fails later ends alone. Raises Stopped after a
    signal, when all are saved.
    """
    check_batched(configs[0])
    group = group_of(configs)
    with contextlib.ExitStack() as everything:
        members = []
        for config in configs:
            stack = everything.enter_context(contextlib.ExitStack())
            heard = () if callbacks is None else callbacks(config.seed)
            like = members[0].run if members else None
            run = stack.enter_context(opened(config, make_env, heard, init, like=like))
            run.origin["group"] = group
            members.append(Member(run, stack))
            if len(members) == 1:
                room.check_host(run, len(configs))
        _go(members)
    ends = zip(configs, members, strict=True)
    return [Outcome(config, member.run.logdir, member.error) for config, member in ends]


def check_batched(config: Config) -> None:
    """Raises ConfigError naming what a process can have only once."""
    if config.log.wandb:
        raise ConfigError(
            "--log.wandb is for one run a process: leave it out, or give --no-together to run the "
            "seeds one after another."
        )
    if config.device.mesh:
        raise ConfigError(
            f"--device.mesh {config.device.mesh} spreads one learner over devices, and several "
            "seeds in one process share one: leave it out, or give --no-together to run the seeds "
            "one after another."
        )


def _go(members: list[Member]) -> None:
    """Begin them all, and turn until all are done."""
    beginnings = [course.begin(member.run) for member in members]
    first = members[0].run
    if first.config.log.progress != "none" and not all(start.over for start in beginnings):
        seeds = ", ".join(str(member.run.config.seed) for member in members)
        banner(first.config, [("group", f"seeds {seeds}, each in a run folder of its own")])
    with _view(members) as view, Interrupt() as interrupt:
        _say(members, beginnings, view)
        live, offsets = [], []
        for member, beginning in zip(members, beginnings, strict=True):
            if beginning.over:
                member.finish()
            else:
                member.place = len(live)
                live.append(member)
                offsets.append(beginning.offset)
        if live:
            turns = _turns(live, offsets, view, interrupt)
            turns.go()
            course.tell_outcome(turns.preparation, first.config, view)


def _turns(
    live: list[Member], offsets: list[int | None], view: Progress, interrupt: Interrupt
) -> Turns:
    runs = [member.run for member in live]
    computing = _computing(runs)
    preparation = Preparation(runs, computing.compile_beside, view, check=room.check_plan)
    _record(live, offsets, interrupt)
    if runs[0].device is None:
        view.phase("compiling the policy")
    return Turns(live, computing, preparation, interrupt)


def _computing(runs: Sequence[Run]) -> Together | Apart | Calls | CallsApart:
    """What computes the turns of `runs`."""
    apart = is_apart(runs[0])
    if runs[0].device is not None:
        return CallsApart(runs) if apart else Calls(runs)
    if apart:
        return Apart(runs)
    carries = [run.actor.begin(run.learner.acting) for run in runs]
    learners = Stack([run.learner for run in runs], runs[0].config)
    store = ft.partial(write_back, config=runs[0].config)
    specs = runs[0].envs.action_specs
    return Together(learners, Actors([run.actor for run in runs], carries, specs, store))


def _record(live: list[Member], offsets: list[int | None], interrupt: Interrupt) -> None:
    """Write the metrics of each from here on."""
    for member, offset in zip(live, offsets, strict=True):
        asked = contextlib.nullcontext(interrupt)
        member.stack.enter_context(course.recording(member.run, offset, asked))


def _view(members: Sequence[Member]) -> Progress:
    """One view of all, in which each tells of itself."""
    runs = [member.run for member in members]
    view = course.view(runs)
    steps = {run.config.seed: run.step for run in runs}
    for run in runs:
        run.progress = SeedProgress(view, run.config.seed, steps)
    return view


def _say(members: Sequence[Member], beginnings: Sequence[course.Beginning], view: Progress) -> None:
    """What there is to know: once where it is said of every seed."""
    counts = Counter(notice for member in members for notice in member.run.notices)
    shared = [notice for notice, count in counts.items() if count == len(members)]
    for notice in shared:
        view.note(notice)
    for member, beginning in zip(members, beginnings, strict=True):
        member.run.notices = [n for n in member.run.notices if n not in shared]
        course.say(member.run, beginning)
