"""Reverie from Python: train, load, evaluate. The same presets and checks as the command line."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium

from reverie.config.presets import resolve
from reverie.config.schema import Config, ConfigError
from reverie.train.errors import RunError
from reverie.train.folder import read_config


def train(
    task: str | Callable[[], gymnasium.Env],
    *,
    size: str = "auto",
    steps: int | None = None,
    logdir: str | Path | None = None,
    seed: int = 0,
    agent: str = "v3",
    preset: str | None = None,
    methods: Sequence[str] = (),
    harmony: bool = False,
    balance: str | None = None,
    replay: str | None = None,
    from_step: int | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Path:
    """Learns a task, or resumes the run that `logdir` holds; returns the run folder.

    Args:
        task: `suite_task` or `gym:ID`, or a callable that makes a Gymnasium environment (a module's
            function if the environments are to run in processes of their own).
        size: model size; `auto` takes the one the observations need.
        steps: environment steps; None takes the preset's.
        logdir: run folder; None takes runs/TASK-AGENT-SEED.
        harmony: balance the world model's losses by learned scalars (HarmonyDream).
        balance: another way to balance them, by name (`reverie presets`).
        replay: replay strategy, by name (`reverie presets`).
        from_step: step of a checkpoint to resume from instead of the newest; what came after it is
            done again.
        overrides: dotted path -> value, for example {"rssm.deter": 256}.

    Raises:
        ConfigError: an unknown name or a wrong value. EnvError, ReplayError, RunError: what keeps
        the run from starting or going on, in one sentence.
    """
    edits = _edits(overrides, seed=seed, steps=steps, logdir=logdir)
    name = _task_name(task)
    config = resolve(
        name,
        agent=agent,
        size=size,
        preset=preset,
        methods=(*methods, "harmony") if harmony else methods,
        balance=balance,
        replay=replay,
        overrides=edits,
    )
    return _learn(config, None if isinstance(task, str) else task, from_step)


def continual(
    tasks: str | Sequence[str | Callable[[], gymnasium.Env]],
    *,
    task_steps: int | Sequence[int] | None = None,
    passes: int = 1,
    size: str = "auto",
    logdir: str | Path | None = None,
    seed: int = 0,
    agent: str = "v3",
    preset: str | None = None,
    methods: Sequence[str] = (),
    harmony: bool = False,
    balance: str | None = None,
    replay: str | None = None,
    from_step: int | None = None,
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
    edits = _edits(overrides, seed=seed, steps=None, logdir=logdir)
    edits |= {"sequence.passes": passes}
    if task_steps is not None:
        each = (task_steps,) if isinstance(task_steps, int) else tuple(task_steps)
        edits |= {"sequence.steps": each}
    makers: dict[str, Callable] = {}
    if isinstance(tasks, str):
        name = f"continual:{tasks}"
    else:
        names = [_task_name(task) for task in tasks]
        makers = {n: t for n, t in zip(names, tasks, strict=True) if not isinstance(t, str)}
        name, edits["sequence.tasks"] = "continual:custom", tuple(names)
        _check_names(names, tasks)
    config = resolve(
        name,
        agent=agent,
        size=size,
        preset=preset,
        methods=(*methods, "harmony") if harmony else methods,
        balance=balance,
        replay=replay,
        overrides=edits,
    )
    return _learn(config, makers, from_step)


def load(logdir: str | Path) -> Any:
    """The agent of a run folder: `agent.act(obs, carry) -> (action, carry)`.

    Raises RunError where the folder holds no complete checkpoint.
    """
    folder = Path(logdir).expanduser()
    _prepare(folder)
    from reverie.train.evaluate import load as load_agent

    return load_agent(folder)


def evaluate(
    run: str | Path | Any,
    *,
    episodes: int = 10,
    greedy: bool = False,
    seed: int = 0,
    envs: int = 1,
    make_env: Callable[[], gymnasium.Env] | None = None,
) -> dict[str, float]:
    """Plays `episodes` episodes without learning.

    Args:
        run: a run folder, or an agent that `load` gave.
        greedy: the mode of the policy instead of samples from it.
        seed: root of the environments' and the policy's randomness.
        envs: environments side by side.
        make_env: makes the environment where the run was trained on a callable.

    Returns the numbers by name (`eval/return` is the mean over episodes, environment units).
    Raises RunError where the folder holds no complete checkpoint.
    """
    chosen: dict[str, Any] = {"episodes": episodes, "greedy": greedy, "seed": seed, "envs": envs}
    if isinstance(run, str | Path):
        run = Path(run).expanduser()
        _prepare(run)
    from reverie.train.evaluate import evaluate_run

    return evaluate_run(run, **chosen, make_env=make_env)


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
    from reverie.report.compare import Options
    from reverie.report.compare_page import compare_into

    names = tuple(by.replace(",", " ").split()) if isinstance(by, str) else tuple(by)
    options = Options(names, metric, until, points, resamples)
    return compare_into(list(runs), options, out)


def check_env(
    task: str | Callable[..., gymnasium.Env],
    *,
    preset: str | None = None,
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
    from reverie.doctor.visit import examine

    options: dict[str, Any] = {"preset": preset, "size": size, "overrides": overrides}
    return examine(task, **options, steps=steps, seconds=seconds)


def saved_config(logdir: str | Path) -> Config:
    """The configuration of a run folder.

    Raises RunError: no run folder, or its config.json is of no run of this version.
    """
    path = Path(logdir).expanduser() / "config.json"
    if not path.is_file():
        raise RunError(f"{str(logdir)!r} is no run folder: it holds no config.json.")
    return read_config(path)


def _edits(
    overrides: Mapping[str, Any] | None,
    *,
    seed: int,
    steps: int | None,
    logdir: str | Path | None,
) -> dict[str, Any]:
    edits: dict[str, Any] = {"seed": seed, **(overrides or {})}
    edits |= {} if steps is None else {"steps": steps}
    return edits | ({} if logdir is None else {"logdir": str(logdir)})


def _learn(
    config: Config, make_env: Callable | Mapping[str, Callable] | None, from_step: int | None
) -> Path:
    from reverie.train.device import prepare

    prepare(config.device)
    from reverie.train.loop import train as learn

    back = {} if from_step is None else {"from_step": from_step}
    return learn(config, make_env=make_env, **back)


def _check_names(names: Sequence[str], tasks: Sequence[Any]) -> None:
    """Raises ConfigError where two different callables go by one name."""
    seen: dict[str, Any] = {}
    for name, task in zip(names, tasks, strict=True):
        if seen.setdefault(name, task) != task:
            raise ConfigError(
                f"two different callables are called {name.removeprefix('custom:')!r}: the tasks "
                "of a sequence are told apart by name; give each function or class its own."
            )


def _prepare(folder: Path) -> None:
    from reverie.train.device import prepare

    prepare(saved_config(folder).device)


def _task_name(task: str | Callable) -> str:
    return task if isinstance(task, str) else f"custom:{_name(task)}"


def _name(make_env: Callable) -> str:
    """A name for the run folder and the report: that of the function or class, if it has one."""
    return str(getattr(make_env, "__name__", type(make_env).__name__)).strip("<>")
