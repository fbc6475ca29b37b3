"""From what a sweep is asked for to a plan whose every trial was understood."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from reverie.api.sweep_words import OWN, Given
from reverie.callbacks.watched import check_metric
from reverie.config.edit import field_types
from reverie.config.flags import unknown
from reverie.config.schema import Config
from reverie.envs import catalog
from reverie.envs.suites import SUITES
from reverie.launch import LONE, NAMED, read
from reverie.part.errors import ConfigError
from reverie.sweeps import search
from reverie.sweeps.grid import folder_name, words
from reverie.sweeps.options import SweepOptions
from reverie.sweeps.plan import Plan, Search
from reverie.sweeps.values import Range, Values

ELSEWHERE = {
    "seeds": "they are the sweep's own",
    "together": "it is the sweep's own",
    "seed": "--seeds says which seeds there are",
    "from": "--from is for one run",
    "logdir": "--logdir is the sweep folder; trials have their own below it",
    "task": "tasks are written without an option, before the first one",
}
"""What a trial's option cannot be, and why."""
OF_A_SEARCH = ("metric", "direction", "trials")
"""Options that mean nothing where all combinations are run."""


class Asked(NamedTuple):
    """A plan whose trials were all understood."""

    options: SweepOptions
    plan: Plan
    folder: Path


def compose(given: Given) -> Asked:
    """The plan, after every setting was composed on every task.

    Raises ConfigError naming what a trial could not be, before anything is started.
    """
    own = dict(given.own)
    seed = own.pop("seed", None)
    options = SweepOptions(**own)
    if not options.tasks:
        raise ConfigError(
            "say what to learn: `reverie sweep TASK ... --seeds 5 --vary KEY=A,B`; `reverie tasks` "
            "lists the tasks."
        )
    for task in options.tasks:
        if options.tasks.count(task) > 1:
            raise ConfigError(f"the task {task} is named twice; keep one of them.")
    options.parameters()
    _check_idle(given, options)
    _check_options(given)
    plan = Plan(
        tasks=options.tasks,
        seeds=options.all_seeds() if seed is None else (seed,),
        vary=given.vary,
        options=given.options,
        search=Search(options.metric, options.direction, options.trials)
        if options.search
        else None,
        together=options.together,
    )
    _check_trials(plan)
    folder = Path(options.logdir or _default_folder(plan)).expanduser().absolute()
    return Asked(options, plan, folder)


def _check_idle(given: Given, options: SweepOptions) -> None:
    """Raises ConfigError for an option of the sweep that would change nothing."""
    idle = [name for name in OF_A_SEARCH if name in given.own]
    if idle and not options.search:
        raise ConfigError(
            f"--{idle[0]} is for a search, and all combinations are run here: add --search optuna, "
            f"or leave --{idle[0]} out."
        )
    if options.slurm and options.backend != "slurm":
        raise ConfigError(
            f"--slurm {options.slurm[0]} is for jobs of SLURM, and trials run by --backend "
            f"{options.backend} here: add --backend slurm, or leave --slurm out."
        )
    if options.together and options.search:
        raise ConfigError(
            "--together is for several seeds, and a search judges one run at a time: leave out "
            "--together, or --search."
        )


def _check_options(given: Given) -> None:
    shared = [word.removeprefix("--").partition("=")[0] for word in given.options]
    for name in (*given.vary, *shared):
        if name in ELSEWHERE:
            raise ConfigError(f"{name} cannot be an option of the trials: {ELSEWHERE[name]}.")
    known = (*NAMED, *LONE, *field_types())
    for name in given.vary:
        if name in shared:
            raise ConfigError(f"--{name} is given, and varied too; keep one of them.")
        if name in OWN and name not in known:
            raise ConfigError(f"--vary {name}: that is an option of the sweep, not of its trials.")
        if name not in known and "." not in name:
            raise ConfigError(f"--vary {name}: {unknown(name, known)}")


def _check_trials(plan: Plan) -> None:
    """Composes what every trial would, seeds left out."""
    ranges = [key for key, found in plan.vary.items() if isinstance(found, Range)]
    if ranges and not plan.search:
        raise ConfigError(
            f"--vary {ranges[0]} is a range, from which a search draws: add --search optuna, or "
            "name values with commas between."
        )
    if plan.search:
        search.check(plan)
        check_metric(plan.search.metric)
    for config in configs(plan):
        if config.device.coordinator:
            raise ConfigError(
                f"device.coordinator {config.device.coordinator} is for a run that several "
                "processes learn, and a trial is one process: leave it out, and start such a run "
                "by `reverie train` on every machine."
            )
        if plan.together and len(plan.seeds) > 1:
            from reverie.train.group.train import check_batched

            check_batched(config)


def configs(plan: Plan) -> Iterator[Config]:
    """What the trials may be, seeds left out; of a search, the ends of its space.

    Raises ConfigError or EnvError for what one could not be.
    """
    if plan.search:
        settings = _corners(plan.vary)
        each = [words(plan.tasks[0], found, plan.seeds, plan.options) for found in settings]
    else:
        each = [trial.words for trial in dataclasses.replace(plan, seeds=plan.seeds[:1]).trials()]
    yield from map(config_of, each)


def _corners(vary: Mapping[str, Values]) -> Iterator[dict[str, str]]:
    """Settings in which every value that a search may choose, and every limit, comes up."""
    ends = {key: _ends(found) for key, found in vary.items()}
    for number in range(max(map(len, ends.values()), default=0)):
        yield {key: texts[min(number, len(texts) - 1)] for key, texts in ends.items()}


def _ends(found: Values) -> tuple[str, ...]:
    if not isinstance(found, Range):
        return found
    return tuple(str(int(end) if found.whole else end) for end in (found.low, found.high))


def config_of(trial: Sequence[str]) -> Config:
    """The configuration of a trial. Raises ConfigError or EnvError for what it could not be."""
    config = read(trial).config()
    if config.task.partition("_")[0] in SUITES:
        catalog.parse(config.task)
    return config


def _default_folder(plan: Plan) -> str:
    first, *others = plan.tasks
    more = f"-and-{len(others)}-more" if others else ""
    return str(Path("runs") / f"sweep-{folder_name(first)}{more}")
