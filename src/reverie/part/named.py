"""Objects that a text names: `module:object`, where the object may be inside another."""

import importlib
from typing import Any

from reverie.part.errors import ConfigError, suggest


def object_at(target: str) -> Any:
    """What `module:object` names.

    Raises what importing the module raises, or ConfigError where it has no such object.
    """
    module, _, path = target.partition(":")
    return inside(importlib.import_module(module), path)


def inside(found: Any, path: str) -> Any:
    """What the dotted `path` leads to from a module or a class; ConfigError where it ends early."""
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            known = [word for word in dir(found) if not word.startswith("_")]
            hint = suggest(name, known) if known else "it defines nothing."
            where = getattr(found, "__name__", type(found).__name__)
            raise ConfigError(f"{where} has no {name!r}; {hint}") from None
    return found
