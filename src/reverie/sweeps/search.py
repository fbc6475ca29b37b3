"""A search: Optuna chooses the settings of trials, and ends those that promise little.

The study lies in the sweep folder (`study.db`, SQLite) and is touched by the process of the sweep
alone: trials are ordinary runs, whose curves are read from their folders. So a search that was
killed goes on, with trials that went on without it.
"""

import difflib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reverie.part.errors import ConfigError
from reverie.report.metrics import read_metrics
from reverie.sweeps import grid, record
from reverie.sweeps.backend import need
from reverie.sweeps.errors import SearchError
from reverie.sweeps.grid import Trial
from reverie.sweeps.plan import Plan
from reverie.sweeps.record import ENDS, Record
from reverie.sweeps.values import Range, Values

STUDY = "study.db"
PREFIX = "trial-"


class OptunaSearch:
    """Adds trials to a sweep and reports their curves to a study.

    Raises SweepError where Optuna is not installed.
    """

    def __init__(self, folder: Path, plan: Plan):
        assert plan.search is not None
        self._optuna = need("optuna", "optuna", "--search optuna")
        self._optuna.logging.set_verbosity(self._optuna.logging.WARNING)
        self._folder, self._plan, self._search = folder, plan, plan.search
        self._study = self._optuna.create_study(
            storage=f"sqlite:///{folder / STUDY}",
            study_name="reverie",
            direction=self._search.direction,
            load_if_exists=True,
        )
        self._curves: dict[str, tuple[tuple[int, int], dict[int, float]]] = {}
        self._space = {key: self._distribution(found) for key, found in plan.vary.items()}

    def _distribution(self, found: Values) -> Any:
        distributions = self._optuna.distributions
        if not isinstance(found, Range):
            return distributions.CategoricalDistribution(found)
        if found.whole:
            return distributions.IntDistribution(int(found.low), int(found.high), found.log)
        return distributions.FloatDistribution(found.low, found.high, found.log)

    def more(self, records: Mapping[str, Record], room: int) -> list[Trial]:
        """At most `room` trials that the study knows and the sweep does not, or new ones.

        What is chosen depends on the plan's seed and the results so far, not on when the search
        was killed.
        """
        known = self._study.get_trials(deepcopy=False)
        missing = [frozen for frozen in known if _name(frozen.number) not in records]
        found = [self._trial(frozen.number, frozen.params) for frozen in missing][:room]
        for number in range(len(known), self._search.trials)[: room - len(found)]:
            self._study.sampler = self._optuna.samplers.TPESampler(
                seed=(self._plan.seeds[0] * 1_000_003 + number) % 2**32
            )
            asked = self._study.ask(self._space)
            found.append(self._trial(asked.number, asked.params))
        return found

    def _trial(self, number: int, params: Mapping[str, Any]) -> Trial:
        setting = {key: str(value) for key, value in params.items()}
        task, seed = self._plan.tasks[0], self._plan.seeds[0]
        return Trial(_name(number), grid.words(task, setting, (seed,), self._plan.options))

    def look(self, records: Mapping[str, Record]) -> None:
        """Report new points of the curves and how trials ended; ask for the end of those that
        the study would prune.

        Raises SearchError where the first trial has finished without the metric.
        """
        for frozen in self._study.get_trials(deepcopy=False):
            name = _name(frozen.number)
            if name in records and not frozen.state.is_finished():
                self._look(frozen, name, records[name])

    def _look(self, frozen: Any, name: str, found: Record) -> None:
        if found.state in ("waiting", "cancelled"):
            return
        trial = self._optuna.trial.Trial(self._study, frozen._trial_id)
        values = self._report(trial, name, frozen.intermediate_values, found.state)
        states = self._optuna.trial.TrialState
        if found.state == "failed":
            self._study.tell(frozen.number, state=states.FAIL)
        elif found.state == "pruned":
            self._study.tell(frozen.number, state=states.PRUNED)
        elif found.state == "finished":
            if not values:
                raise SearchError(self._nothing(name))
            self._study.tell(frozen.number, values[max(values)])

    def _report(self, trial: Any, name: str, told: Mapping[int, float], state: str):
        """The curve of a trial, value by step; its new points are reported one after another."""
        values = self._curve(name)
        for step in sorted(set(values) - set(told)):
            trial.report(values[step], step)
            if state not in ENDS and trial.should_prune():
                record.ask(self._folder, name, "pruned")
                break
        return values

    def _curve(self, name: str) -> dict[int, float]:
        """The curve of a trial; its file is read again where that has changed."""
        file = self._folder / name / "metrics.jsonl"
        if not file.is_file():
            return {}
        found = file.stat()
        version = (found.st_mtime_ns, found.st_size)
        if name not in self._curves or self._curves[name][0] != version:
            self._curves[name] = version, self._read(file)
        return self._curves[name][1]

    def _read(self, file: Path) -> dict[int, float]:
        series, _ = read_metrics(file)
        found = series.get(self._search.metric)
        if found is None:
            return {}
        pairs = zip(found.step, found.value, strict=True)
        return {int(step): float(value) for step, value in pairs if value == value}

    def _nothing(self, name: str) -> str:
        file = self._folder / name / "metrics.jsonl"
        series, _ = read_metrics(file)
        names, metric = sorted(series), self._search.metric
        if file.is_file() and f'"{metric}": null' in file.read_text(errors="replace"):
            return (
                f"the search cannot go on: {name} has finished, and {metric} was never a finite "
                "number in it (null in its metrics.jsonl)."
            )
        near = difflib.get_close_matches(metric, names, n=1, cutoff=0.5)
        hint = f" Did you mean --metric {near[0]}?" if near else ""
        return (
            f"the search cannot go on: {name} has finished and has no {metric}. It has "
            f"{', '.join(names) or 'no metrics'}.{hint}"
        )

    def complete(self, records: Mapping[str, Record]) -> bool:
        """Whether as many trials were chosen as were asked for."""
        return len(records) >= self._search.trials

    def best(self) -> tuple[str, float, Mapping[str, Any]] | None:
        """Name, value and settings of the best trial; None where none has finished."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            done = self._optuna.trial.TrialState.COMPLETE
            if not self._study.get_trials(deepcopy=False, states=(done,)):
                return None
            best = self._study.best_trial
        return _name(best.number), float(best.value), best.params


def _name(number: int) -> str:
    return f"{PREFIX}{number:04d}"


def check(plan: Plan) -> None:
    """Raises ConfigError for a search that means nothing."""
    many = [f"{len(found)} {kind}" for kind, found in _counted(plan) if len(found) > 1]
    if many:
        raise ConfigError(
            f"a search judges one run at a time, found {' and '.join(many)}: name one task and "
            "--seeds 1 (then compare the best settings over seeds in a sweep of their own)."
        )
    if not plan.vary:
        raise ConfigError("a search needs something to choose: --vary KEY=LOW..HIGH or KEY=A,B.")


def _counted(plan: Plan):
    return ("tasks", plan.tasks), ("seeds", plan.seeds)
