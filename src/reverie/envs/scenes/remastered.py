"""DMC-Remastered over today's dm_control: every episode builds the model anew with another look."""

import functools as ft
from typing import Any

import gymnasium
import numpy as np

from reverie.envs.ahead import Ahead
from reverie.envs.base import Split
from reverie.envs.dmc import ControlTask, camera_of, load, split_task
from reverie.envs.options import EnvConfig
from reverie.envs.scenes import looks

HELD_OUT = 1_000_000
"""Visual seeds that only evaluation draws from, right after those of training."""


class Remastered:
    """Scene of one domain: visual seed and dynamics seed follow from the episode's seed.

    Args:
        first: smallest visual seed.
        last: largest visual seed.
        visual_seed: one look for all episodes instead; 0 is DM Control's own.
        dynamics_seed: one initial state for all episodes instead.
    """

    def __init__(
        self,
        domain: str,
        config: EnvConfig,
        *,
        first: int,
        last: int,
        visual_seed: int | None = None,
        dynamics_seed: int | None = None,
    ):
        self._domain, self._options = domain, config.remastered
        self._first, self._last = first, last
        self._fixed = visual_seed, dynamics_seed

    def seeds(self, seed: int) -> tuple[int, int]:
        """Visual seed and dynamics seed of an episode."""
        rng = np.random.default_rng(seed)
        drawn = (
            int(rng.integers(self._first, self._last + 1)),
            int(rng.integers(1, self._options.dynamics_seeds + 1)),
        )
        visual, dynamics = (
            one if fixed is None else fixed for one, fixed in zip(drawn, self._fixed, strict=True)
        )
        return visual, dynamics

    def begin(self, env: Any, seed: int) -> None:
        """Rebuild the physics with the episode's look, and seed the initial state.

        The dynamics seed decides the initial state only, as published: no constant of the physics
        changes.
        """
        from dm_control import suite

        visual, dynamics = self.seeds(seed)
        factors = self._options.factors if visual else ()
        look = looks.draw(self._domain, visual, factors, self._options.photos)
        source = getattr(suite, self._domain).get_model_and_assets()
        env.physics.reload_from_xml_string(*looks.write(self._domain, look, *source))
        env.task.random.seed(dynamics)

    def paint(self, picture: np.ndarray) -> np.ndarray:
        """The picture itself."""
        return picture

    def advance(self) -> None:
        """Nothing moves by itself."""


def build(
    name: str, config: EnvConfig, split: Split, /, **kwargs: Any
) -> tuple[gymnasium.Env, list[str]]:
    """The environment of `dmcr_NAME`. The next episode is built ahead in a thread.

    With `env.split` "same" training and evaluation draw from the same visual seeds, as published;
    with "held_out" evaluation draws from seeds that training never sees (our addition).
    """
    domain, task = split_task(name)
    count = config.remastered.visual_seeds
    held_out = split == "eval" and config.split == "held_out"
    first, last = (count + 1, count + HELD_OUT) if held_out else (1, count)
    make_one = ft.partial(_task, domain, task, config, first=first, last=last, **kwargs)
    return Ahead(make_one), [f"Looks: visual seeds {first} to {last}, a new one every episode."]


def _task(domain: str, task: str, config: EnvConfig, **options: Any) -> gymnasium.Env:
    scene = Remastered(domain, config, **options)
    return ControlTask(load(domain, task), config, camera=camera_of(domain, config), scene=scene)
