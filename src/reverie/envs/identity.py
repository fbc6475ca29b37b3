"""Whether two seats hold one and the same environment, which would mix their episodes."""

import weakref
from typing import Any

import gymnasium

from reverie.envs.base import EnvError

_taken: dict[int, tuple[weakref.ref, str]] = {}
"""Every environment in use in this process, by id: of all vectors, for training and evaluation may
share one as well as two seats."""


def take(env: Any, name: str) -> None:
    """Note that `env` is in use by the seat `name`.

    Raises EnvError where another seat uses it, or a gymnasium environment within it.
    """
    found = _parts(env)
    for part in found:
        reference, other = _taken.get(id(part), (None, ""))
        if reference is not None and reference() is part:
            raise EnvError(
                f"{name} was given the same environment as {other} ({_called(part)}), and their "
                "episodes would mix. The function that makes environments must make a new one at "
                "every call: lambda: MyEnv() instead of lambda: env, wrappers around a new one too."
            )
    for part in found:
        _taken[id(part)] = weakref.ref(part), name


def leave(env: Any) -> None:
    """Note that `env` is no longer in use."""
    for part in _parts(env):
        _taken.pop(id(part), None)
    for number, (reference, _) in list(_taken.items()):
        if reference() is None:
            del _taken[number]


def same(one: Any, two: Any) -> bool:
    """Whether two environments are one, or hold one and the same gymnasium environment."""
    return not {id(part) for part in _parts(one)}.isdisjoint(id(part) for part in _parts(two))


def _parts(env: Any) -> list[Any]:
    """`env`, and the gymnasium environments that it and its parts hold as attributes."""
    found, queue = [], [env]
    while queue:
        part = queue.pop()
        if not any(part is other for other in found):
            found.append(part)
            held = list(getattr(part, "__dict__", {}).values())
            queue += [value for value in held if isinstance(value, gymnasium.Env)]
    return found


def _called(part: Any) -> str:
    inner = part.unwrapped if isinstance(part, gymnasium.Env) else part
    return type(inner).__name__
