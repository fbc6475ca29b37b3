"""What a user hands over to be learned in: a name, or what makes the environment.

| handed over | taken as |
|---|---|
| `suite_task`, `gym:ID` | the task of that name |
| `MODULE:FUNCTION` | that function, the module found from the current folder too |
| a function, class, partial or other callable that returns a gymnasium.Env | itself |
| a gymnasium EnvSpec | a function that makes it |
| a finished gymnasium.Env | what makes more of its kind, where that is possible (`instance.py`) |

Everything else is refused here, before anything exists, with what to write instead.
"""

import contextlib
import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec

from reverie.envs.importing import find_object, is_path_to_object, sequence_names, task_name
from reverie.part.errors import ConfigError, suggest

MakeEnv = Callable[..., gymnasium.Env]
Given = str | MakeEnv | EnvSpec | gymnasium.Env
"""What a user may hand over as a task."""
OWN_NUMBER = "index"
"""A maker's parameter that gets the environment's number instead of one of `env.kwargs`."""


@dataclasses.dataclass(frozen=True)
class Source:
    """A task's name in the configuration and, where the name alone does not do, its maker."""

    task: str
    make_env: MakeEnv | None = None

    def check_kwargs(self, kwargs: Mapping[str, Any]) -> None:
        """Raises ConfigError where the maker cannot be called with `env.kwargs`."""
        if self.make_env is not None:
            _check_call(self.make_env, self.task.removeprefix("custom:"), kwargs)


def makers(
    task: str, overrides: Mapping[str, Any], kwargs: Mapping[str, Any]
) -> MakeEnv | dict[str, MakeEnv] | None:
    """What makes the environments of a run that was asked for by names alone.

    Args:
        task: the run's task.
        overrides: as for `resolve`; a sequence of tasks stands in `sequence.tasks` and `.tests`.
        kwargs: `env.kwargs`.

    Returns the maker, those of a sequence by task name, or None where the names do.
    """
    names = asked(task, overrides)
    found = [source_of(name) for name in names]
    for source in found:
        source.check_kwargs(kwargs)
    if names == [task]:
        return found[0].make_env
    return {source.task: source.make_env for source in found if source.make_env is not None}


def asked(task: str, overrides: Mapping[str, Any]) -> list[str]:
    """The names of the tasks of such a run; none for a named sequence."""
    keys = ("sequence.tasks", "sequence.tests")
    names = [name for key in keys for name in sequence_names(overrides, key)]
    return names or ([] if task.startswith("continual:") else [task])


@dataclasses.dataclass(frozen=True)
class FromSpec:
    """Makes the environment of a gymnasium EnvSpec, every time a new one."""

    spec: EnvSpec

    def __call__(self, **kwargs: Any) -> gymnasium.Env:
        return gymnasium.make(self.spec, disable_env_checker=True, **kwargs)


def source_of(thing: Any, argument: str = "task") -> Source:
    """The source that `thing` means.

    Args:
        thing: what the user handed over.
        argument: how the sentence calls it.

    Raises ConfigError for what is neither a name nor makes an environment, with the remedy.
    """
    if isinstance(thing, str):
        if thing.startswith("custom:"):
            raise ConfigError(
                f"{thing!r} is how the run of a callable is recorded, and does not say where the "
                "callable is: write MODULE:FUNCTION, or hand it over from Python."
            )
        if not is_path_to_object(thing):
            return Source(thing)
        found = find_object(thing)
        return Source(task_name(thing), _maker(found, thing))
    spec = _spec_of(thing)
    make_env = _maker(thing, argument)
    if spec is not None:
        return Source(f"custom:{spec.id.replace('/', '_')}", make_env)
    thing = type(thing.unwrapped) if isinstance(thing, gymnasium.Env) else make_env
    name = getattr(thing, "__name__", type(thing).__name__)
    return Source(f"custom:{str(name).strip('<>')}", make_env)


def _maker(thing: Any, label: str) -> MakeEnv:
    """`thing` where it is a callable that may make an environment, else ConfigError."""
    if isinstance(thing, EnvSpec):
        return FromSpec(thing)
    if isinstance(thing, gymnasium.Env):
        from reverie.envs import instance

        spec = _spec_of(thing)
        try:
            return instance.maker_of(thing, None if spec is None else FromSpec(spec))
        except instance.NotCopied as error:
            raise ConfigError(f"{label} is {_finished(thing, str(error))}.") from None
    reason = _not_a_maker(thing)
    if reason:
        raise ConfigError(f"{label} is {reason}.")
    return thing


def _spec_of(thing: Any) -> EnvSpec | None:
    """The registration that `thing` is or knows."""
    if isinstance(thing, gymnasium.Env):
        with contextlib.suppress(Exception):  # wrappers copy their arguments when they are asked
            return thing.spec
        return None
    return thing if isinstance(thing, EnvSpec) else None


