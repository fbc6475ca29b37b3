"""The turns of several runs in one process: what they compute is computed for all at once.

Every run keeps its own schedule: which of its updates sees which rows, and which weights choose
which action, follow from its own counters, as if it were alone. Runs that owe no update turn; as
soon as all of them owe one, all update. Between two turns a run waits for nothing, so that it can
be saved, evaluated and ended like any other.
"""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from reverie.folder.errors import Stopped
from reverie.train import chores, course
from reverie.train.compiling import Compiled
from reverie.train.group.acting import Actors, Ask
from reverie.train.group.apart import Apart, CallsApart
from reverie.train.group.calls import Calls
from reverie.train.group.stack import Batch, Stack
from reverie.train.interrupt import Interrupt
from reverie.train.learner import Result
from reverie.train.loop import Run
from reverie.train.preparation import Preparation


@dataclass(eq=False)
class Member:
    """A run of a group, and what is to be closed at its end."""

    run: Run
    stack: contextlib.ExitStack
    place: int = 0  # among the rows of the stacked learners
    error: Exception | None = None
    saved: float = field(default_factory=time.monotonic)

    def fail(self, error: Exception) -> None:
        """Close the run as an error does that is raised in it."""
        self.error = error
        try:
            with self.stack:
                raise error
        except Exception as final:
            self.error = final

    def finish(self) -> None:
        """Close the run, which is done."""
        try:
            self.stack.close()
        except Exception as error:
            self.error = error


class Together(NamedTuple):
    """What computes for all runs at once."""

    learners: Stack
    actors: Actors

    def compile_beside(self, rows: Mapping[str, Any]) -> Future[Compiled]:
        """As `Stack.compile_beside`."""
        return self.learners.compile_beside(rows)

    def update(self, batches: Mapping[int, Batch]) -> dict[int, tuple[Any, Result] | None]:
        """As `Stack.update`."""
        return self.learners.update(batches)

    def act(self, asks: Mapping[int, Ask]) -> dict[int, dict[str, Any]]:
        """As `Actors` called with the weights that act."""
        return self.actors(self.learners.acting, asks)


class Turns:
    """The turns of `members` until none is left; `members` is emptied on the way."""

    def __init__(
        self,
        members: list[Member],
        computing: Together | Apart | Calls | CallsApart,
        preparation: Preparation,
        interrupt: Interrupt,
    ):
        """`computing`: what computes their turns, one by one or, on the device, many in a call."""
        self._live, self._computing = members, computing
        self.preparation, self._interrupt = preparation, interrupt

    def go(self) -> None:
        """Turn until all are done. Raises Stopped after a signal, when all are saved."""
        if any(member.run.updates for member in self._live):
            self.preparation.complete(self._interrupt)  # names the results of updates in flight
        while self._live and not self._interrupt.asked:
            self._each(self._live, self._between)
            if self._live and not self._interrupt.asked:
                self._turn()
        if self._interrupt.asked and self._live:
            self._each(self._live, lambda member: member.run.save())
            steps = sorted({member.run.step for member in self._live})
            at = " to ".join(f"{step:,}" for step in dict.fromkeys((steps[0], steps[-1])))
            raise Stopped(self._interrupt.asked, f"at step {at}, and all seeds are saved")

    def _each(self, members: Sequence[Member], do: Callable[[Member], Any]) -> dict[int, Any]:
        """What `do` gives for each of `members`, by its place; where it fails the run is over."""
        found = {}
        for member in [*members]:
            try:
                found[member.place] = do(member)
            except Exception as error:
                self._live.remove(member)
                member.fail(error)
        return found

    def _between(self, member: Member) -> None:
        """What a run does between two turns: chores, a checkpoint, its end."""
        run = member.run
        while run.chores and not (run.callbacks.stopping or self._interrupt.asked):
            chores.do(run, run.chores.pop(0), self._interrupt)
        if self._interrupt.asked:
            return
        ended = not course.goes_on(run)
        if ended or course.wants_saving(run, member.saved):
            run.save()
            member.saved = time.monotonic()
        if ended:
            if not run.callbacks.stopping:
                self.preparation.complete(self._interrupt)
            self._live.remove(member)
            member.finish()

    def _turn(self) -> None:
        """A turn of those that owe no update, or one of all, with the updates that they owe; on
        the device many, of those whose schedules agree."""
        members = [member for member in self._live if not (member.run.due or member.run.device)]
        if not members:
            if not self.preparation.complete(self._interrupt):
                return
            members = [*self._live]
        before = {member.place: member.run.step for member in members}
        if isinstance(self._computing, Calls | CallsApart):
            members = self._call(members, self._computing)
        else:
            self._go_round(members, self._computing)
        for member in self._still(members):
            member.run.chores = chores.due_since(member.run, before[member.place])
            member.run.progress.step(member.run.step)
        self.preparation.turned()

    def _still(self, members: Sequence[Member]) -> list[Member]:
        """Those of `members` whose run is not over."""
        return [member for member in members if member in self._live]

    def _call(self, members: Sequence[Member], calls: Calls | CallsApart) -> Sequence[Member]:
        """One call of the device for those of `members` that are ready for it; who they are."""
        ready, updates = calls.ready([member.run for member in members])
        members = [member for member in members if member.run in ready]
        self._each(members, lambda member: calls.measure(member.place))
        members = self._still(members)
        taken = calls([member.place for member in members], updates) if members else {}
        self._each(members, lambda member: taken[member.place]())
        return members

    def _go_round(self, members: Sequence[Member], computing: Together | Apart) -> None:
        """One turn of each, its steps done for all of them before the next step."""
        self._each(members, lambda member: member.run.send())
        while owing := [member for member in self._still(members) if member.run.due]:
            self._update(owing, computing)
        self._act(self._still(members), computing)

    def _update(self, members: Sequence[Member], computing: Together | Apart) -> None:
        """One update of each."""
        batches = self._each(members, lambda member: member.run.draw())
        finished = computing.update(batches) if batches else {}
        self._each(self._still(members), lambda member: member.run.learned(finished[member.place]))

    def _act(self, members: Sequence[Member], computing: Together | Apart) -> None:
        """The environments' rows, what the policies answer, and what each run makes of it."""
        steps = self._each(members, lambda member: member.run.envs.recv())
        members = self._still(members)
        asks = {m.place: Ask(steps[m.place], **m.run.who_acts()) for m in members}
        rows = computing.act(asks)
        self._each(
            members,
            lambda member: member.run.take_in(steps[member.place], rows[member.place]),
        )
