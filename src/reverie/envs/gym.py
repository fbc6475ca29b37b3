"""Gymnasium ids: look one up (did you mean …), import its package, build it."""

import functools
import importlib
import os
import sys
import warnings
from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec, load_env_creator

from reverie.envs import gym_ids, registry
from reverie.envs.base import EnvError
from reverie.envs.faults import contained
from reverie.part.errors import did_you_mean

HEADLESS = {
    "MUJOCO_GL": "egl",
    "SDL_VIDEODRIVER": "dummy",
    "SDL_AUDIODRIVER": "dummy",
    "PYGLET_HEADLESS": "true",
}
"""Variables with which simulators draw into memory."""

GL = ("egl", "osmesa", "glfw")
"""What MUJOCO_GL may name: how MuJoCo draws."""
GL_SWITCHES = (
    *("", "glx", "wgl", "cgl", "enable", "enabled", "on", "true", "1"),
    *("disable", "disabled", "off", "false", "0"),
)
"""Other words that MuJoCo takes there."""


def find(name: str) -> EnvSpec:
    """The registration of an id, which may be written `module:id` to import `module` first.

    Raises EnvError with the nearest registered id, or the package that is missing.
    """
    module, _, id = name.rpartition(":")
    default_gl(mujoco=False)  # some packages look for a screen when they are imported
    if home := gym_ids.home(id):
        extra = registry.row(gym_ids.kin(id)).extra
        _import(home, f"; {_install(extra)}")
    if module:
        _import(module, ", named before ':' in the task; install it or correct the name")
    if id in gymnasium.registry:
        return gymnasium.registry[id]
    try:
        return gymnasium.spec(id)  # an id without version means the newest one
    except gymnasium.error.Error:
        near = did_you_mean(id, gymnasium.registry)
        raise EnvError(
            f"Gymnasium knows no environment {id!r}.{near} If a package registers it, name the "
            f"package: gym:PACKAGE:{id}"
        ) from None


def _install(extra: str) -> str:
    return f"install it with: pip install 'reverie[{extra}]'"


def _import(module: str, hint: str) -> None:
    try:
        with contained():
            importlib.import_module(module)
    except ImportError as error:
        raise EnvError(f"Cannot import {module!r} ({error}){hint}.") from None


def build(name: str, kwargs: dict[str, Any], *, render: bool) -> gymnasium.Env:
    """The environment of an id; with `render` it can draw pictures if it knows how to.

    Raises EnvError for an unknown id, a missing simulator or unfitting `kwargs`.
    """
    spec = find(name)
    default_gl(mujoco=False)
    try:
        if render and "render_mode" not in kwargs and "rgb_array" in _render_modes(spec):
            kwargs = {**kwargs, "render_mode": "rgb_array"}
        return gymnasium.make(spec, disable_env_checker=True, **kwargs)
    except (RuntimeError, ValueError) as error:
        if "MUJOCO_GL" in str(error):
            _check_gl()
        raise
    except TypeError as error:
        if "argument" not in str(error):
            raise
        raise EnvError(f"env.kwargs {kwargs} do not fit {spec.id}: {error}") from None
    except (gymnasium.error.DependencyNotInstalled, ImportError) as error:
        extra = gym_ids.own_extra(spec.id)
        why = f"{spec.id} needs a package that is missing here"
        if not extra:
            raise EnvError(f"{why}: {error}") from None
        cause = error.__cause__ or error  # Gymnasium itself names another extra
        raise EnvError(f"{why} ({cause}); {_install(extra)}") from None


@functools.cache
def _still() -> None:
    """Pygame warns that a package it asks for will go one day: no user of ours can mend that."""
    warnings.filterwarnings("ignore", "pkg_resources is deprecated", UserWarning, "pygame")


def _render_modes(spec: EnvSpec) -> list[str]:
    creator = load_env_creator(spec.entry_point) if isinstance(spec.entry_point, str) else None
    creator = creator or spec.entry_point
    if isinstance(creator, type) and issubclass(creator, gymnasium.Env):
        return list(creator.metadata.get("render_modes", []))
    return []


def _check_gl() -> None:
    """Raises EnvError where MUJOCO_GL is set to what MuJoCo does not know."""
    chosen = os.environ.get("MUJOCO_GL", "")
    if chosen.lower().strip() not in (*GL, *GL_SWITCHES):
        raise EnvError(
            f"The variable MUJOCO_GL is {chosen!r}, which MuJoCo does not know."
            f"{did_you_mean(chosen.lower(), GL)} Set it to {', '.join(GL[:-1])} or {GL[-1]}, or "
            "unset it."
        )


def default_gl(*, mujoco: bool = True) -> None:
    """Let MuJoCo and pygame draw without a display, unless the user chose something or has one.

    Works by variables of this process and only before these packages are imported. Without them
    MuJoCo fails, and pygame complains about the missing screen and sound card.

    Args:
        mujoco: whether MuJoCo is about to be used; EnvError then where MUJOCO_GL is no word of its.
    """
    if mujoco:
        _check_gl()
    _still()
    screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not screen:
        for name, value in HEADLESS.items():
            os.environ.setdefault(name, value)
