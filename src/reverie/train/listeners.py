"""The callbacks of a run: told of every event, asked what they wish, saved with every checkpoint.

What they ask for (to stop, to keep a checkpoint) is done between two turns of the loop, where a
signal is answered too, so that nothing depends on when in a turn they asked.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from reverie.callbacks import events
from reverie.callbacks.base import EVENTS, Callback, Listening
from reverie.callbacks.control import Control
from reverie.callbacks.failure import CallbackError, failure
from reverie.part.errors import ConfigError
from reverie.records import Step
from reverie.train import checkpoint, kept

if TYPE_CHECKING:
    from reverie.train.loop import Run

SAVED = "the run was then stopped and saved, and the same call resumes it"
OVER = "the run had ended before, and is saved"
NEVER = "nothing was started"


class Listeners:
    """The callbacks of `run`, by name. As a context manager it tells them of start and end.

    `stopping`: the loop is to end. `saving`: a checkpoint is wanted before the next turn.
    """

    def __init__(self, run: "Run", listening: Listening):
        callbacks, self.sinks = listening
        self._run, self._named = run, callbacks
        self._controls = {name: Control(name) for name in callbacks}
        self._hears = {
            event: [name for name, one in callbacks.items() if _overrides(one, event)]
            for event in EVENTS
        }
        self.stopping, self._stopped_by, self._reason = False, "", ""
        self._raises: Exception | None = None
        self._failure: CallbackError | None = None
        self._states: dict[str, str] = {}
        self._keep: list[str] = []
        self._resumed = False

    def hears(self, event: str) -> bool:
        """Whether somebody wants to be told of these events."""
        return bool(self._hears[event])

    # -- events

    def __enter__(self) -> "Listeners":
        run = self._run
        self._tell("on_start", events.Start(run.step, self._resumed, run.config, run.logdir))
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, _: object) -> None:
        run, reason = self._run, str(error or "") or (kind.__name__ if kind else "")
        reason = str(self._failure or "") or self._stop_sentence() or reason
        finished = not (error or self.stopping)
        self._tell("on_end", events.End(run.step, finished, reason))
        if error is not None:
            return
        if self._failure is not None:
            raise self._failure
        if self._raises is not None:
            raise self._raises
        if self.stopping:
            run.progress.note(f"{reason} The folder can be resumed.")

    def _stop_sentence(self) -> str:
        """Who stopped the run, where, and why; "" where nobody did."""
        if not self._stopped_by:
            return ""
        why = f": {self._reason}" if self._reason else ""
        return f"stopped by {self._stopped_by} at step {self._run.step:,} and saved{why}."

    def step(self, step: Step, action: Mapping[str, Any]) -> None:
        """Every environment has made a row, and this is what is done next."""
        if self.hears("on_step"):
            flags = [frozen(getattr(step, k)) for k in ("is_first", "is_last", "is_terminal")]
            obs, done, log = (frozen_all(part) for part in (step.obs, action, step.log))
            reward = frozen(step.reward)
            self._tell(
                "on_step",
                events.StepBatch(self._run.step, obs, reward, *flags, action=done, log=log),
            )

    def episode(self, numbers: Mapping[str, float]) -> None:
        """An episode has ended; `numbers` as `Episodes.add` gives them."""
        log = {k.removeprefix("log/"): v for k, v in numbers.items() if k.startswith("log/")}
        length = int(numbers["length"])
        shown = MappingProxyType(log)
        self._tell("on_episode", events.Episode(self._run.step, numbers["return"], length, shown))

    def metrics(self, scalars: Mapping[str, Any]) -> None:
        """The means of a log interval are written."""
        if self.hears("on_metrics"):
            self._tell("on_metrics", events.Metrics(self._run.step, as_floats(scalars)))

    def evaluation(self, scalars: Mapping[str, Any]) -> None:
        """The numbers of an evaluation are written."""
        values = as_floats(scalars)
        numbers = values["eval/return"], values["eval/return_std"], int(values["eval/episodes"])
        self._tell("on_evaluation", events.Evaluation(self._run.step, *numbers, values=values))

    def checkpoint(self, path: Path) -> None:
        """A checkpoint is complete: it is kept where somebody asked for that."""
        self._keep_as(path)
        self._tell("on_checkpoint", events.Checkpoint(checkpoint.step_of(path), path))

    # -- what they ask for

    def _tell(self, event: str, record: Any) -> None:
        for name in self._hears[event]:
            if self._failure is not None and event != "on_end":
                return
            self._call(name, event, record)

    def _call(self, name: str, event: str, record: Any) -> None:
        control = self._controls[name]
        try:
            getattr(self._named[name], event)(record, control)
        except Exception as error:
            if isinstance(error, ConfigError) and event == "on_start":
                raise  # nothing has been done yet
            self._failed(name, event, error)
        self._grant(name, control)

    def _failed(self, name: str, event: str, error: Exception) -> None:
        then = OVER if event == "on_end" else SAVED
        self._failure = self._failure or failure(name, event, self._run.step, error, then)
        self.stopping = True

    def _grant(self, name: str, control: Control) -> None:
        for note in control.notes:
            self._run.progress.note(note)
        if control.scalars:
            self._run.log(control.scalars)
        self._keep += [folder for folder in control.kept if folder not in self._keep]
        if control.stop_reason is not None and not self.stopping:
            self._reason = control.stop_reason.rstrip(".")
            self.stopping, self._stopped_by, self._raises = True, name, control.raises
        control.clear()

    @property
    def saving(self) -> bool:
        """Whether a checkpoint is to be kept that is not yet written."""
        return bool(self._keep)

    def _keep_as(self, path: Path) -> None:
        while self._keep:
            kept.keep(path, self._keep[0])
            self._keep.pop(0)

    # -- what a checkpoint holds of them

    def state(self) -> dict[str, Any]:
        """What `load` needs. What callbacks say of themselves is text to the checkpoint."""
        for name, callback in self._named.items():
            try:
                self._states[name] = json.dumps(callback.state())
            except Exception as error:  # the run is saved with what was known before
                self._failed(name, "state", error)
        return {"states": dict(self._states), "keep": list(self._keep)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Continue where `state` was taken; the states of callbacks that are not here stay.

        Raises CallbackError where a callback refuses its own.
        """
        self._states = {str(name): str(text) for name, text in dict(state["states"]).items()}
        self._keep = [str(name) for name in state["keep"]]
        for name, callback in self._named.items():
            if name in self._states:
                saved = json.loads(self._states[name])
                try:
                    callback.load(saved)
                except Exception as error:
                    raise failure(name, "load", self._run.step, error, NEVER) from error

    def resumed(self, path: Path) -> None:
        """The run goes on from `path`, which is kept where a kill came before that."""
        self._resumed = True
        self._keep_as(path)


def _overrides(callback: Callback, event: str) -> bool:
    return getattr(type(callback), event) is not getattr(Callback, event)


def frozen(array: Any) -> np.ndarray:
    """A copy that cannot be written."""
    copy = np.array(array)
    copy.flags.writeable = False
    return copy


def frozen_all(arrays: Mapping[str, Any]) -> Mapping[str, np.ndarray]:
    """The same of every array of a mapping, which cannot be changed either."""
    return MappingProxyType({name: frozen(array) for name, array in arrays.items()})


def as_floats(scalars: Mapping[str, Any]) -> Mapping[str, float]:
    """Numbers by name, as a mapping that cannot be changed."""
    return MappingProxyType({name: float(value) for name, value in scalars.items()})
