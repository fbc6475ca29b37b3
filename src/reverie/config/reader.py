"""Settings that belong to whoever reads a run folder, not to whoever wrote it.

The one list of everything in a configuration that names a path, a device, memory, a cache, a
number of processes or a tracker. Another's run folder never decides about these: its values are
replaced by the defaults, or by what the reader gives. (Resuming takes them from the command.)
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from reverie.config import edit
from reverie.config.run import DeviceConfig
from reverie.config.schema import Config
from reverie.part.errors import ConfigError, suggest

DEVICE = tuple(
    f"device.{field.name}" for field in fields(DeviceConfig) if field.name != "precision"
)
"""How it is computed; precision is part of what was learned."""

KEYS = (
    *DEVICE,
    "env.backend",
    "env.background.videos",
    "env.parallel",
    "env.remastered.photos",
    "env.restarts",
    "env.timeout",
    "env.workers",
    "log.progress",
    "log.tensorboard",
    "log.wandb",
    "logdir",
    "replay.gigabytes",
)
"""Fields that are the reader's, by dotted path."""

GIVEN = (*KEYS, "env.kwargs")
"""What a reader may set: those, and what the environment is made with."""


WRITING = (
    *(f"device.{name}" for name in ("scan", "unroll", "command_buffers")),
    *(f"device.{name}" for name in ("mesh", "coordinator", "processes", "process", "wait")),
    "log.progress",
    "logdir",
)
"""Of those: how the updates were computed, what was seen of it, and where it lay. A reader, who
makes no updates, loses nothing by it."""


def as_read(config: Config, given: Mapping[str, Any]) -> tuple[Config, dict[str, Any]]:
    """A stored configuration as its reader uses it, and the stored values that were ignored.

    Args:
        given: dotted path -> value, the reader's own settings.

    `WRITING` is replaced, too, but no loss that needs telling. Raises ConfigError for a setting
    that is the run's, or a wrong value.
    """
    for path in given:
        if path not in GIVEN:
            raise ConfigError(
                f"{path!r} is the run's own and cannot be set when it is read; what can: "
                f"{', '.join(GIVEN)}."
                if path in edit.field_types()
                else f"there is no setting {path!r} of a reader; {suggest(path, GIVEN)}"
            )
    stored, defaults = edit.flat(config), edit.flat(Config())
    result = edit.apply(config, {path: defaults[path] for path in KEYS} | dict(given))
    ignored = {
        path: stored[path]
        for path in KEYS
        if path not in WRITING and path not in given and stored[path] != defaults[path]
    }
    return result, ignored


def take(words: list[str]) -> tuple[list[str], dict[str, str]]:
    """Split a command's words into those that remain and the settings `--KEY VALUE` of a reader.

    Raises ConfigError where a value is missing.
    """
    rest, given, words = [], {}, list(words)
    while words:
        word = words.pop(0)
        name, equals, value = word.removeprefix("--").partition("=")
        path = name.replace("-", "_")
        if not word.startswith("--") or path not in GIVEN:
            rest.append(word)
        elif not equals and not words:
            raise ConfigError(f"--{path} needs a value.")
        else:
            given[path] = value if equals else words.pop(0)
    return rest, given
