"""From words after `reverie sweep`, or a file, to a plan whose every trial was understood."""

import dataclasses
import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from reverie.callbacks.watched import check_metric
from reverie.config.edit import field_types
from reverie.config.flags import unknown
from reverie.config.schema import Config
from reverie.envs import catalog
from reverie.envs.suites import SUITES
from reverie.launch import LONE, NAMED, read
from reverie.part.errors import ConfigError, suggest
from reverie.sweeps import search
from reverie.sweeps.grid import folder_name, words
from reverie.sweeps.options import SweepOptions
from reverie.sweeps.plan import Plan, Search
from reverie.sweeps.values import (
    Range,
    Values,
    as_text,
    of_python,
    read_vary,
    seeds_of_python,
)

OWN = tuple(field.name for field in dataclasses.fields(SweepOptions) if field.name != "tasks")
"""Flags of `reverie sweep` that are none of `reverie train`, or mean something else."""
SEVERAL = ("seeds", "vary", "slurm")
"""Those that take more values than one."""
ELSEWHERE = {
    "seeds": "they are the sweep's own",
    "together": "it is the sweep's own",
    "seed": "--seeds says which seeds there are",
    "from": "--from is for one run",
    "logdir": "--logdir is the sweep folder; trials have their own below it",
    "task": "tasks are written without an option, before the first one",
}
"""What a trial's option cannot be, and why."""


class Given(NamedTuple):
    """What was asked for, from wherever."""

    own: dict[str, Any]  # fields of SweepOptions but `vary`
    vary: dict[str, Values]
    options: tuple[str, ...]  # words of `reverie train`, `--key=value`


def split(given: Sequence[str]) -> Given:
    """The parts of a command line; a file's values stand where the line has none.

    Raises ConfigError for an unknown option (nearest named) and a file that cannot be read.
    """
    tasks: list[str] = []
    own: dict[str, list[str]] = {}
    options: list[str] = []
    queue = list(given)
    while queue:
        word = queue.pop(0)
        if not word.startswith("--"):
            tasks.append(word)
            continue
        name, equals, value = word[2:].partition("=")
        name = name.replace("-", "_")
        values = [value] if equals else []
        while queue and not queue[0].startswith("--") and not (values and _single(name)):
            values.append(queue.pop(0))
        if name in OWN:
            _take(own, name, values)
        else:
            _check_name(word, name)
            options.append(f"--{name}={','.join(values)}" if values else f"--{name}")
    found = Given(_typed(own, tasks), read_vary(own.get("vary", [])), tuple(options))
    return _seeded(_with_file(found))


def _single(name: str) -> bool:
    return name in OWN and name not in SEVERAL


def _take(own: dict[str, list[str]], name: str, values: list[str]) -> None:
    if name == "together" and not values:
        values = ["true"]
    if not values:
        raise ConfigError(f"--{name} needs a value.")
    if name in own and name not in ("vary", "slurm"):
        raise ConfigError(f"--{name} is given twice; keep one of them.")
    own.setdefault(name, []).extend(values)


def _check_name(word: str, name: str) -> None:
    """Raises ConfigError for a misspelt option of the sweep itself."""
    near = difflib.get_close_matches(name, OWN, n=1, cutoff=0.75)
    known = (*NAMED, *LONE, *field_types())
    if near and name not in known:
        raise ConfigError(f"there is no option {word.partition('=')[0]}; did you mean --{near[0]}?")


def _typed(own: Mapping[str, Sequence[str]], tasks: Sequence[str]) -> dict[str, Any]:
    """The words of SweepOptions as its fields take them."""
    found: dict[str, Any] = {"tasks": tuple(tasks)} if tasks else {}
    for name, values in own.items():
        if name == "seeds":
            found[name] = tuple(_whole(name, v) for text in values for v in text.split(","))
        elif name == "slurm":
            found[name] = tuple(values)
        elif name != "vary":
            found[name] = values[0]  # which the record reads
    return found


def _whole(name: str, text: str) -> int:
    if not text.strip().isdecimal():
        raise ConfigError(f"--{name} takes whole numbers, found {text!r}.")
    return int(text)


def _seeded(given: Given) -> Given:
    """The same, where `--seed N` is the one seed."""
    seeds = [word.partition("=")[2] for word in given.options if word.startswith("--seed=")]
    if not seeds:
        return given
    if "seeds" in given.own:
        raise ConfigError("--seed is for one run, and --seeds for several; keep one of them.")
    rest = tuple(word for word in given.options if not word.startswith("--seed="))
    return Given(given.own | {"seed": _whole("seed", seeds[0])}, given.vary, rest)


def _with_file(given: Given) -> Given:
    tasks = given.own.get("tasks", ())
    files = [task for task in tasks if task.endswith(".toml")]
    if not files:
        return given
    if len(tasks) > 1:
        raise ConfigError(f"{files[0]} names the tasks: leave out {' '.join(tasks[1:])}.")
    below = of_file(Path(files[0]).expanduser())
    own = below.own | {name: value for name, value in given.own.items() if name != "tasks"}
    taken = {word.partition("=")[0] for word in given.options}
    kept = tuple(word for word in below.options if word.partition("=")[0] not in taken)
    return Given(own, below.vary | given.vary, (*kept, *given.options))


def of_file(path: Path) -> Given:
    """What a TOML file asks for: tasks, fields of SweepOptions, tables `vary` and `options`.

    Raises ConfigError where it cannot be read, or has another key.
    """
    try:
        tree = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read as a plan of a sweep ({error}).") from error
    known = ("tasks", "options", *OWN)
    for key in tree:
        if key.replace("-", "_") not in known:
            raise ConfigError(f"{path} has an unknown key {key!r}; {suggest(key, known)}")
    return of_values(tree)


def of_values(tree: Mapping[str, Any]) -> Given:
    """The same from values of Python: keys are fields of SweepOptions, and `options`."""
    own = {k: v for k, v in tree.items() if k not in ("vary", "options") and v is not None}
    if isinstance(own.get("tasks"), str):
        own["tasks"] = (own["tasks"],)
    if "seeds" in own:
        own |= seeds_of_python(own.pop("seeds"))
    if isinstance(own.get("slurm"), Mapping):
        own["slurm"] = tuple(f"{key}={value}" for key, value in own["slurm"].items())
    own = {k: tuple(v) if isinstance(v, list) else v for k, v in own.items()}
    options = tree.get("options") or {}
    if not isinstance(options, Mapping):
        raise ConfigError(f'options takes a table such as {{"steps": 1000}}, found {options!r}.')
    given = (f"--{key}={as_text(value)}" for key, value in _flat(options))
    vary = of_python(dict(_flat(tree.get("vary") or {})))
    return Given(own, vary, tuple(given))


def _flat(tree: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(tree, Mapping):
        raise ConfigError(f'vary takes a table such as {{"optim.lr": [4e-5]}}, found {tree!r}.')
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{str(key).replace('-', '_')}", value


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
        for setting in _corners(plan.vary):
            config_of(words(plan.tasks[0], setting, plan.seeds, plan.options))
        return
    first = plan.seeds[0]
    for trial in dataclasses.replace(plan, seeds=(first,)).trials():
        config = config_of(trial.words)
        if plan.together and len(plan.seeds) > 1:
            from reverie.train.group.train import check_batched

            check_batched(config)


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
