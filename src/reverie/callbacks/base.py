"""The events of a run, and which objects `callbacks=[...]` takes."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from reverie.callbacks.control import Control
from reverie.callbacks.events import (
    Checkpoint,
    End,
    Episode,
    Evaluation,
    Metrics,
    Start,
    StepBatch,
)
from reverie.part.errors import ConfigError
from reverie.watch.sink import Sink


class Callback:
    """Code that is told of the events of a run. Derive from it and write the methods you need:
    those here do nothing.

    `run` is what a callback may ask for (stop, log, keep, note); nothing else that it does can
    change the numbers of a run. An exception stops the run, which is saved first.
    """

    def on_start(self, event: Start, run: Control) -> None:
        """The run begins or goes on."""

    def on_step(self, event: StepBatch, run: Control) -> None:
        """Every environment has made one row. (Costs a copy of it, only where it is written.)"""

    def on_episode(self, event: Episode, run: Control) -> None:
        """A training episode has ended."""

    def on_metrics(self, event: Metrics, run: Control) -> None:
        """The means of a log interval."""

    def on_evaluation(self, event: Evaluation, run: Control) -> None:
        """An evaluation is over."""

    def on_checkpoint(self, event: Checkpoint, run: Control) -> None:
        """A checkpoint is complete. When that is depends on time (`train.save_every`)."""

    def on_end(self, event: End, run: Control) -> None:
        """The run is over, for whatever reason."""

    def state(self) -> dict[str, Any]:
        """What the callback has learned, as JSON values: saved with every checkpoint."""
        return {}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on with what `state` gave when the checkpoint was taken that the run resumes from."""


EVENTS = tuple(name for name in vars(Callback) if name.startswith("on_"))


class Listening(NamedTuple):
    """Who hears of a run."""

    callbacks: Mapping[str, Callback] = MappingProxyType({})  # by name
    sinks: Sequence[Sink] = ()


NOBODY = Listening()


def sort(given: Sequence[Any]) -> Listening:
    """The callbacks and the sinks among what `callbacks=` was given.

    A callback is named by its class; the second one of a class is NAME-2.

    Raises ConfigError for what is neither.
    """
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise ConfigError(f"callbacks takes a list, found {given!r}: write callbacks=[...].")
    named: dict[str, Callback] = {}
    sinks: list[Sink] = []
    for index, item in enumerate(given):
        if isinstance(item, type):
            raise ConfigError(
                f"callbacks[{index}] is the class {item.__name__}: hand over an object of it, "
                f"{item.__name__}(...)."
            )
        if isinstance(item, Callback):
            _check_once(item, index, [*named.values()])
            named[_free(type(item).__name__, named)] = item
        elif isinstance(item, Sink):
            sinks.append(item)
        else:
            raise ConfigError(
                f"callbacks[{index}] is {item!r}: it takes objects whose class derives from "
                "reverie.Callback, or from reverie.Sink to receive metrics."
            )
    return Listening(named, sinks)


def _check_once(item: Callback, index: int, before: Sequence[Callback]) -> None:
    if any(item is other for other in before):
        raise ConfigError(f"callbacks[{index}] is there twice: make an object for each.")


def _free(name: str, taken: Mapping[str, Any]) -> str:
    number = sum(other == name or other.startswith(f"{name}-") for other in taken) + 1
    return name if number == 1 else f"{name}-{number}"
