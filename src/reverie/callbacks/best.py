"""The best checkpoint of a run stays on disk."""

import math
from collections.abc import Mapping
from typing import Any, Literal

from reverie.callbacks.base import Callback
from reverie.callbacks.control import Control
from reverie.callbacks.events import End, Evaluation, Metrics, Start
from reverie.callbacks.watched import check_metric, check_watched
from reverie.part.errors import ConfigError, suggest
from reverie.watch.text import number

MODES = ("max", "min")


class KeepBest(Callback):
    """Saves whenever `metric` is better than ever, and keeps that checkpoint as
    `checkpoints/best/STEP`.

    It is a whole checkpoint with its manifest, and `train.keep` does not touch it. It shares its
    bytes with the one of its step as long as that stays; the replay's files are not kept with it,
    so it is there to be loaded and evaluated, not to be resumed from.

    Args:
        metric: a number of evaluations (`train.eval_every` must be set) or of log intervals, by
            its name in docs/metrics.md.
        mode: whether large or small values are good.

    Raises ConfigError for a wrong argument.
    """

    FOLDER = "best"

    def __init__(self, metric: str = "eval/return", *, mode: Literal["max", "min"] = "max"):
        if mode not in MODES:
            raise ConfigError(f"mode must be 'max' or 'min'; {suggest(str(mode), MODES)}")
        self.metric, self.mode = check_metric(metric), mode
        self.load({})

    def on_start(self, event: Start, run: Control) -> None:
        """Begin anew in a new run."""
        check_watched(self.metric, event, "KeepBest")
        if not event.resumed:
            self.load({})

    def on_evaluation(self, event: Evaluation, run: Control) -> None:
        """Look at the numbers of an evaluation."""
        self._look(event.values, event.step, run)

    def on_metrics(self, event: Metrics, run: Control) -> None:
        """Look at the means of a log interval."""
        self._look(event.values, event.step, run)

    def on_end(self, event: End, run: Control) -> None:
        """Say so where the metric never came."""
        if self.best is None:
            run.note(f"KeepBest kept nothing: no {self.metric} came in this run.")

    def _look(self, values: Mapping[str, float], step: int, run: Control) -> None:
        value = values.get(self.metric, math.nan)
        sign = 1.0 if self.mode == "max" else -1.0
        if math.isnan(value) or (self.best is not None and sign * value <= sign * self.best):
            return
        self.best, self.step = value, step
        run.keep(self.FOLDER)
        run.note(f"{self.metric} {number(value)} at step {step:,} is the best so far: kept.")

    def state(self) -> dict[str, Any]:
        """The best value and its step."""
        return {"best": self.best, "step": self.step, "metric": self.metric, "mode": self.mode}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on with them, where they are of the same metric; with {} from the beginning."""
        same = (state.get("metric"), state.get("mode")) == (self.metric, self.mode)
        self.best: float | None = state["best"] if same else None
        self.step: int = state["step"] if same else 0
