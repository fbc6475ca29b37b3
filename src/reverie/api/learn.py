"""Learning from Python: one task, or a sequence of them."""

import functools as ft
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reverie.api.arguments import or_empty, place_of
from reverie.callbacks.base import Callback, sort
from reverie.config.schema import Config
from reverie.config.start import start_of
from reverie.envs.source import Given, Source, source_of
from reverie.launch import Launch
from reverie.part.errors import ConfigError
from reverie.part.part import Part
from reverie.watch.sink import Sink


def train(
    task: Given,
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
    callbacks: Sequence[Callback | Sink] = (),
    init: str | Path | None = None,
    init_take: str | None = None,
) -> Path:
    """Learns a task, or resumes the run that `logdir` holds; returns the run folder.

    Args:
        task: `suite_task`, `gym:ID` or `MODULE:FUNCTION`, a callable that makes a Gymnasium
            environment (a module's function if the environments are to run in processes of their
            own), a Gymnasium EnvSpec, or a finished environment of which copies can be made.
        size: model size; `auto` takes the one the observations need.
        steps: environment steps; None takes the preset's.
        logdir: run folder; None takes runs/TASK-AGENT-SEED.
        seed: root of all randomness of the run, its environments' too.
        agent: agent preset; None takes that of a preset file, else v3.
        preset: benchmark preset, or the path of a TOML file of your own (docs/guide.md); None
            takes `quick` for a small task or an environment of your own, else `published`, what
            belongs to the task's suite.
        methods: method presets, laid over benchmark and size, by name (`reverie presets`).
        harmony: balance the world model's losses by learned scalars (HarmonyDream).
        balance: another way to balance them, by name (`reverie presets`).
        replay: replay strategy, by name (`reverie presets`).
        from_step: step of a checkpoint to resume from instead of the newest; what came after it is
            done again.
        parts: slot -> part, for example {"optim": LaProp(lr=1e-3)}; your own as well as ours
            (docs/parts.md).
        overrides: dotted path -> value, for example {"world.dynamics.deter": 256}.
        callbacks: objects of classes derived from `reverie.Callback`, told of the run's events, and
            from `reverie.Sink`, which receive its metrics (docs/guide.md).
        init: run folder, or checkpoint in it, whose weights a new run starts from.
        init_take: what is taken from there: all (None), world or without_actor.

    Raises:
        ConfigError: an unknown name or a wrong value.
        EnvError, ReplayError, RunError: what keeps the run from starting or going on.
        CallbackError: a callback raised.
    """
    config, make_env = configured(
        task,
        size=size,
        steps=steps,
        logdir=logdir,
        seed=seed,
        agent=agent,
        preset=preset,
        methods=methods,
        harmony=harmony,
        balance=balance,
        replay=replay,
        parts=parts,
        overrides=overrides,
    )
    how = _how(from_step, callbacks, init, init_take)
    return _learn(config, make_env, how, {} if make_env is None else {config.task: task})


def configured(
    task: Given,
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
    parts: Mapping[str, Part] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> tuple[Config, Callable | None]:
    """What `train` is asked for: the configuration, and what makes the environment where that is
    no task's name. Arguments and errors as `train` has them."""
    edits = _edits(overrides, parts, seed=seed, steps=steps, logdir=logdir)
    source = source_of(task)
    config = Launch(
        task=source.task,
        agent=or_empty(agent),
        size=size,
        preset=or_empty(preset),
        methods=methods,  # type: ignore[arg-type]
        harmony=harmony,
        balance=or_empty(balance),
        replay=or_empty(replay),
        overrides=edits,
    ).config()
    source.check_kwargs(json.loads(config.env.kwargs))
    return config, source.make_env


def continual(
    tasks: str | Sequence[Given],
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
    callbacks: Sequence[Callback | Sink] = (),
    init: str | Path | None = None,
    init_take: str | None = None,
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
    edits |= _visits(task_steps, passes)
    name, sources = f"continual:{tasks}", []
    if not isinstance(tasks, str):
        name, sources = "continual:custom", _sources(tasks)
        edits["sequence.tasks"] = tuple(source.task for source in sources)
    config = Launch(
        task=name,
        agent=or_empty(agent),
        size=size,
        preset=or_empty(preset),
        methods=methods,  # type: ignore[arg-type]
        harmony=harmony,
        balance=or_empty(balance),
        replay=or_empty(replay),
        overrides=edits,
    ).config()
    how = _how(from_step, callbacks, init, init_take)
    return _learn(config, _made_by(sources, config), how, _handed(sources, tasks))


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
    return edits | ({} if logdir is None else {"logdir": place_of(logdir)})


def _visits(task_steps: int | Sequence[int] | None, passes: int) -> dict[str, Any]:
    """How long and how often the tasks of a sequence are visited."""
    edits: dict[str, Any] = {"sequence.passes": passes}
    if task_steps is not None:
        each = [*task_steps] if isinstance(task_steps, Sequence) else [task_steps]
        edits["sequence.steps"] = each
    return edits


def _how(from_step: int | None, callbacks: Any, init: Any, init_take: Any) -> dict[str, Any]:
    return {"from_step": from_step, "callbacks": callbacks, "init": start_of(init, init_take)}


def _made_by(sources: Sequence[Source], config: Config) -> dict[str, Callable]:
    """What makes the environments of the tasks that are no names, by task."""
    for source in sources:
        source.check_kwargs(json.loads(config.env.kwargs))
    return {s.task: s.make_env for s in sources if s.make_env is not None}


def _handed(sources: Sequence[Source], tasks: Sequence[Any]) -> dict[str, Any]:
    """What was handed over for the tasks that are no names, by task."""
    pairs = zip(sources, tasks, strict=False)  # a named sequence has no sources
    return {source.task: given for source, given in pairs if source.make_env is not None}


def _learn(
    config: Config,
    make_env: Callable | Mapping[str, Callable] | None,
    how: Mapping[str, Any],
    handed: Mapping[str, Any],
) -> Path:
    """Learn, and end as every run does; `handed` as `following.calls` has it."""
    sort(how["callbacks"])
    from reverie.machine.cluster import join
    from reverie.machine.device import prepare

    join(config.device)
    prepare(config.device)
    from reverie.train.loop import train as learn

    logdir = learn(config, make_env=make_env, **how)
    from reverie.api.ending import end
    from reverie.api.following import calls

    end(config, logdir, ft.partial(calls, config=config, handed=handed))
    return logdir


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
