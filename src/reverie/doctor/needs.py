"""What a training run would take, from shapes alone: nothing is compiled or allocated."""

import functools as ft
from dataclasses import replace
from typing import NamedTuple

import jax
import numpy as np

from reverie.config.alternative import updates_of
from reverie.config.schema import Config
from reverie.config.sizes import with_size
from reverie.module import count_params
from reverie.records import Specs
from reverie.replay.rows import row_bytes
from reverie.replay.store import available_bytes
from reverie.train import plan
from reverie.train.forms import resolve_device
from reverie.train.setup import replay_columns, replay_rows
from reverie.train.state import init


class Needs(NamedTuple):
    """Predicted needs of a whole run of `config.steps` environment steps."""

    size: str  # model size
    params: int
    replay_bytes: int  # host memory of the full replay
    learner_bytes: int  # device memory of weights, optimiser and batch; activations come on top
    disk_bytes: int  # replay files and checkpoints
    updates: float
    learn_seconds: float  # at the matrix speed of this machine
    env_seconds: float  # stepping alone, at the measured speed
    free_bytes: int | None  # host memory that is free now

    def rows(self) -> list[tuple[str, str]]:
        """Lines for the terminal: what, how much."""
        free = "" if self.free_bytes is None else f"; {plan.size(self.free_bytes)} are free"
        return [
            ("model", f"{self.size}, {self.params:,} parameters"),
            ("host memory", f"{plan.size(self.replay_bytes)} for the full replay{free}"),
            ("device memory", f"{plan.size(self.learner_bytes)} and the activations of an update"),
            ("disk", f"{plan.size(self.disk_bytes)} when the run is full"),
            ("learning", f"{self.updates:,.0f} updates, about {plan.duration(self.learn_seconds)}"),
            ("stepping", f"about {plan.duration(self.env_seconds)}, beside the learning"),
        ]


def complete(config: Config, obs_specs: Specs) -> Config:
    """`config` with the size that the observations ask for and the precision of the device."""
    pictures = any(spec.kind == "image" for spec in obs_specs.values())
    config = with_size(config, pictures)
    return replace(config, device=resolve_device(config.device, jax.default_backend()))


def predict(config: Config, obs_specs: Specs, action_specs: Specs, speed: float) -> Needs:
    """Needs of a run; `config` is complete. `speed`: environment steps a second.

    Raises ConfigError or EnvError where the networks cannot take the observations.
    """
    train = config.train
    columns = replay_columns(config, obs_specs, action_specs)
    state = jax.eval_shape(ft.partial(init, obs_specs, action_specs, config), jax.random.key(0))
    flops, updates = plan.update_flops(config, state, columns), updates_of(config)
    replay = replay_rows(config, config.steps) * row_bytes(columns)
    weights = sum(int(np.prod(x.shape)) * _itemsize(x) for x in jax.tree.leaves(state))
    batch = train.batch * (config.replay.context + train.length) * row_bytes(columns)
    return Needs(
        size=config.size,
        params=count_params(state.agent),
        replay_bytes=replay,
        learner_bytes=weights + batch,
        disk_bytes=replay + (train.keep + 1) * weights,
        updates=updates,
        learn_seconds=updates * plan.update_seconds(config, flops),
        env_seconds=config.steps / speed,
        free_bytes=available_bytes(),
    )


def _itemsize(leaf: jax.ShapeDtypeStruct) -> int:
    return int(leaf.dtype.itemsize)
