"""Run folders from Python: the agent, its evaluation, its configuration."""

import json
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reverie.api.arguments import folder_of, names_of, run_of
from reverie.config.schema import Config
from reverie.envs.importing import task_name
from reverie.envs.source import Given, source_of
from reverie.folder.errors import RunError
from reverie.folder.run_folder import read_config
from reverie.part.errors import ConfigError, suggest
from reverie.watch.text import visible


def load(
    logdir: str | Path,
    *,
    checkpoint: str | int = "newest",
    make_env: Given | Mapping[str, Any] | None = None,
    allow: str | Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
) -> Any:
    """The agent of a run folder, with `agent.act(obs, carry) -> (action, carry)` in the terms of
    the environment itself, and `agent.predict` as Stable-Baselines3 has it.

    The folder may be a stranger's: loading runs none of its code (see docs/strangers.md).

    Args:
        logdir: run folder.
        checkpoint: `newest`, `best` where the run keeps one, or the step of one that is kept.
        make_env: what makes the run's environment, as `train` takes it: only needed where the
            folder does not hold the environment's spaces (runs of version 0.1).
        allow: packages from which parts that the folder names may be imported.
        overrides: settings of yours, dotted path -> value, such as {"device.kind": "cpu"}.

    Raises RunError where the folder does not hold the checkpoint, or `make_env` makes another
    environment; ConfigError for settings that are not yours to choose here.
    """
    folder = run_of(logdir)
    config = _prepare(folder, overrides, names_of(allow))
    from reverie.train.agent import load as load_agent
    from reverie.train.chosen import choose

    path = choose(folder, checkpoint)
    makers = makers_for(config, make_env)
    return load_agent(folder, config, path, None if makers is None else _spaces(config, makers))


def evaluate(
    run: str | Path | Any,
    *,
    episodes: int = 10,
    greedy: bool = False,
    seed: int = 0,
    envs: int = 1,
    checkpoint: str | int = "newest",
    video: str | Path | None = None,
    make_env: Given | Mapping[str, Any] | None = None,
    allow: str | Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
) -> dict[str, float]:
    """Plays `episodes` episodes without learning.

    Args:
        run: a run folder, or an agent that `load` gave.
        greedy: the mode of the policy instead of samples from it.
        seed: root of the environments' and the policy's randomness.
        envs: environments side by side.
        checkpoint: of a run folder: `newest`, `best` where the run keeps one, or the step of one.
        video: folder for a film of every episode (docs/guide.md says their names).
        make_env: what the run was trained on where that was no task's name, as `train` takes it;
            for a sequence of tasks a dictionary from their names.
        allow: modules that the run's task may import besides Reverie's and Gymnasium's own: their
            code runs here.
        overrides: settings of yours, dotted path -> value: what concerns your machine is never
            taken from the folder.

    Returns the numbers by name (`eval/return` is the mean over episodes, environment units).
    Raises RunError where the folder does not hold the checkpoint, its task would import a module
    that `allow` does not name, or a film is wanted of what draws no pictures; ConfigError for a
    wrong argument.
    """
    from reverie.options import EvalOptions

    how = EvalOptions("", episodes, greedy, seed, envs, checkpoint=str(checkpoint)).how()
    if isinstance(run, str | os.PathLike):
        run = run_of(run)
        makers = makers_for(saved_config(run, allow=allow), make_env)
        _prepare(run, overrides, names_of(allow))
    from reverie.train.agent import Agent
    from reverie.train.evaluate import evaluate_run

    if isinstance(run, Agent):
        makers = makers_for(run.config, make_env)
        if checkpoint != "newest":
            raise ConfigError(
                "checkpoint chooses among those of a run folder, and an agent is of one already: "
                "load it with reverie.load(run, checkpoint=...)."
            )
    elif not isinstance(run, Path):
        raise ConfigError(f"run takes a run folder or an agent that `load` gave, found {run!r}.")
    if video is not None:
        from reverie.watch.film import Films

        how["films"] = Films(folder_of(video, "video"))
    return evaluate_run(run, **how, make_env=makers, allow=names_of(allow), given=overrides)


def saved_config(logdir: str | Path, *, allow: str | Sequence[str] = ()) -> Config:
    """The configuration of a run folder; `allow` names packages whose parts may be imported.

    Raises RunError: no run folder, or its config.json is of no run of this version.
    """
    path = run_of(logdir) / "config.json"
    if not os.path.lexists(path):
        raise RunError(f"{str(logdir)!r} is no run folder: it holds no config.json.")
    return read_config(path, names_of(allow))


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


def makers_named(config: Config, names: Sequence[str]) -> dict[str, Any] | None:
    """The same for names MODULE:FUNCTION: one stands for the only task of a run, whatever it was
    called, and for that of its own name in a sequence."""
    alone = len(names) == 1 and not config.sequence.tasks
    return makers_for(config, names[0] if alone else {name: name for name in names} or None)


def _prepare(folder: Path, overrides: Mapping[str, Any] | None, allow: tuple[str, ...]) -> Config:
    """Starts the reader's device; the configuration with which the run is loaded here."""
    from reverie.machine.device import prepare
    from reverie.train.stranger import read

    config, ignored = read(folder, overrides, allow)
    if ignored:
        logging.getLogger("reverie").warning(visible(ignored))
    prepare(config.device)
    return config


def _spaces(config: Config, makers: Mapping[str, Any]) -> dict[str, Any]:
    """The own spaces of the environment that the user hands over for a run."""
    from reverie.envs.make import make

    task, source = next(iter(makers.items()))
    env = make(source, config.env)
    env.close()
    if env.own_spaces is None:
        raise RunError(f"the environment of {task} has no Gymnasium spaces that can be kept.")
    return env.own_spaces
