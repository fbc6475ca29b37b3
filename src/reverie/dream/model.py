"""The learned networks of a run, whole: what observes, dreams, acts and judges."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax

from reverie.behavior.explore import Explorer
from reverie.behavior.policy import Acting
from reverie.config.schema import Config
from reverie.folder import shared
from reverie.folder.errors import RunError
from reverie.module import Module, count_params
from reverie.nn.heads import Actor, NumberHead
from reverie.nn.layers import to_compute
from reverie.part.needs import ENSEMBLE
from reverie.records import Specs, specs_from_json
from reverie.train import agent, checkpoint, state
from reverie.train.arrays import from_host
from reverie.train.losses import compute_dtype
from reverie.world.model import WorldModel

LEARNED = "agent"
"""Where the networks stand among the arrays of a saved learner."""


class Model(Module):
    """The networks in the compute dtype; the numbers are those that `Agent` acts by."""

    world: WorldModel
    actor: Actor
    critic: NumberHead
    explorer: Explorer | None

    def acting(self) -> Acting:
        """The part that acts."""
        explorer = None if self.explorer is None else self.explorer.actor
        return Acting.of(self.world, self.actor, explorer)


class Loaded(NamedTuple):
    """A checkpoint as the inspector uses it."""

    model: Model
    observations: Specs
    actions: Specs
    config: Config
    replay: Mapping[str, Any]  # the manifest of the rows that were there
    step: int  # environment steps before it was saved
    parameters: int  # numbers that the agent learned

    @property
    def decodes(self) -> bool:
        """Whether the objective can tell how a state looks."""
        objective, model = self.config.world.objective, self.model.world.objective
        zero = self.model.world.dynamics.initial(1, self.model.world.dynamics.dtype)
        view = self.model.world.dynamics.view(zero)
        return jax.eval_shape(objective.observations, model, view) is not None

    @property
    def disagrees(self) -> bool:
        """Whether there is an ensemble whose members may disagree."""
        return ENSEMBLE in self.config.explore.offers()


def load(logdir: Path, config: Config, path: Path) -> Loaded:
    """The networks of the checkpoint `path`; it runs none of the folder's code.

    Args:
        logdir: run folder.
        config: what `stranger.read` made of the folder's.

    Raises RunError where the checkpoint cannot be read, or is of another configuration.
    """
    if shared.is_shared(logdir):
        raise RunError(
            f"{logdir} is a shared agent: it holds no replay, whose episodes the inspector opens; "
            "name the run folder that it came from."
        )
    saved = agent.read(logdir, path)
    with checkpoint.reading(path):
        obs, actions = (specs_from_json(saved["specs"][side]) for side in ("obs", "action"))
        shape = jax.eval_shape(
            lambda key: state.init(obs, actions, config, key).agent, jax.random.key(0)
        )
        arrays = saved["learner"]["state"].items()
        own = {name: array for name, array in arrays if name.startswith(f"{LEARNED}.")}
        nets = from_host({LEARNED: shape}, own)[LEARNED]
        told = {"replay": saved["replay"], "step": saved["clocks"]["step"]}
    told["parameters"] = count_params(nets)
    nets = to_compute(nets, compute_dtype(config.device.precision))
    model = Model(nets.world, nets.actor, nets.critic, nets.explorer)
    return Loaded(model, obs, actions, config, **told)
