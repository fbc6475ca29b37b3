"""What the host makes of a call: metrics of its updates, episodes of its rows, a video."""

from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

from reverie.envs.functional import rows
from reverie.records import Step
from reverie.train.learner import Result
from reverie.train.ondevice.chunk import Carried, Look, Told
from reverie.watch.recorder import largest_picture

if TYPE_CHECKING:
    from reverie.train.loop import Run


class Before(NamedTuple):
    """What a call of a run will replace."""

    step: int
    metrics: np.ndarray | None  # of the update that is pending


class Answer(NamedTuple):
    """What the host is told of a call, of one run; host arrays."""

    told: Told
    turns: Any  # made
    begun: np.ndarray  # (E,) episodes
    action: dict[str, np.ndarray]  # what the environments do next
    due: np.ndarray
    row: rows.Row

    @classmethod
    def of(cls, answer: Any, state: Carried) -> "Answer":
        """From what the program gave; waits for it."""
        return cls(*jax.device_get((*answer, state.action, state.due, state.now[1])))


def look_of(run: "Run") -> Look:
    """What somebody will look at: callbacks at everything, a video at the first environment's
    picture."""
    if run.callbacks.hears("on_step"):
        return Look(tuple(sorted(run.envs.obs_specs)), everyone=True)
    key = largest_picture(run.envs.obs_specs) if run.config.train.video_every else None
    return Look() if key is None else Look((key,))


def take_updates(run: "Run", pending: Any, metrics: Any) -> None:
    """Take in what updates gave, one late (see `Run.learned`): `metrics` (U, M) of the call's,
    `pending` (M,) of the one before, if there was one.

    Raises Diverged as `Learner.fetch` does.
    """
    known = [*metrics] if pending is None else [pending, *metrics]
    for values in known[:-1]:
        run.mean.add(run.learner.fetch(Result(values, {}))[0])


def take_rows(run: "Run", told: Told, turns: int, begin: int) -> None:
    """Take in the rows of a call that began at step `begin`: each with which an episode begins or
    ends, or all of them where somebody looks.

    Raises EnvError for numbers that are not finite.
    """
    _check(run, told, turns)
    marked = np.logical_or(told.is_first, told.is_last)[:turns].any(1)
    if told.action or run.recorder.wanted:
        marked[:] = True
    step, done = run.step, 0
    for turn in np.flatnonzero(marked).tolist():
        if turn > done:
            run.episodes.go_on(told.reward[done:turn])
        run.step, done = begin + turn * run.envs.num, turn + 1
        run.tell(row_of(told, turn), {key: array[turn] for key, array in told.action.items()})
    if turns > done:
        run.episodes.go_on(told.reward[done:turns])
    run.step = step


def row_of(told: Told, turn: int) -> Step:
    """What is known of the rows of one turn."""
    shown = {key: array[turn] for key, array in told.shown.items()}
    first, last, terminal = (x[turn] for x in (told.is_first, told.is_last, told.is_terminal))
    return Step(shown, told.reward[turn], first, last, terminal)


def _check(run: "Run", told: Told, turns: int) -> None:
    """Raises EnvError for the first number of a row that is not finite."""
    for turn, index in np.argwhere(told.wrong[:turns]).tolist():
        number = int(told.wrong[turn, index])
        if number == 1:
            raise rows.bad_reward(index, told.reward[turn, index])
        raise rows.bad_observation(index, sorted(run.envs.obs_specs)[number - 2])
