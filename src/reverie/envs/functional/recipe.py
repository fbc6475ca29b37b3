"""From the name of a JAX-native task to its copies, or to one of them. Imports no JAX itself."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverie.envs import registry
from reverie.envs.base import Env, EnvError, Split
from reverie.envs.options import EnvConfig

if TYPE_CHECKING:
    from reverie.envs.functional.crew import CompiledCrew
    from reverie.envs.functional.game import Game


@dataclass(frozen=True)
class Compiled:
    """A recipe for environments that are stepped together, in one compiled call.

    Called, it makes a single one, like any other recipe; `Vector` asks for the `crew` instead.
    """

    suite: str
    name: str
    config: EnvConfig
    split: Split = "train"

    def __call__(self) -> Env:
        """One environment. Raises EnvError as `make` does."""
        from reverie.envs.functional.crew import One

        return One(self._game(), self.config, [])

    def crew(self, num: int) -> "CompiledCrew":
        """`num` environments for a `Vector`. Raises EnvError as `make` does."""
        from reverie.envs.functional.crew import CompiledCrew

        return CompiledCrew(self._game(), self.config, num, [])

    def _game(self) -> "Game":
        from reverie.envs.functional.game import Game

        made = registry.build(self.suite, self.name, self.config, self.split)
        if not isinstance(made, Game):
            raise EnvError(
                f"{self.suite}_{self.name} is JAX-native by its suite's row, and its builder "
                f"returned a {type(made).__name__}; expected a reverie.envs.functional.game.Game."
            )
        return made
