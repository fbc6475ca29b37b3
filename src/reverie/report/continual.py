"""Runs over sequences of tasks: their metrics with intervals over seeds, and what they rest on."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reverie.config.sequence import SequenceConfig
from reverie.report import groups, transfer
from reverie.report.read import Run
from reverie.report.statistics import Estimate, estimate, mean
from reverie.report.transfer import Curve
from reverie.train.sequence import per_task

OTHER_RUNS = ("task", "seed", "steps", "sequence.", "train.eval_every", *groups.UNIMPORTANT)
"""Beginnings of fields in which a single-task reference run may differ from the sequence."""


@dataclass(frozen=True)
class Published:
    """What a paper reports for a method on a named sequence; None where it is not known."""

    method: str
    performance: float | None
    forgetting: float | None
    transfer: float | None


PUBLISHED: dict[str, tuple[Published, ...]] = {
    "continual:minigrid3": (
        Published("Impala (paper)", 0.00, 0.00, 0.00),
        Published("CLEAR (paper)", 0.03, 0.01, 0.03),
        Published("Impala x10 steps (paper)", 0.16, 0.06, None),
        Published("CLEAR x10 steps (paper)", 0.64, 0.00, None),
        Published("DreamerV2 (paper, 20 seeds)", 0.72, -0.11, 0.49),
        Published("DreamerV2 + P2E (paper)", 0.46, 0.05, 0.43),
    ),
    "continual:minihack8": (
        Published("random agent (2,000 episodes)", 0.09, None, None),
        Published("DreamerV2 (paper, 5 seeds)", 0.09, 0.37, 0.56),
        Published("+ P2E (paper)", 0.28, 0.13, 0.11),
        Published("+ P2E, obs-only recon (paper)", 0.39, 0.19, 0.87),
        Published("+ P2E, obs-only, eval explores (paper)", 0.38, 0.22, 0.76),
    ),
}
"""Rows of Continual-Dreamer (arXiv:2211.15944), read from a third party's notes; the forward
transfer is the published code's form. Source: spec/continual-dreamer.md §5.4, §6.3."""


@dataclass(frozen=True)
class Outcome:
    """Several seeds of one sequence under one configuration."""

    label: str
    tasks: tuple[str, ...]
    ends: tuple[float, ...]  # environment steps at which each visit was over
    runs: tuple[Run, ...]
    curves: tuple[Curve, ...]  # one a task, a column a run
    tests: tuple[tuple[str, Curve], ...]  # tasks that were evaluated only
    performance: Estimate | None  # None where a task was never evaluated
    forgetting: Estimate | None  # None where a task was not when its own training ended
    transfer: Estimate | None  # published form; None without reference runs
    transfer_world: Estimate | None  # Continual World's form
    notes: tuple[str, ...]


def outcomes(runs: Sequence[Run]) -> list[Outcome]:
    """The sequences among `runs`, a row for each configuration; other runs may be references."""
    found = [run for run in runs if tasks_of(run)]
    keyed = sorted(found, key=_configuration)
    rows = [list(part) for _, part in itertools.groupby(keyed, _configuration)]
    return [_outcome(sorted(part, key=groups.seed_of), runs, rows) for part in rows]


def tasks_of(run: Run) -> tuple[str, ...]:
    """The tasks of a run over a sequence; none for a run of one task."""
    return tuple(groups.value_of(run, "sequence.tasks") or ())


def _configuration(run: Run) -> str:
    """Everything that two seeds of one experiment share."""
    fields = {
        name: groups.value_of(run, name)
        for name in run.config
        if name not in ("seed", "pinned") and not name.startswith(groups.UNIMPORTANT)
    }
    return json.dumps(fields, sort_keys=True, default=list)


def _outcome(seeds: list[Run], runs: Sequence[Run], rows: Sequence[Sequence[Run]]) -> Outcome:
    tasks, notes = tasks_of(seeds[0]), []
    spans = _spans(seeds[0])
    ends = tuple(itertools.accumulate(spans))
    curves = tuple(curve_of(task, seeds) for task in tasks)
    reached = min(float(curve.step[-1]) if len(curve.step) else 0.0 for curve in curves)
    finished = reached >= ends[-1]
    evaluated = _all_evaluated(tasks, curves, notes)
    if evaluated and not finished:
        notes.append(
            f"evaluated up to step {reached:,.0f} of {ends[-1]:,}: not the whole sequence."
        )
    last = [
        max(e for e, t in zip(ends, _visited(seeds[0]), strict=True) if t == i)
        for i in range(len(tasks))
    ]
    areas, references = [], []
    for task, curve, end, span in zip(tasks, curves, ends, spans, strict=False):
        areas.append(transfer.area(curve, end - span, end))
        alone = _references(task, seeds[0], runs)
        references.append(_reference_area(task, alone, seeds, span, notes))
    known = finished and any(value is not None for value in references)

    def moved(form: transfer.Definition) -> Estimate | None:
        return over_seeds(transfer.forward_transfer(areas, references, form)) if known else None

    return Outcome(
        label=_label(seeds, rows),
        tasks=tasks,
        ends=ends,
        runs=tuple(seeds),
        curves=curves,
        tests=tuple((task, curve_of(task, seeds)) for task in _tests(seeds[0])),
        performance=over_seeds(transfer.average_performance(curves)) if evaluated else None,
        forgetting=_forgetting(curves, last, reached, notes) if evaluated else None,
        transfer=moved("published"),
        transfer_world=moved("continual_world"),
        notes=tuple(notes),
    )


