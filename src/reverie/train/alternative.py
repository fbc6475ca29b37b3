"""How long a run takes: with its own settings, and with those that its task could have instead."""

import functools as ft
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import jax

from reverie.config.alternative import alternative, updates_of
from reverie.config.schema import Config
from reverie.config.sizes import with_size
from reverie.machine.leaving import COMPILING
from reverie.records import Specs
from reverie.train.plan import duration, update_flops, update_seconds
from reverie.train.setup import replay_columns
from reverie.train.state import init

if TYPE_CHECKING:
    from reverie.train.loop import Run


class Cost(NamedTuple):
    """A whole run with some settings, predicted as `Plan` predicts the one that goes on."""

    size: str
    steps: int
    updates: float
    flops: int  # of one update
    seconds: float  # learning alone, on this machine

    def __str__(self) -> str:
        each = f"{self.updates:,.0f} updates of {self.flops / 1e9:,.1f} GFLOP"
        return f"about {duration(self.seconds)}: {self.steps:,} steps, {each}, size {self.size}"


def cost(config: Config, obs: Specs, actions: Specs, *, seeds: int = 1) -> Cost:
    """What a run of `config` in these spaces costs, for so many seeds at once.

    `device` must be resolved (`complete`), the size may be open. The update is traced on shapes,
    which takes seconds; nothing is allocated or compiled.
    """
    config = with_size(config, any(spec.kind == "image" for spec in obs.values()))
    state = jax.eval_shape(ft.partial(init, obs, actions, config), jax.random.key(0))
    flops = seeds * update_flops(config, state, replay_columns(config, obs, actions))
    updates = updates_of(config)
    shape = config.device.mesh_shape
    seconds = updates * update_seconds(config, flops // (1 if shape is None else shape.devices))
    return Cost(config.size, config.steps, updates, flops, seconds)


class Counting(NamedTuple):
    """The cost of another preset, which a thread is finding out."""

    preset: str
    cost: Future[Cost]

    def row(self) -> tuple[str, str]:
        """A line of the plan: how to get these settings, and what they cost."""
        error = self.cost.exception()
        found = self.cost.result() if error is None else f"its hours are not known ({error})"
        return f"--preset {self.preset}", str(found)


def beside(runs: Sequence["Run"]) -> Counting | None:
    """What the seeds of `runs` would cost with the other settings of their task, counted in a
    thread; None where it has none, or nobody reads it.

    Counting is seconds of Python, nothing beside a run and too long before it: so it begins when
    the run learns.
    """
    first = runs[0]
    unread = first.config.log.progress == "none" or first.peers.index
    other = None if unread else alternative(first.config)
    if other is None:
        return None
    other = replace(other, device=first.config.device)
    spaces = first.envs.obs_specs, first.envs.action_specs
    thread = ThreadPoolExecutor(1, thread_name_prefix=COMPILING)
    counting = Counting(other.preset, thread.submit(cost, other, *spaces, seeds=len(runs)))
    thread.shutdown(wait=False)
    return counting
