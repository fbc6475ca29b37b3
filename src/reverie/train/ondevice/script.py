"""What the next call does: how many turns, which updates before each, on which rows.

All of it follows from counters (`Run.fall_due`, `RemoteRows.draw`), which the run's own objects
count here as they do in the loop of the host; the device then does it. Several seeds make a call
together where their schedules agree, and it ends where they part.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from reverie.config.schema import Config
from reverie.records import Array
from reverie.replay.keep import Ticket
from reverie.replay.remote import RemoteRows
from reverie.replay.sampler import SCORE
from reverie.replay.signal import AbstractStepSignal
from reverie.train.ondevice.ring import Windows

if TYPE_CHECKING:
    from reverie.train.loop import Run

UPDATES = 32
"""Updates of one call at most."""


class Script(NamedTuple):
    """What a call does: segments of some updates and then some turns. U, N: room for them."""

    segments: Array
    updates: Array  # (N,) of every segment
    turns: Array  # (N,)
    windows: Windows  # (U + 1, B): of the update that is pending, and then of each of the call's
    weight: Array | None  # (U, B) importance of the windows
    pending: Array  # whether there is an update whose result is to be written back
    seeds: Array  # (E, M) of the next episodes of every environment
    explore: Array  # (N,) bool: turns whose actions the explorer chooses
    random: Array  # whether chance chooses the actions
    until_end: Array  # whether to stop at the first end of an episode
    on: Array | None = None  # whether this one of several seeds takes part; None: it is alone


APART = ("windows", "weight", "pending", "seeds", "on")
"""Parts of a script that each of several seeds has for itself. They share the rest: loops whose
ends differed would compute, and copy, everything for all of them at every step."""


class Books(NamedTuple):
    """What counts for a run: its clocks, and which rows lie on the device."""

    run: "Run"
    rows: RemoteRows


class Draws(NamedTuple):
    """The updates of one run in a call."""

    tickets: list[Ticket]
    weights: list[np.ndarray | None]
    """Importance of their windows."""


NO_DRAWS = Draws([], [])


class Planned(NamedTuple):
    """What a call does."""

    draws: list[Draws]
    """Of every run that makes it."""
    segments: list[tuple[int, int]]
    """So many updates and then so many turns, one after the other."""
    explore: list[bool]
    """Turns whose actions the explorer chooses."""
    random: bool = False
    """Whether chance chooses all actions (`train.prefill`)."""
    until_end: bool = False
    """Whether the call ends with the first episode that ends."""

    @property
    def updates(self) -> int:
        """Updates of each run."""
        return sum(updates for updates, _ in self.segments)


def plan(books: Sequence[Books], *, turns: int, updates: int) -> Planned:
    """The next call of runs that are `ready` for one, of at most so many turns and updates; their
    counters are those after it, but for turns of random actions, whose number only the call itself
    knows."""
    runs = [run for run, _ in books]
    turns = min(turns, *map(turns_left, runs))
    planned = Planned([Draws([], []) for _ in runs], [], [])
    if runs[0].filling:
        return _filling(runs, turns, planned)
    while len(planned.explore) < turns:
        if planned.explore and any(map(measures, runs)):  # before this call they were asked
            break
        now = min(updates - planned.updates, *(run.due for run in runs))
        for book, draws in zip(books, planned.draws, strict=True):
            for _ in range(now):
                _draw(book, draws)
        if now or not planned.segments:
            planned.segments.append((now, 0))
        explore = {explores(run, len(planned.explore)) for run in runs}
        if any(run.due for run in runs) or len(explore) > 1:  # no room for more, or they part
            break
        before, done = planned.segments[-1]
        planned.segments[-1] = before, done + 1
        planned.explore.append(explore.pop())
        for run, rows in books:
            rows.admit()
            run.turned()
    return planned


def ready(runs: Sequence["Run"]) -> tuple[list["Run"], int]:
    """Those who make the next call together, and how many updates until they wait for the others.

    First goes who has made the fewest updates; of these, whose actions are random still; of these,
    who owes no update and acts as the first of them does. As soon as all owe one, all go.
    """
    places = [(run.updates, not run.filling, bool(run.due)) for run in runs]
    found = [run for run, place in zip(runs, places, strict=True) if place == min(places)]
    if not found[0].due:
        found = [run for run in found if _acts(run) == _acts(found[0])]
    ahead = [run.updates - found[0].updates for run in runs if run not in found]
    return found, min(ahead, default=UPDATES)


def _acts(run: "Run") -> bool:
    """What runs at one place of their schedules must have in common to act in one call."""
    return _filled(run) if run.filling else explores(run, 0)


def explores(run: "Run", ahead: int) -> bool:
    """Whether the explorer acts so many turns after those that are counted on the device."""
    return run.config.explore.acts(run.step, run.actor.count + ahead)


def measures(run: "Run") -> bool:
    """Whether the units of the observation are to be measured before the first update."""
    return bool(run.due and not run.updates) and run.learner.unmeasured


def _filled(run: "Run") -> bool:
    """Whether there are `train.prefill` rows, and an episode must end yet."""
    return run.step >= run.config.train.prefill


def _filling(runs: Sequence["Run"], turns: int, planned: Planned) -> Planned:
    """Turns of random actions: up to `train.prefill`, and then until an episode has ended."""
    filled, prefill = _filled(runs[0]), runs[0].config.train.prefill
    left = min(-(-(prefill - run.step) // run.envs.num) for run in runs)
    turns = turns if filled else min(turns, left)
    segments, explore = [(0, turns)], [False] * turns
    return planned._replace(segments=segments, explore=explore, random=True, until_end=filled)


def _draw(book: Books, draws: Draws) -> None:
    """One update: its rows, and then what is known of the one before (see `Run.learned`)."""
    run, rows = book
    result = run.learner.pending  # not written back yet
    before = draws.tickets[-1] if draws.tickets else None if result is None else result[0]
    drawn = rows.draw(run.config.train.batch)
    draws.tickets.append(drawn.ticket)
    draws.weights.append(drawn.weight)
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
