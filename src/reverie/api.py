"""Reverie from Python: train, load, evaluate. The same presets and checks as the command line."""

import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gymnasium.envs.registration import EnvSpec

from reverie.config.schema import Config
from reverie.envs.importing import task_name
from reverie.envs.source import MakeEnv, Source, source_of
from reverie.folder.errors import RunError
from reverie.folder.run_folder import read_config
from reverie.launch import Launch
from reverie.part.errors import ConfigError, suggest
from reverie.part.part import Part
from reverie.watch.text import visible


def train(
    task: str | MakeEnv | EnvSpec,
    *,
    size: str = "auto",
    steps: int | None = None,
    logdir: str | Path | None = None,
    seed: int = 0,
    agent: str | None = None,
    preset: str | Path | None = None,
    methods: Sequence[str] = (),
    harmony: bool = False,
    balance: str | None = None,
    replay: str | None = None,
    from_step: int | None = None,
    parts: Mapping[str, Part] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Path:
    """Learns a task, or resumes the run that `logdir` holds; returns the run folder.

    Args:
        task: `suite_task`, `gym:ID` or `MODULE:FUNCTION`, a callable that makes a Gymnasium
            environment (a module's function if the environments are to run in processes of their
            own), or a Gymnasium EnvSpec.
        size: model size; `auto` takes the one the observations need.
        steps: environment steps; None takes the preset's.
        logdir: run folder; None takes runs/TASK-AGENT-SEED.
        agent: agent preset; None takes that of a preset file, else v3.
        preset: benchmark preset, or the path of a TOML file of your own (docs/guide.md); None
            takes the one of the task's suite.
        harmony: balance the world model's losses by learned scalars (HarmonyDream).
        balance: another way to balance them, by name (`reverie presets`).
        replay: replay strategy, by name (`reverie presets`).
        from_step: step of a checkpoint to resume from instead of the newest; what came after it is
            done again.
        parts: slot -> part, for example {"optim": LaProp(lr=1e-3)}; your own as well as ours
            (docs/parts.md).
        overrides: dotted path -> value, for example {"world.dynamics.deter": 256}.

    Raises:
        ConfigError: an unknown name or a wrong value. EnvError, ReplayError, RunError: what keeps
        the run from starting or going on, in one sentence.
    """
    edits = _edits(overrides, parts, seed=seed, steps=steps, logdir=logdir)
    source = source_of(task)
    config = Launch(
        task=source.task,
        agent=_or_empty(agent),
        size=size,
        preset=_or_empty(preset),
        methods=methods,  # type: ignore[arg-type]
        harmony=harmony,
        balance=_or_empty(balance),
        replay=_or_empty(replay),
        overrides=edits,
    ).config()
    source.check_kwargs(json.loads(config.env.kwargs))
    return _learn(config, source.make_env, from_step)


def continual(
    tasks: str | Sequence[str | MakeEnv | EnvSpec],
    *,
    task_steps: int | Sequence[int] | None = None,
    passes: int = 1,
    size: str = "auto",
    logdir: str | Path | None = None,
    seed: int = 0,
    agent: str | None = None,
    preset: str | Path | None = None,
    methods: Sequence[str] = (),
    harmony: bool = False,
    balance: str | None = None,
    replay: str | None = None,
    from_step: int | None = None,
    parts: Mapping[str, Part] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Path:
    """Learns a sequence of tasks one after the other in one run; returns the run folder.

    The agent is not told which task it is in. All tasks need one observation and action space.

    Args:
        tasks: name of a sequence (`reverie presets` lists them), or tasks as `train` takes them.
        task_steps: environment steps of each task, or one number for all; None: those of the
            named sequence.
        passes: how often the whole sequence is gone through.
        preset: benchmark preset; None takes the one of the first task's suite.

    The other arguments and the errors are those of `train`.
    """
    edits = _edits(overrides, parts, seed=seed, steps=None, logdir=logdir)
    edits |= {"sequence.passes": passes}
    if task_steps is not None:
        each = [*task_steps] if isinstance(task_steps, Sequence) else [task_steps]
        edits |= {"sequence.steps": each}
    sources: list[Source] = []
    if isinstance(tasks, str):
        name = f"continual:{tasks}"
    else:
        sources = _sources(tasks)
        name, edits["sequence.tasks"] = "continual:custom", tuple(s.task for s in sources)
    config = Launch(
        task=name,
        agent=_or_empty(agent),
        size=size,
        preset=_or_empty(preset),
        methods=methods,  # type: ignore[arg-type]
        harmony=harmony,
        balance=_or_empty(balance),
        replay=_or_empty(replay),
        overrides=edits,
    ).config()
    for source in sources:
        source.check_kwargs(json.loads(config.env.kwargs))
    made_by = {s.task: s.make_env for s in sources if s.make_env is not None}
    return _learn(config, made_by, from_step)


def load(
    logdir: str | Path,
    *,
    allow: str | Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
) -> Any:
    """The agent of a run folder: `agent.act(obs, carry) -> (action, carry)`.

    The folder may be a stranger's: loading runs none of its code (see docs/strangers.md). `allow`
    names packages from which parts that it names may be imported.
    `overrides` are settings of yours, dotted path -> value, such as {"device.kind": "cpu"}.

    Raises RunError where the folder holds no complete checkpoint, ConfigError for settings that
    are not yours to choose here.
    """
    folder = _folder(logdir)
    config = _prepare(folder, overrides, _names(allow))
    from reverie.train.agent import load as load_agent

    return load_agent(folder, config)


def evaluate(
    run: str | Path | Any,
    *,
    episodes: int = 10,
    greedy: bool = False,
    seed: int = 0,
    envs: int = 1,
    make_env: str | MakeEnv | EnvSpec | Mapping[str, Any] | None = None,
    allow: str | Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
) -> dict[str, float]:
    """Plays `episodes` episodes without learning.

    Args:
        run: a run folder, or an agent that `load` gave.
        greedy: the mode of the policy instead of samples from it.
        seed: root of the environments' and the policy's randomness.
        envs: environments side by side.
        make_env: what the run was trained on where that was no task's name, as `train` takes it;
            for a sequence of tasks a dictionary from their names.
        allow: modules that the run's task may import besides Reverie's and Gymnasium's own: their
            code runs here.
        overrides: settings of yours, dotted path -> value: what concerns your machine is never
            taken from the folder.

    Returns the numbers by name (`eval/return` is the mean over episodes, environment units).
    Raises RunError where the folder holds no complete checkpoint, or its task would import a
    module that `allow` does not name; ConfigError for a wrong argument.
    """
    from reverie.options import EvalOptions

    how = EvalOptions("", episodes, greedy, seed, envs).how()
    if isinstance(run, str | os.PathLike):
        run = _folder(run)
        makers = makers_for(saved_config(run, allow=allow), make_env)
        _prepare(run, overrides, _names(allow))
    from reverie.train.agent import Agent
    from reverie.train.evaluate import evaluate_run

    if isinstance(run, Agent):
        makers = makers_for(run.config, make_env)
    elif not isinstance(run, Path):
        raise ConfigError(f"run takes a run folder or an agent that `load` gave, found {run!r}.")
    word = {"allow": (allow,) if isinstance(allow, str) else tuple(allow), "given": overrides}
    return evaluate_run(run, **how, make_env=makers, **word)


def compare(
    runs: Sequence[str | Path],
    *,
    by: str | Sequence[str] = (),
    metric: str = "auto",
    until: int = 0,
    points: int = 60,
    resamples: int = 2_000,
    out: str | Path | None = None,
) -> Any:
    """Groups of runs over seeds: means, interquartile means, bootstrap intervals, curves.

    Args:
        runs: run folders.
        by: fields of the configuration that make the groups (`"harmony"`, `["agent", "size"]`);
            empty: those in which the runs differ.
        metric: what is compared; `auto`: evaluations where all runs have them, else episodes.
        until: last environment step; shorter runs are left out. 0: as far as all runs got.
        points: points of a curve.
        resamples: bootstrap resamples of an interval.
        out: folder for a page, pictures and numbers; None writes nothing.

    Returns a `reverie.report.compare.Comparison`; its `notes` say what a reader must know.
    Raises ReportError: a folder that is no run, an unknown field or metric, nothing to compare.
    """
    from reverie.options import CompareOptions

    folders = [runs] if isinstance(runs, str | os.PathLike) else list(runs)
    named = by if isinstance(by, str) else ",".join(by)
    paths = tuple(str(_folder(path, "runs")) for path in folders)
    chosen = CompareOptions(paths, named, metric, until, points, resamples)
    from reverie.report.compare_page import compare_into

    return compare_into(list(paths), chosen.options(), out)


def check_env(
    task: str | MakeEnv | EnvSpec,
    *,
    preset: str | Path | None = None,
    size: str = "auto",
    overrides: Mapping[str, Any] | None = None,
    steps: int = 1000,
    seconds: float = 1.0,
) -> Any:
    """Checks an environment as `reverie doctor` does; returns a `reverie.doctor.visit.Report`.

    Args:
        task: a task's name, `MODULE:FUNCTION`, or a callable that makes a Gymnasium environment.
        preset: benchmark preset; None takes the one of the task's suite.
        size: model size of the planned run.
        overrides: dotted path -> value, as for `train`.
        steps: steps that are watched.
        seconds: length of each measurement of speed; 0 measures none and plans nothing.

    `report.healthy` says whether there is no problem, `report.findings` what was found. Raises
    ConfigError for unknown names; what is wrong with the environment is reported.
    """
    from reverie.doctor.options import DoctorOptions

    chosen = DoctorOptions("", _or_empty(preset), size, steps=steps, seconds=seconds)
    from reverie.doctor.visit import examine

    options: dict[str, Any] = {
        "preset": chosen.preset or None,
        "size": size,
        "overrides": overrides,
    }
    return examine(task, **options, steps=chosen.steps, seconds=chosen.seconds)


def saved_config(logdir: str | Path, *, allow: str | Sequence[str] = ()) -> Config:
    """The configuration of a run folder; `allow` names packages whose parts may be imported.

    Raises RunError: no run folder, or its config.json is of no run of this version.
    """
    path = _folder(logdir) / "config.json"
    if not os.path.lexists(path):
        raise RunError(f"{str(logdir)!r} is no run folder: it holds no config.json.")
    return read_config(path, _names(allow))


def _edits(
    overrides: Mapping[str, Any] | None,
    parts: Mapping[str, Part] | None,
    *,
    seed: int,
    steps: int | None,
    logdir: str | Path | None,
) -> dict[str, Any]:
    if overrides is not None and not isinstance(overrides, Mapping):
        raise ConfigError(
            f'overrides takes a dictionary such as {{"optim.lr": 1e-4}}, found {overrides!r}.'
        )
    edits: dict[str, Any] = {"seed": seed, **(parts or {}), **(overrides or {})}
    edits |= {} if steps is None else {"steps": steps}
    return edits | ({} if logdir is None else {"logdir": str(_path(logdir, "logdir"))})


def _path(value: str | os.PathLike, name: str) -> Path:
    """`value` as a path. Raises ConfigError that names the argument."""
    if not isinstance(value, str | os.PathLike):
        raise ConfigError(f"{name} takes a folder's path, found {value!r}.")
    return Path(value)


def _folder(value: str | os.PathLike, name: str = "logdir") -> Path:
    return _path(value, name).expanduser()


def _or_empty(name: str | Path | None) -> str:
    """The command line's word for "none named"; a preset's file by its path."""
    return "" if name is None else os.fspath(name) if isinstance(name, Path) else name


def _learn(
    config: Config, make_env: Callable | Mapping[str, Callable] | None, from_step: int | None
) -> Path:
    from reverie.machine.device import prepare

    prepare(config.device)
    from reverie.train.loop import train as learn

    back = {} if from_step is None else {"from_step": from_step}
    return learn(config, make_env=make_env, **back)


def _sources(tasks: Sequence[Any]) -> list[Source]:
    """Those of a sequence of tasks. Raises ConfigError where two callables go by one name."""
    if not isinstance(tasks, Sequence):
        raise ConfigError(
            f"tasks takes a sequence's name, or a list of what `train` takes, found {tasks!r}."
        )
    sources = [source_of(task, f"tasks[{index}]") for index, task in enumerate(tasks)]
    seen: dict[str, Any] = {}
    for source in sources:
        if seen.setdefault(source.task, source.make_env) != source.make_env:
            raise ConfigError(
                f"two different callables are called {source.task.removeprefix('custom:')!r}: the "
                "tasks of a sequence are told apart by name; give each function or class its own."
            )
    return sources


def makers_for(config: Config, make_env: Any) -> dict[str, Any] | None:
    """What makes the environments of a run's tasks, by task; None where nothing is handed over.

    Args:
        config: of the run.
        make_env: what `train` takes; for several tasks a dictionary from their names, which may
            leave out `custom:`.

    Raises ConfigError for what makes no environment, and for names of no task of the run.
    """
    from reverie.train.sequence import evaluated

    tasks = evaluated(config)
    if make_env is None:
        return None
    if not isinstance(make_env, Mapping):
        if len(tasks) > 1:
            raise ConfigError(
                f"the run has {len(tasks)} tasks: hand over make_env as a dictionary from their "
                f"names ({', '.join(tasks)}) to what makes each."
            )
        make_env = dict.fromkeys(tasks, make_env)
    found = {}
    for name, thing in make_env.items():
        spellings = (name, f"custom:{name}", task_name(str(name)))
        task = next((word for word in spellings if word in tasks), None)
        if task is None:
            raise ConfigError(f"the run has no task {name!r}; {suggest(str(name), tasks)}")
        source = source_of(thing, "make_env")
        source.check_kwargs(json.loads(config.env.kwargs))
        found[task] = source.make_env or source.task
    return found


def _names(allow: str | Sequence[str]) -> tuple[str, ...]:
    return (allow,) if isinstance(allow, str) else tuple(allow)


def _prepare(folder: Path, overrides: Mapping[str, Any] | None, allow: tuple[str, ...]) -> Config:
    """Starts the reader's device; the configuration with which the run is loaded here."""
    from reverie.machine.device import prepare
    from reverie.train.stranger import read

    config, ignored = read(folder, overrides, allow)
    if ignored:
        logging.getLogger("reverie").warning(visible(ignored))
    prepare(config.device)
    return config
