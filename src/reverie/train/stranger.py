"""A run folder that may be another's: what of its configuration counts, and what needs a word."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reverie.config.reader import as_read
from reverie.config.schema import Config
from reverie.envs import origin
from reverie.folder.errors import RunError
from reverie.folder.run_folder import read_config
from reverie.train import sequence


def read(
    logdir: Path, given: Mapping[str, Any] | None = None, allow: Sequence[str] = ()
) -> tuple[Config, str]:
    """The configuration with which the run is loaded here, and a sentence on what was ignored.

    Args:
        given: the reader's own settings, dotted path -> value (see `config.reader`).
        allow: packages from which parts may be imported.

    The sentence is empty where nothing was. Raises RunError where `logdir` is no run folder of
    this version, ConfigError for settings that are not the reader's.
    """
    path = logdir / "config.json"
    if not os.path.lexists(path):
        raise RunError(f"{str(logdir)!r} is no run folder: it holds no config.json.")
    config, ignored = as_read(read_config(path, allow), given or {})
    if not ignored:
        return config, ""
    told = ", ".join(f"{name} {value!r}" for name, value in ignored.items())
    return config, (
        f"{path} sets {told}; what concerns your machine is yours to choose, so this is ignored "
        f"(set your own with --{next(iter(ignored))}, or overrides= from Python)."
    )


def check_code(config: Config, tasks: Sequence[str], allow: Sequence[str], trusted: bool) -> None:
    """Raises RunError where making `tasks` would run code that the user has not allowed.

    Args:
        tasks: the names whose environments are to be made.
        allow: modules that the user trusts.
        trusted: whether `env.kwargs` are the user's own words.
    """
    for task in tasks:
        for module in origin.foreign_modules(task):
            if not origin.allows(allow, module):
                raise RunError(
                    f"the task {task!r} of this run would import the module {module!r}, which is "
                    "neither Reverie's nor Gymnasium's: that runs its code here. If you trust it, "
                    f"say so: --allow {module} (from Python: allow=({module!r},))."
                )
    reaching = [] if trusted else origin.reaching(json.loads(config.env.kwargs))
    if reaching:
        raise RunError(
            f"the run's env.kwargs {config.env.kwargs} may name a file, a folder or a module "
            f"({', '.join(reaching)}), which its environment would open here. If you trust it, "
            f"give it yourself: --env.kwargs '{config.env.kwargs}' (from Python: overrides="
            "{'env.kwargs': ...})."
        )


def evaluated(config: Config, made: sequence.MakeEnv) -> list[str]:
    """The tasks that are made by the folder's own name, not by what the user handed over."""
    tasks = sequence.evaluated(config)
    return [task for task in tasks if sequence.source(task, made) == task]
