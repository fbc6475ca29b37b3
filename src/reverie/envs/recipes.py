"""Functions that make environments, on their way to another process."""

import functools as ft
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import cloudpickle


def pickled(make_one: Callable) -> bytes:
    """`make_one` by cloudpickle, with what another process could not import taken along.

    That is a script (`__main__`, or what a spawned process calls it) and a module that was loaded
    from a file beside the import path. Raises what pickling raises.
    """
    taken = []
    for module in _modules(make_one):
        if module.__name__ not in cloudpickle.list_registry_pickle_by_value():
            cloudpickle.register_pickle_by_value(module)
            taken.append(module)
    try:
        return cloudpickle.dumps(make_one)
    finally:
        for module in taken:
            cloudpickle.unregister_pickle_by_value(module)


def _modules(make_one: Any) -> Iterator[ModuleType]:
    """The modules behind `make_one` that cannot be imported by name elsewhere."""
    names = {"__mp_main__", *_homes(make_one)}
    for name in sorted(names - {"__main__", "builtins"}):
        module = sys.modules.get(name)
        if module is not None and not _importable(name):
            yield module


def _homes(part: Any) -> set[str]:
    """Names of the modules that a callable, or the parts of a partial, come from."""
    homes = {getattr(part, "__module__", None), type(part).__module__}
    if isinstance(part, ft.partial):
        for inner in (part.func, *part.args, *part.keywords.values()):
            homes |= _homes(inner)
    return {home for home in homes if isinstance(home, str)}


def _importable(name: str) -> bool:
    """Whether a fresh process with our import path would find the module."""
    top = name.partition(".")[0]
    found = (getattr(finder, "find_spec", lambda *_: None)(top, None) for finder in sys.meta_path)
    return any(spec is not None for spec in found)
