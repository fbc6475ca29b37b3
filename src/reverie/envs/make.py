"""From a task's name to an environment."""

import functools as ft
import inspect
import json
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gymnasium

from reverie.envs import catalog, registry
from reverie.envs.adapter import Adapter
from reverie.envs.base import Env, Split
from reverie.envs.functional.recipe import Compiled
from reverie.envs.options import EnvConfig
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
    if callable(task):
        kwargs = json.loads(config.kwargs)
        return Adapter(task(**_own_number(task, kwargs), **kwargs), config)
    suite, name = catalog.parse(task)
    if suite == "gym":
        from reverie.envs import gym

        return Adapter(gym.build(name, json.loads(config.kwargs), render=render), config)
    about = registry.row(suite)
    if about.compiled:
        return Compiled(suite, name, config, split)()
    made: Any = registry.build(suite, name, config, split)
    if not isinstance(made, tuple) or len(made) != 2:
        made = made, []
    env, notices = made
    adapter = Adapter(env, replace(config, repeat=1) if about.own_repeat else config)
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
    suite, name = catalog.parse(task) if isinstance(task, str) else ("", "")
    if isinstance(task, str) and suite == "gym":
        from reverie.envs import gym

        return ft.partial(_make_registered, gym.find(name), task, config, render=render)
    if suite and registry.row(suite).compiled:
        return Compiled(suite, name, config, split)
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
