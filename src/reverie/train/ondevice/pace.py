"""How much one call does: its most turns and updates, the seconds they take, their arithmetic."""

from typing import TYPE_CHECKING, Any

from reverie.envs.functional.game import Game
from reverie.machine.flops import count_flops, inner_jaxprs
from reverie.replay.rows import Columns
from reverie.train.learner import packed_step
from reverie.train.ondevice import outcome, script
from reverie.train.ondevice.chunk import Chunk

if TYPE_CHECKING:
    from reverie.train.loop import Run

SECONDS = 2.0
"""What a call with updates takes at most, about: signals and checkpoints wait for its end. How a
run is cut into calls changes no number."""


class Pace:
    """How many updates a call makes, so that it takes about `SECONDS`."""

    def __init__(self, most: int):
        self.updates, self._most = most, most

    def took(self, updates: int, seconds: float) -> None:
        """A call of so many updates took so long."""
        if updates:
            self.updates = max(1, min(int(SECONDS * updates / seconds), self._most))


def chunk_for(run: "Run", game: Game, columns: Columns) -> Chunk:
    """The program of a call that makes as many turns and updates as is worth it."""
    config, train = run.config, run.config.train
    due = abs(train.ratio * run.envs.num) * train.chunk / (train.batch * train.length)
    updates = 1 if script.lags(config) else max(1, min(script.UPDATES, int(due) + 2))
    look = outcome.look_of(run)
    return Chunk(game, config, run.envs.obs_specs, columns, look, train.chunk, updates)


def update_flops(jaxpr: Any) -> int:
    """Arithmetic of one update in the program of a call: of all seeds, where several make it."""
    found = []
    for equation in jaxpr.eqns:
        if equation.params.get("name") == packed_step.__name__:
            found.append(count_flops(equation.params["jaxpr"]))
        else:
            times = equation.params["length"] if equation.primitive.name == "scan" else 1
            found += [times * update_flops(inner) for inner in inner_jaxprs(equation.params)]
    return max(found, default=0)
