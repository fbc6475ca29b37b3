"""`MODULE:FUNCTION` -> the object of that name, or one sentence about what is missing."""

import difflib
import importlib
import pkgutil
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from reverie.part.errors import ConfigError
from reverie.part.named import inside
from reverie.part.values import coerce

OTHERS = ("gym", "custom", "continual")
"""What stands before the colon in names that are no `MODULE:FUNCTION`."""


def is_path_to_object(name: str) -> bool:
    """Whether `name` is written as MODULE:FUNCTION (also `package.module:Class.method`)."""
    module, colon, path = name.partition(":")
    if not colon or module in OTHERS:
        return False
    return all(part.isidentifier() for part in (*module.split("."), *path.split(".")))


def task_name(name: str) -> str:
    """How the configuration calls a task that is written as `name`."""
    return f"custom:{name.replace(':', '.')}" if is_path_to_object(name) else name


def with_task_names(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The overrides with the tasks of a sequence named as the configuration calls them."""
    keys = [key for key in ("sequence.tasks", "sequence.tests") if key in overrides]
    return {
        **overrides,
        **{key: tuple(map(task_name, sequence_names(overrides, key))) for key in keys},
    }


def sequence_names(overrides: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """The tasks that the override `key` lists."""
    return coerce(overrides.get(key, ()), tuple[str, ...], key)


def find_object(name: str) -> Any:
    """The object that `name`, MODULE:FUNCTION, means; the current folder is searched first.

    Raises ConfigError where the module is missing (nearest named) or fails (with its own last
    line), or has no such attribute (nearest named).
    """
    module, _, path = name.partition(":")
    found = _import(module)
    try:
        return inside(found, path)
    except ConfigError as error:
        raise ConfigError(f"{name!r}: {error}{_suite_hint(module)}") from None


def _import(module: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)  # as `python -m` does; the processes of environments inherit it
    importlib.invalidate_caches()
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            raise ConfigError(_not_found(module, error.name)) from None
        raise ConfigError(_failed(module, error)) from error
    except (Exception, SystemExit) as error:
        raise ConfigError(_failed(module, error)) from error


def _not_found(module: str, missing: str) -> str:
    parent, _, leaf = missing.rpartition(".")
    places = list(sys.modules[parent].__path__) if parent in sys.modules else [str(Path.cwd())]
    names = [entry.name for entry in pkgutil.iter_modules(places)]
    near = difflib.get_close_matches(leaf, names, n=1)
    hint = f" Did you mean {'.'.join(filter(None, (parent, near[0])))!r}?" if near else ""
    hint = _suite_hint(module) or hint
    return (
        f"there is no module {missing!r} in the current folder or on the import path, where "
        f"MODULE:FUNCTION is looked for; a Gymnasium id is gym:ID.{hint}"
    )


def _suite_hint(module: str) -> str:
    from reverie.envs import registry

    return (
        f" The tasks of the suite are written {module}_NAME." if module in registry.names() else ""
    )


def _failed(module: str, error: BaseException) -> str:
    """The import of a user's module ended in an exception: its place and its words."""
    if isinstance(error, SyntaxError) and error.filename:
        where = f"{Path(error.filename).name}, line {error.lineno}"
        return f"importing {module} failed: {where}: {type(error).__name__}: {error.msg}."
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [f for f in frames if "importlib" not in f.filename and f.filename != __file__]
    where = "".join(f" {Path(f.filename).name}, line {f.lineno}: {f.line}:" for f in theirs[-2:])
    said = traceback.format_exception_only(error)[-1].strip()
    return f"importing {module} failed:{where} {said[:300]}"
