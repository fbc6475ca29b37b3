"""Trials of Optuna that are pruned on the way."""

import importlib
from typing import Any

from reverie.callbacks.base import Callback
from reverie.callbacks.control import Control
from reverie.callbacks.events import Evaluation, Metrics, Start
from reverie.callbacks.watched import check_metric, check_watched
from reverie.part.errors import ConfigError


class OptunaPruning(Callback):
    """Reports `metric` to a trial of Optuna, and ends the run where the trial should be pruned:
    `train` then raises `optuna.TrialPruned` after the run is saved.

    Args:
        trial: the `optuna.Trial` that the objective is given.
        metric: a number of evaluations (`train.eval_every` must be set) or of log intervals, by
            its name in docs/metrics.md. Its steps are environment steps.

    Raises ConfigError where Optuna is not installed, or the metric is unknown.
    """

    def __init__(self, trial: Any, metric: str = "eval/return"):
        try:
            self._optuna = importlib.import_module("optuna")
        except ImportError as error:
            raise ConfigError(
                "OptunaPruning needs the package optuna: pip install 'reverie[optuna]'."
            ) from error
        self.trial, self.metric = trial, check_metric(metric)

    def on_start(self, event: Start, run: Control) -> None:
        """Check that the metric will come."""
        check_watched(self.metric, event, "OptunaPruning")

    def on_evaluation(self, event: Evaluation, run: Control) -> None:
        """Report a number of an evaluation."""
        if self.metric in event.values:
            self._report(event.values[self.metric], event.step, run)

    def on_metrics(self, event: Metrics, run: Control) -> None:
        """Report a mean of a log interval."""
        if self.metric in event.values:
            self._report(event.values[self.metric], event.step, run)

    def _report(self, value: float, step: int, run: Control) -> None:
        self.trial.report(value, step)
        if self.trial.should_prune():
            reason = f"Optuna prunes the trial: {self.metric} is {value:g} at step {step:,}"
            run.stop(reason, raises=self._optuna.TrialPruned(reason))
