"""Scores brought up to date without training: the whole replay seen by today's model."""

import functools as ft
from typing import Any

import jax
import numpy as np

from reverie.config.schema import Config
from reverie.nn.layers import to_compute
from reverie.replay.shares import AnyReplay
from reverie.train.learner import purpose_key, to_sequence
from reverie.train.losses import compute_dtype, draw_noise
from reverie.train.scores import surprise
from reverie.train.state import Agent
from reverie.world.model import split_context, unpack

SWEEP = 97
"""Purpose that the root key is folded with."""


def window_scores(agent: Agent, rows: dict[str, Any], key: Any, *, config: Config) -> Any:
    """Surprise (B, T) of the rows after the context, from the stored latent on, nats."""
    dtype = compute_dtype(config.device.precision)
    sequence = unpack(to_sequence(rows), config.world, dtype)
    size, length = sequence.reward.shape
    noise = draw_noise(agent, size, length - config.replay.context, config, key)
    world = to_compute(agent, dtype).world
    trained, action, start = split_context(sequence, config.replay.context)
    observed = world.observe(start, trained.obs, action, trained.is_first, noise.post)
    return surprise(world, observed)


class Sweep:
    """Every `sweep_every` updates: new scores for at most `sweep_windows` windows.

    They lie evenly over the replay, from another offset each time. A sweep costs the forward pass
    of `sweep_windows` / batch updates.

    Source: replay-sampling.md §2.4, the defensible reading of `uncertainty_caching`.
    Deviations from the published code, which cannot have worked: trained parameters instead of
    fresh ones, KL of the posterior from the prior instead of between one-hot samples, all rows of
    a window instead of its second, stored context.
    """

    def __init__(self, config: Config):
        self._config = config
        self._root = purpose_key(config.seed, SWEEP)
        self._score = jax.jit(ft.partial(window_scores, config=config))

    def due(self, updates: int) -> bool:
        """Whether to sweep after so many updates."""
        every, _ = self._config.replay.signal.sweep
        return every > 0 and updates % every == 0

    def __call__(self, agent: Agent, replay: AnyReplay, updates: int) -> None:
        """Score windows of `replay` with `agent`; which ones follows from `updates`."""
        batch, context = self._config.train.batch, self._config.replay.context
        num = replay.num_windows
        count = min(num, self._config.replay.signal.sweep[1])
        count = max(batch, count // batch * batch)
        key = jax.random.fold_in(self._root, updates)
        offset = np.random.default_rng([SWEEP, self._config.seed, updates]).random()
        ordinals = ((np.arange(count) + offset) * num / count).astype(np.int64)
        for part in np.split(ordinals, count // batch):
            rows, ticket = replay.windows(part)
            score = np.asarray(self._score(agent, rows, jax.random.fold_in(key, int(part[0]))))
            replay.rescore(ticket, score.astype(np.float32), offset=context)
