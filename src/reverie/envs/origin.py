"""Whose code a task runs: what the name of a task, or its arguments, would import or open.

A task that comes from a run folder may come from a stranger. Reverie, Gymnasium and the packages
of our own suites are known; any other module is imported only with the user's word.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium

from reverie.envs import registry
from reverie.envs.gym_ids import HOMES

KNOWN = frozenset(("reverie", "gymnasium", *(home.partition(".")[0] for home in HOMES.values())))
"""Packages whose import is no surprise."""

_ENDS = ("file", "files", "dir", "dirs", "path", "paths", "folder", "folders")
_WORDS = {
    *("filename", "xml", "results", "record", "recording", "save", "log", "logs", "video"),
    *("videos", "module", "entry", "import", "class", "wrapper", "wrappers", "plugin", "plugins"),
    *("url", "host", "address", "port", "socket", "command", "executable", "binary", "env", "make"),
}
"""Parts of the names of arguments that may say what to import, open, write or call."""
_HARMLESS = re.compile(r"[A-Za-z0-9_+\- ]{0,64}")


def foreign_modules(task: str) -> list[str]:
    """The unknown modules that making `task` would import; none for tasks of a suite of ours."""
    kind, colon, name = task.partition(":")
    if kind == "gym" and colon:
        module, _, id = name.rpartition(":")
        named = [module] if module else []
        return [m for m in named if not _known(m)] + _registered(id)
    if kind == "custom":
        return []
    if not colon:
        kind = registry.home(task)
        return [kind] if kind and not _known(kind) else []
    return [] if _known(kind) else [kind]


def allows(allow: Sequence[str], module: str) -> bool:
    """Whether the user's word covers `module`: itself, or a package that it is part of."""
    return any(module == name or module.startswith(f"{name}.") for name in allow)


def reaching(kwargs: Mapping[str, Any]) -> list[str]:
    """Names of the arguments that may name a file, a folder, a module or an address.

    Numbers and plain words are harmless, except under names such as `xml_file` or `results`.
    """
    return [name for name, value in kwargs.items() if _reaches(name, value)]


def _reaches(name: str, value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_reaches(key, part) for key, part in value.items()) or _suspect(name)
    if isinstance(value, list):
        return any(_reaches(name, part) for part in value)
    if isinstance(value, str) and not _HARMLESS.fullmatch(value):
        return True
    return bool(value) and _suspect(name)


def _suspect(name: str) -> bool:
    parts = name.lower().split("_")
    return any(part in _WORDS or part.endswith(_ENDS) for part in parts)


def _known(module: str) -> bool:
    return module.partition(".")[0] in KNOWN


def _registered(id: str) -> list[str]:
    """Unknown modules behind a registered id that this process has not imported itself."""
    try:
        spec = gymnasium.spec(id)
    except gymnasium.error.Error:
        return []
    wrappers = [wrapper.entry_point for wrapper in spec.additional_wrappers]
    entries = [entry for entry in (spec.entry_point, *wrappers) if isinstance(entry, str)]
    modules = dict.fromkeys(entry.partition(":")[0] for entry in entries)
    return [name for name in modules if not _known(name) and name not in sys.modules]
