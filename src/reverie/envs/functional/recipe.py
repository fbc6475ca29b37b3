"""From the name of a JAX-native task to its copies, or to one of them. Imports no JAX itself."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reverie.envs.base import Env, EnvError
from reverie.envs.options import EnvConfig
from reverie.envs.suites import SUITES

if TYPE_CHECKING:
    from reverie.envs.functional.crew import CompiledCrew
    from reverie.envs.functional.game import Game

FUNCTIONAL = (*("craftax", "gymnax", "navix", "xminigrid", "jumanji", "pgx", "brax", "playground"),)
"""Suites whose environments are JAX programs."""


@dataclass(frozen=True)
class Compiled:
    """A recipe for environments that are stepped together, in one compiled call.

    Called, it makes a single one, like any other recipe; `Vector` asks for the `crew` instead.
    """

    suite: str
    name: str
    config: EnvConfig

    def __call__(self) -> Env:
        """One environment. Raises EnvError as `make` does."""
        from reverie.envs.functional.crew import One

        return One(self._game(), self.config, [])

    def crew(self, num: int) -> "CompiledCrew":
        """`num` environments for a `Vector`. Raises EnvError as `make` does."""
        from reverie.envs.functional.crew import CompiledCrew

        return CompiledCrew(self._game(), self.config, num, [])

    def _game(self) -> "Game":
        kwargs = json.loads(self.config.kwargs)
        try:
            return _builder(self.suite)(self.name, **kwargs)
        except ImportError as error:
            raise EnvError(
                f"The {self.suite} tasks need a package that is missing here ({error}). "
                f"Install it with: pip install 'reverie[{SUITES[self.suite].extra}]'"
            ) from None
        except TypeError as error:
            if kwargs and "argument" in str(error):
                raise EnvError(
                    f"env.kwargs {kwargs} do not fit {self.suite}_{self.name}: {error}."
                ) from None
            raise


def _builder(suite: str) -> Any:
    match suite:
        case "craftax":
            from reverie.envs.functional.craftax import build
        case "gymnax":
            from reverie.envs.functional.gymnax import build
        case "navix":
            from reverie.envs.functional.navix import build
        case "xminigrid":
            from reverie.envs.functional.xminigrid import build
        case "jumanji":
            from reverie.envs.functional.jumanji import build
        case "pgx":
            from reverie.envs.functional.pgx import build
        case "brax":
            from reverie.envs.functional.brax import build
        case "playground":
            from reverie.envs.functional.brax import build_playground as build
        case other:
            raise KeyError(other)
    return build
