"""What a callable is, as text: so that a default run folder is not taken for another's.

An importable function or class is known by its module and name. Anything else (a lambda, a partial,
a local function, an instance, whatever a script itself defines) is known by its code and the plain
values it uses as well: arguments, closure, globals. The text is the same in every process.
"""

import dis
import functools as ft
import hashlib
import inspect
import os
import re
import sys
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

DEPTH = 8
"""Values within values that are looked into."""
PLAIN = (bool, int, float, complex, str, bytes, type(None))


def identity(make_env: Callable | Mapping[str, Callable] | None) -> str:
    """A digest of what makes a run's environments, with its name in front; '' for names alone."""
    if make_env is None or not make_env:
        return ""
    if isinstance(make_env, Mapping):
        return "; ".join(f"{name}: {identity(make_env[name])}" for name in sorted(make_env))
    text = describe(make_env, DEPTH)
    name = getattr(make_env, "__qualname__", type(make_env).__qualname__)
    return f"{name} {hashlib.sha256(text.encode()).hexdigest()[:16]}"


def describe(value: Any, depth: int) -> str:
    """Text that differs where two values differ in what is known of them; no addresses in it."""
    if isinstance(value, PLAIN):
        return repr(value)
    if depth == 0:
        return type(value).__qualname__
    inside = ft.partial(describe, depth=depth - 1)
    match value:
        case ModuleType():
            return value.__name__
        case MethodType():
            return f"{inside(value.__func__)} of {inside(value.__self__)}"
        case FunctionType():
            return _function(value, depth - 1)
        case type():
            return _named(value) or _class(value, depth - 1)
        case ft.partial():
            return f"partial {inside(value.func)} {inside(value.args)} {inside(value.keywords)}"
        case Mapping():
            pairs = sorted(f"{inside(key)}: {inside(part)}" for key, part in value.items())
            return f"{{{', '.join(pairs)}}}"
        case list() | tuple():
            return f"[{', '.join(map(inside, value))}]"
        case set() | frozenset():
            return f"{{{', '.join(sorted(map(inside, value)))}}}"
        case np.ndarray() if value.dtype != object:
            data = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
            return f"{value.dtype}{value.shape}{data}"
    fields = getattr(value, "__dict__", None)
    kind = inside(type(value))
    return f"{kind} {inside(fields)}" if fields else f"{kind} {_shown(value)}"


def _shown(value: Any) -> str:
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))


def _named(value: Any) -> str:
    """Module and name where they identify; '' for what is local, nameless or a script's own."""
    name, module = value.__qualname__, value.__module__
    if "<" in name or module == "__main__":
        return ""
    return f"{module}.{name}"


def _script() -> str:
    """The script that runs, as seen from the current folder."""
    path = getattr(sys.modules.get("__main__"), "__file__", None)
    return os.path.relpath(path) if path else ""


def _function(function: FunctionType, depth: int) -> str:
    if _named(function):
        return _named(function)
    changed = _stored(function.__code__)
    found = inspect.getclosurevars(function)
    used = {name: part for name, part in found.nonlocals.items() if name not in changed}
    # A global may be anything that the script keeps: only what cannot change in place counts.
    used |= {
        name: part
        for name, part in found.globals.items()
        if name not in changed and isinstance(part, (*PLAIN, tuple, FunctionType, type))
    }
    bound = (function.__defaults__ or (), function.__kwdefaults__ or {}, used)
    where = _script() if function.__module__ == "__main__" else function.__module__
    told = " ".join(describe(part, depth) for part in bound)
    return f"{where}.{function.__qualname__} {_code(function.__code__)} {told}"


def _class(kind: type, depth: int) -> str:
    parts = {name: part for name, part in vars(kind).items() if not name.startswith("__")}
    functions = {name: part for name, part in vars(kind).items() if isinstance(part, FunctionType)}
    changed = {name for part in functions.values() for name in _stored(part.__code__)}
    plain = {
        name: part
        for name, part in parts.items()
        if isinstance(part, PLAIN) and name not in changed
    }
    code = {name: _function(part, max(0, depth - 1)) for name, part in functions.items()}
    bases = [_named(base) or describe(base, depth) for base in kind.__bases__]
    where = _script() if kind.__module__ == "__main__" else kind.__module__
    return f"{where}.{kind.__qualname__} {bases} {describe(plain, depth)} {sorted(code.items())}"


def _stored(code: CodeType) -> set[str]:
    """Names that a function's code writes: counters, which differ from call to call."""
    return {str(i.argval) for i in dis.get_instructions(code) if i.opname.startswith("STORE_")}


def _code(code: CodeType) -> str:
    consts = [_code(c) if isinstance(c, CodeType) else describe(c, DEPTH) for c in code.co_consts]
    text = f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {consts}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