def _all_evaluated(tasks: Sequence[str], curves: Sequence[Curve], notes: list[str]) -> bool:
    """Whether every task has an evaluation of every seed; a note where one has none."""
    missing = [
        task
        for task, curve in zip(tasks, curves, strict=True)
        if not len(curve.step) or np.isnan(curve.value).all(0).any()
    ]
    if missing:
        notes.append(
            f"no evaluation of {', '.join(missing)}: the metrics need one (train.eval_episodes, "
            "train.eval_every)."
        )
    return not missing


def _forgetting(
    curves: Sequence[Curve], ends: Sequence[float], reached: float, notes: list[str]
) -> Estimate | None:
    """Forgetting of what was reached: a task still to come has nothing to lose.

    None, and a note, where a task was not evaluated before its own training ended.
    """
    ends = [min(end, reached) for end in ends]
    late = [end for curve, end in zip(curves, ends, strict=True) if curve.step[0] > end]
    if late:
        notes.append(
            f"no evaluation up to step {late[0]:,.0f}, when a task's training ended: forgetting is "
            "not known; train.eval_every sets how often tasks are evaluated."
        )
        return None
    return over_seeds(transfer.forgetting(curves, ends))


def over_seeds(values: np.ndarray) -> Estimate:
    """Mean over seeds and its bootstrap interval."""
    return estimate([values], mean)


def curve_of(task: str, runs: Sequence[Run]) -> Curve:
    """The evaluations of a task in several runs on their joint grid, NaN where one has none."""
    name = per_task("eval/return", task)
    series = [run.get(name) if tasks_of(run) else run.get("eval/return") for run in runs]
    step = np.unique(np.concatenate([one.step for one in series]))
    value = np.full((len(step), len(series)), np.nan)
    for column, one in enumerate(series):
        value[np.searchsorted(step, one.step), column] = one.value
    return Curve(step, value)


def _tests(run: Run) -> tuple[str, ...]:
    return tuple(groups.value_of(run, "sequence.tests") or ())


def _spans(run: Run) -> tuple[int, ...]:
    steps, passes = (groups.value_of(run, f"sequence.{name}") for name in ("steps", "passes"))
    return SequenceConfig(tasks=tasks_of(run), steps=steps, passes=passes).spans


def _visited(run: Run) -> list[int]:
    """Index of the task of every visit."""
    return [number % len(tasks_of(run)) for number in range(len(_spans(run)))]


def _references(task: str, like: Run, runs: Sequence[Run]) -> list[Run]:
    """Runs on that task alone that agree with `like` in everything that matters."""
    fields = [name for name in like.config if not name.startswith(OTHER_RUNS) and name != "pinned"]
    return [
        run
        for run in runs
        if not tasks_of(run)
        and groups.task_of(run) == task
        and all(groups.value_of(run, name) == groups.value_of(like, name) for name in fields)
    ]


def _reference_area(
    task: str, alone: Sequence[Run], seeds: Sequence[Run], span: float, notes: list[str]
) -> np.ndarray | None:
    """Area under the reference runs: seed by seed where they are the same, else their mean."""
    if not alone:
        notes.append(f"no run on {task} alone with these settings: it adds 0 to forward transfer.")
        return None
    by_seed = {groups.seed_of(run): run for run in alone}
    wanted = [groups.seed_of(run) for run in seeds]
    if set(wanted) <= set(by_seed):
        alone = [by_seed[seed] for seed in wanted]
        return transfer.area(curve_of(task, alone), 0, span)
    notes.append(f"the runs on {task} alone have other seeds: their mean is the reference.")
    return transfer.area(curve_of(task, alone), 0, span).mean(keepdims=True)


def _label(seeds: Sequence[Run], rows: Sequence[Sequence[Run]]) -> str:
    """The task, and the fields in which this row differs from the others."""
    task = groups.task_of(seeds[0])
    if len(rows) == 1:
        return task
    found = groups.differences([row[0] for row in rows])
    names = [name for name in found if name not in groups.OWN]
    words = [f"{name} {groups.text(groups.value_of(seeds[0], name))}" for name in names]
    return ", ".join([task, *words[: groups.MOST_FIELDS]])
