"""A finished environment as something that makes more of its kind, or the reason why not.

A run needs several environments, and whoever comes from other libraries has one. Two ways lead
from one to many, and the first that holds good is taken: its registration (`env.spec`), which makes
it anew, or deep copies of it. What they make is compared with what was handed over, or with each
other, before anything is learned: kinds and settings of all wrappers, and the rows of a short game
under one seed.
"""

import contextlib
import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import cloudpickle
import gymnasium
from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker

from reverie.envs import identity
from reverie.envs.faults import contained, short

STEPS = 20
"""Steps of the game that is played to compare two environments."""
CHECKS = (PassiveEnvChecker, OrderEnforcing)
"""Wrappers that change nothing; `gymnasium.make` puts them around or leaves them out."""

MakeEnv = Callable[..., gymnasium.Env]


class NotCopied(Exception):
    """No true copy of an environment can be made; the message is the reason, half a sentence."""


@dataclasses.dataclass(frozen=True)
class FromCopy:
    """Makes deep copies of an environment."""

    env: gymnasium.Env

    def __call__(self) -> gymnasium.Env:
        return copy.deepcopy(self.env)


def maker_of(env: gymnasium.Env, by_registration: MakeEnv | None) -> MakeEnv:
    """What makes environments that are as `env` is; `env` itself may be reset and stepped.

    Args:
        env: the environment.
        by_registration: makes what its `spec` says; None: it has none.

    Raises NotCopied.
    """
    reasons = []
    for way in (_registered, _copied):
        try:
            with contained():
                return way(env, by_registration)
        except NotCopied as reason:
            reasons.append(str(reason))
        except Exception as error:
            reasons.append(f"{way.__doc__}, it ends in {type(error).__name__}: {short(str(error))}")
    raise NotCopied("; ".join(filter(None, reasons)))


def _registered(env: gymnasium.Env, make: MakeEnv | None) -> MakeEnv:
    """made by its registration"""
    if make is None:
        raise NotCopied("")
    with contextlib.ExitStack() as stack:
        one, two = (stack.enter_context(contextlib.closing(make())) for _ in range(2))
        _check_alike(env, one)
        games = [_game(part) for part in (env, one, two)]
        held, fresh, again = (_held(part) for part in (env, one, two))
        _game(env)
        changed = _changed(held, _held(env), fresh, again)
        if changed:
            raise NotCopied(f"its registration makes it with another {', '.join(changed[:3])}")
        if games[0] != games[1]:
            raise NotCopied("its registration makes one that plays another game under one seed")
    return make


def _copied(env: gymnasium.Env, _: MakeEnv | None) -> MakeEnv:
    """copied"""
    make = FromCopy(copy.deepcopy(env))
    with contextlib.ExitStack() as stack:
        one, two = (stack.enter_context(contextlib.closing(make())) for _ in range(2))
        if identity.same(one, two) or identity.same(one, env):
            raise NotCopied("its copies hold one and the same environment")
        _check_alike(env, one)
        if _game(one) != _game(two):
            raise NotCopied("its copies play different games under one seed")
    return make


def _check_alike(env: gymnasium.Env, other: gymnasium.Env) -> None:
    """Raises NotCopied where the wrappers or the spaces of two environments differ."""
    kinds = [[type(layer).__name__ for layer in _layers(part)] for part in (env, other)]
    if kinds[0] != kinds[1]:
        raise NotCopied(f"it is {' around '.join(kinds[0])}, its copy {' around '.join(kinds[1])}")
    for name in ("observation_space", "action_space"):
        if getattr(env, name) != getattr(other, name):
            raise NotCopied(f"the {name} of its copy is {getattr(other, name)}")


def _layers(env: gymnasium.Env) -> list[gymnasium.Env]:
    """The environment and its wrappers, the outermost first."""
    found: list[Any] = [env]
    while isinstance(found[-1], gymnasium.Wrapper):
        found.append(found[-1].env)
    return [layer for layer in found if not isinstance(layer, CHECKS)]


Held = dict[str, bytes | None]


def _changed(held: Held, later: Held, fresh: Held, again: Held) -> list[str]:
    """What of an environment (as `_held` gives it) is not as in new ones.

    What differs between two new ones (a number of their own), or moves with a further game (how
    long each of them took), says nothing. `later` is `held` after one more game.
    """
    names = held.keys() | fresh.keys()
    told = {n for n in names if fresh.get(n) == again.get(n) and held.get(n) == later.get(n)}
    pairs = {name: (held.get(name, b""), fresh.get(name, b"")) for name in told}
    return sorted(name for name, pair in pairs.items() if None not in pair and pair[0] != pair[1])


def _held(env: gymnasium.Env) -> Held:
    """All that the layers hold as attributes, as bytes; None where there are none for it."""
    found: Held = {}
    for depth, layer in enumerate(_layers(env)):
        for name, value in getattr(layer, "__dict__", {}).items():
            if isinstance(value, gymnasium.Env | gymnasium.Space) or name.endswith("spec"):
                continue
            key = f"{type(layer).__name__}.{name}" + "'" * depth
            try:
                found[key] = cloudpickle.dumps(value)
            except Exception:
                found[key] = None
    return found


def _game(env: gymnasium.Env) -> bytes:
    """What an environment shows in a short game: the same for all that are alike."""
    space = copy.deepcopy(env.action_space)
    space.seed(0)
    rows: list[Any] = [env.reset(seed=0)[0]]
    for _ in range(STEPS):
        rows.append(copy.deepcopy(env.step(space.sample())[:4]))
        if rows[-1][2] or rows[-1][3]:
            break
    return cloudpickle.dumps(rows)
