"""From a task's name to an environment: the one place that knows all suites."""

import functools as ft
import inspect
import json
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, assert_never, cast

import gymnasium

from reverie.envs import catalog, control, games
from reverie.envs.adapter import Adapter
from reverie.envs.base import Env, EnvError, Split
from reverie.envs.functional.recipe import FUNCTIONAL, Compiled
from reverie.envs.options import EnvConfig
from reverie.envs.suites import SUITES
from reverie.envs.worker import INDEX

EMPTY = inspect.Parameter("none", inspect.Parameter.KEYWORD_ONLY)


def make(
    task: str | Callable[..., gymnasium.Env],
    config: EnvConfig,
    *,
    render: bool = False,
    split: Split = "train",
) -> Env:
    """The environment of a task, in the agent's terms.

    Args:
        task: a name (see `catalog.tasks`), or a callable that returns a gymnasium.Env; it gets
            `config.kwargs` as keyword arguments, and its number if it asks for it (`_own_number`).
        config: presets are applied already; fields of other suites are not read.
        render: the environment must be able to `render()` (costs time in some suites).
        split: what it is for; matters only where `config.split` is "held_out".

    Raises EnvError for an unknown name (with the nearest one), a simulator that is not installed
    (with the extra to install), `config.kwargs` that do not fit, or spaces the agent cannot use.
    """
    kwargs = json.loads(config.kwargs)
    if callable(task):
        return Adapter(task(**_own_number(task, kwargs), **kwargs), config)
    suite, name = catalog.parse(task)
    if suite == "gym":
        from reverie.envs import gym

        return Adapter(gym.build(name, kwargs, render=render), config)
    if suite in FUNCTIONAL:
        return Compiled(suite, name, config)()
    env, notices = _build(suite, name, config, kwargs, split)
    own_repeat = SUITES[suite].own_repeat
    adapter = Adapter(env, replace(config, repeat=1) if own_repeat else config)
    adapter.notices += notices
    return adapter


def maker(
    task: str | Callable[..., gymnasium.Env],
    config: EnvConfig,
    *,
    render: bool = False,
    split: Split = "train",
) -> Callable[[], Env]:
    """`make` with its arguments bound, to be called in another process; names are checked now.

    A Gymnasium id that this process has registered travels along with its registration. The
    recipe of a JAX-native task makes all environments of a `Vector` at once (`Compiled`).
    """
    if isinstance(task, str) and catalog.parse(task)[0] == "gym":
        from reverie.envs import gym

        entry = gym.find(catalog.parse(task)[1])
        return ft.partial(_make_registered, entry, task, config, render=render)
    if isinstance(task, str) and catalog.parse(task)[0] in FUNCTIONAL:
        return Compiled(*catalog.parse(task), config)
    return ft.partial(make, task, config, render=render, split=split)


def _own_number(make_env: Callable[..., gymnasium.Env], kwargs: dict[str, Any]) -> dict[str, int]:
    """The number of the environment, where the function that makes it asks for it.

    It asks by a parameter `env_index`, or by `index`, which in a class must be without default (it
    may mean something else there). What `kwargs` or a partial give comes first.
    """
    given, inner = set(kwargs), make_env
    while isinstance(inner, ft.partial):
        given, inner = given | set(inner.keywords), inner.func
    try:
        known = inspect.signature(make_env).parameters
    except (TypeError, ValueError):  # made of C
        return {}
    asked = {name for name in ("env_index", "index") if name in known and name not in given}
    if isinstance(inner, type) and known.get("index", EMPTY).default is not EMPTY.default:
        asked -= {"index"}
    return dict.fromkeys(asked, int(os.environ.get(INDEX, "0")))


def _make_registered(entry: Any, task: str, config: EnvConfig, *, render: bool) -> Env:
    gymnasium.registry.setdefault(entry.id, entry)
    return make(task, config, render=render)


def _build(
    suite: str, name: str, config: EnvConfig, kwargs: dict[str, Any], split: Split
) -> tuple[gymnasium.Env, list[str]]:
    try:
        return _build_suite(suite, name, config, kwargs, split)
    except ImportError as error:
        row = SUITES[suite]
        advice = row.advice or f"Install it with: pip install 'reverie[{row.extra}]'"
        raise EnvError(
            f"The {suite} tasks need a package that is missing here ({error}). {advice}"
        ) from None
    except TypeError as error:
        if kwargs and "argument" in str(error):
            raise EnvError(f"env.kwargs {kwargs} do not fit {suite}_{name}: {error}.") from None
        raise


def _build_suite(
    suite: str, name: str, config: EnvConfig, kwargs: dict[str, Any], split: Split
) -> tuple[gymnasium.Env, list[str]]:
    match cast(Any, suite):
        case "atari" | "atari100k":
            from reverie.envs.atari import AtariGame

            return AtariGame(name, config, **kwargs), []
        case "dmc":
            from reverie.envs import dmc

            return dmc.build(name, config, kwargs), []
        case "dmcr":
            from reverie.envs.scenes import remastered

            return remastered.build(name, config, kwargs, split)
        case "dmcbg":
            from reverie.envs.scenes import background

            return background.build(name, config, kwargs, split)
        case "minigrid":
            from reverie.envs import minigrid

            return minigrid.build(name, config, kwargs)
        case "probe":
            from reverie.envs.probes import PROBES

            return PROBES[name].env(**kwargs), []
        case other if other in control.CONTROL:
            return control.build(other, name, config, kwargs)
        case other if other in games.GAMES:
            return games.build(other, name, config, kwargs)
        case other:
            assert_never(other)