def _not_a_maker(thing: Any) -> str:
    """What `thing` is and what to write instead; '' where it can be called for environments."""
    if _is_class(thing, gymnasium.vector.VectorEnv) or _is_vector(thing):
        count = getattr(thing, "num_envs", None)
        here = f', here overrides={{"env.num": {count}}}' if isinstance(count, int) else ""
        return (
            "a vector of environments, and Reverie steps single ones side by side itself: hand "
            f"over a function that makes one of them, and set env.num to how many{here}"
        )
    if isinstance(thing, type):
        return _not_an_env_class(thing)
    if inspect.ismodule(thing):
        return (
            f"the module {thing.__name__}: name its function, for example {thing.__name__}.make_env"
        )
    if not callable(thing):
        return _not_callable(thing)
    if inspect.iscoroutinefunction(thing) or inspect.isgeneratorfunction(thing):
        return "a coroutine or generator, and its call returns no environment: write a function"
    return ""


def instead_of_env(made: Any) -> str:
    """What a function returned that should have returned an environment, and the remedy."""
    if made is None:
        return "returned None (does it lack a return?), expected a gymnasium.Env"
    if isinstance(made, tuple | list):
        return f"returned a {type(made).__name__}, expected one gymnasium.Env at every call"
    if callable(made) and not isinstance(made, gymnasium.vector.VectorEnv) and not _steps(made):
        name = getattr(made, "__name__", type(made).__name__)
        return f"returned {name}, which is not an environment yet: hand over {name} itself"
    kind = f"{type(made).__module__}.{type(made).__name__}"
    if isinstance(made, gymnasium.vector.VectorEnv):
        return f"returned a {kind}, {_not_a_maker(made)}"
    return (
        f"returned a {kind}, expected a gymnasium.Env. Environments of the old gym package need a "
        "wrapper, for example shimmy's"
    )


def _steps(thing: Any) -> bool:
    """Whether `thing`, finished, steps like an environment of some package."""
    finished = not isinstance(thing, type)
    return bool(finished and getattr(thing, "step", None) and getattr(thing, "reset", None))


def _is_vector(thing: Any) -> bool:
    """Whether `thing` is several environments in one: Gymnasium's, Stable-Baselines3's, others'."""
    if isinstance(thing, gymnasium.vector.VectorEnv):
        return True
    several = isinstance(getattr(thing, "num_envs", None), int)
    return several and _steps(thing) and not isinstance(thing, gymnasium.Env)


def _is_class(thing: Any, base: type) -> bool:
    return isinstance(thing, type) and issubclass(thing, base)


def _finished(env: gymnasium.Env, reason: str) -> str:
    spec = _spec_of(env)
    made = f"gymnasium.make({spec.id!r})" if spec else f"{type(env.unwrapped).__name__}(...)"
    return (
        f"a finished environment of which no true copy can be made ({reason}), and a run needs "
        "several (to train, to evaluate, to restart): hand over a function that makes one, for "
        f"example lambda: {made}"
    )


def _not_an_env_class(kind: type) -> str:
    name = kind.__name__
    if not issubclass(kind, gymnasium.Env):
        if getattr(kind, "step", None) and getattr(kind, "reset", None):
            return (
                f"the class {name}, which is no gymnasium.Env: environments of the old gym package "
                "and others need a wrapper, for example shimmy's, or the base class gymnasium.Env"
            )
        return f"the class {name}, which is no gymnasium.Env: hand over what makes one"
    missing = sorted(getattr(kind, "__abstractmethods__", ()))
    missing += [
        verb for verb in ("reset", "step") if getattr(kind, verb) is getattr(gymnasium.Env, verb)
    ]
    if missing:
        return (
            f"the class {name}, which is abstract (it lacks {', '.join(dict.fromkeys(missing))}): "
            "hand over a class or function that makes a whole environment"
        )
    return ""


def _not_callable(thing: Any) -> str:
    if _steps(thing):
        return (
            f"a finished environment that is no gymnasium.Env ({type(thing).__name__}): hand over "
            "a function that makes one, with a wrapper, for example shimmy's, around it"
        )
    if isinstance(thing, list | tuple):
        return "several tasks: reverie.continual learns one after the other"
    return (
        f"{_shown(thing)}, expected a task's name (suite_task, gym:ID, MODULE:FUNCTION) or a "
        "function that returns a gymnasium.Env"
    )


def _shown(thing: Any) -> str:
    text = repr(thing)
    return (
        f"{type(thing).__name__} {text}" if len(text) <= 60 else f"of type {type(thing).__name__}"
    )


def _check_call(make_env: MakeEnv, name: str, kwargs: Mapping[str, Any]) -> None:
    try:
        signature = inspect.signature(make_env)
    except (TypeError, ValueError):  # compiled code does not tell
        return
    known = signature.parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in known.values())
    named = [n for n, p in known.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    for key in kwargs:
        if key not in named and not takes_any:
            hint = suggest(key, named) if named else "it takes none."
            raise ConfigError(f"env.kwargs gives {key!r}, which {name} does not take; {hint}")
    single = [p for p in known.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    missing = [p.name for p in single if p.default is p.empty and p.name not in kwargs]
    missing = [word for word in missing if word != OWN_NUMBER]
    if missing:
        example = ", ".join(f'"{word}": ...' for word in missing)
        raise ConfigError(
            f"{name} cannot be called without {', '.join(missing)}: give them as env.kwargs "
            f"{{{example}}}, or hand over a function without arguments, for example lambda: "
            f"{name}({missing[0]}=...)."
        )
