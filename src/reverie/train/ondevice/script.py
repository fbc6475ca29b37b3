"""What the next call does: how many turns, which updates before each, on which rows.

All of it follows from counters (`Run.fall_due`, `RemoteRows.draw`), which the run's own objects
count here as they do in the loop of the host; the device then does it.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from reverie.config.schema import Config
from reverie.replay.keep import Ticket
from reverie.replay.remote import RemoteRows
from reverie.replay.sampler import SCORE
from reverie.replay.signal import AbstractStepSignal

if TYPE_CHECKING:
    from reverie.train.loop import Run


class Planned(NamedTuple):
    """What a call does."""

    segments: list[tuple[int, int]]
    """So many updates and then so many turns, one after the other."""
    tickets: list[Ticket]
    """Of the updates."""
    weights: list[np.ndarray | None]
    """Importance of their windows."""
    random: bool
    """Whether chance chooses all actions (`train.prefill`)."""
    until_end: bool
    """Whether the call ends with the first episode that ends."""
    explore: list[bool]
    """Turns whose actions the explorer chooses."""

    @property
    def turns(self) -> int:
        """Turns at most."""
        return sum(turns for _, turns in self.segments)


def plan(run: "Run", rows: RemoteRows, *, turns: int, updates: int) -> Planned:
    """The next call of at most so many turns and updates; the run's counters are those after it,
    but for turns of random actions, whose number only the call itself knows."""
    turns = min(turns, turns_left(run))
    if run.filling:
        return _filling(run, turns)
    planned = Planned([], [], [], False, False, [])
    while len(planned.explore) < turns and not (run.due and run.learner.unmeasured):
        now = min(run.due, updates - len(planned.tickets))
        for _ in range(now):
            _draw(run, rows, planned)
        if now or not planned.segments:
            planned.segments.append((now, 0))
        if run.due:  # there is no room for more
            break
        before, done = planned.segments[-1]
        planned.segments[-1] = before, done + 1
        count = run.actor.count + len(planned.explore)
        planned.explore.append(run.config.explore.acts(run.step, count))
        rows.admit()
        run.turned()
    return planned


def _filling(run: "Run", turns: int) -> Planned:
    """Turns of random actions: up to `train.prefill`, and then until an episode has ended."""
    left = -(-(run.config.train.prefill - run.step) // run.envs.num)
    turns = min(turns, left) if left > 0 else turns
    return Planned([(0, turns)], [], [], True, left <= 0, [False] * turns)


def _draw(run: "Run", rows: RemoteRows, planned: Planned) -> None:
    """One update: its rows, and then what is known of the one before (see `Run.learned`)."""
    result = run.learner.pending  # not written back yet
    before = planned.tickets[-1] if planned.tickets else None if result is None else result[0]
    drawn = rows.draw(run.config.train.batch)
    planned.tickets.append(drawn.ticket)
    planned.weights.append(drawn.weight)
    run.due, run.updates = run.due - 1, run.updates + 1
    train, replay, scored = run.config.train, run.config.replay, None
    if result is not None and lags(run.config):
        scored = np.asarray(result[1].written[SCORE], np.float32)
    if before is not None and (replay.context or scored is not None):
        rows.written(before, train.length, scored, offset=replay.context)


def lags(config: Config) -> bool:
    """Whether a draw depends on what the update before the last one found out, so that a call can
    make one update at most."""
    return isinstance(config.replay.signal, AbstractStepSignal)


def turns_left(run: "Run") -> int:
    """Turns until something is due besides (`chores.due_since`), or the run ends."""
    options, step = run.config.train, run.step
    every = (options.log_every, options.eval_every, options.report_every, options.video_every)
    ends = [step - step % each + each for each in every if each] + [run.config.steps]
    return -(-(min(ends) - step) // run.envs.num)
