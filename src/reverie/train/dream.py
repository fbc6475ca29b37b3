"""What the model makes of replayed sequences: open-loop predictions for videos and curves, and how
much of each observation its latents tell."""

import functools as ft
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from reverie.config.schema import Config
from reverie.nn.axes import fold
from reverie.nn.layers import to_compute
from reverie.records import component_names
from reverie.train.learner import to_sequence
from reverie.train.losses import compute_dtype
from reverie.train.state import Agent
from reverie.watch.advice import EXPLAINED
from reverie.world.model import split_context, unpack
from reverie.world.openloop import decode_means, nearest, open_loop
from reverie.world.options import WorldConfig

SEQUENCES = 6
"""Sequences of an open-loop report."""


class Foreseen(NamedTuple):
    """What the model made of every row (B, T) before it saw it."""

    kl: Any  # of the posterior from the prior, nats
    reward: Any  # as the agent learns it
    guess: Any  # the reward that it predicts


class Prediction(NamedTuple):
    """What the model makes of sequences."""

    shown: dict[str, Any]
    """Observations (B, T, …): the first half from the posterior, then open loop. Where the
    objective cannot tell how a state looks, those of the nearest states of the same rows."""
    explained: dict[str, Any]
    """How much of each observation the posterior tells, by key (`AbstractObjective.explained`)."""
    foreseen: Foreseen


@ft.partial(jax.jit, static_argnames=("options", "context", "precision"))
def predict(
    agent: Agent,
    rows: dict[str, Any],
    key: Any,
    *,
    options: WorldConfig,
    context: int,
    precision: str,
) -> Prediction:
    """Predicted observations, and what the latents tell of the true ones.

    Told no more of the configuration than this: runs that differ in the rest share the program.
    """
    dtype = compute_dtype(precision)
    world = to_compute(agent.world, dtype)
    sequence = unpack(to_sequence(rows), options, dtype)
    trained, action, start = split_context(sequence, context)
    noise = agent.world.dynamics.noise(key, trained.reward.shape)
    observed = trained.reward.shape[1] // 2
    inputs = trained.obs, action, trained.is_first
    dream = open_loop(world, start, *inputs, noise=noise, observed=observed)
    seen = world.observe(start, *inputs, noise)
    known = seen.state
    shown = decode_means(world, options.objective, dream.state)
    if shown is None:
        shown = nearest(world, dream.state, known, trained.obs)
    view = fold(world.dynamics.view(known))
    true = world.encoder.units(fold(trained.obs))
    told = options.objective.explained(world.objective, view, true)
    surprise = world.dynamics.surprise(seen.post, seen.prior)
    guess = world.reward(world.feature(known)).mean()
    return Prediction(shown, told, Foreseen(surprise, trained.reward, guess))


def report(
    agent: Agent, rows: Mapping[str, Any], step: int, *, key: Any, config: Config, logger: Any
) -> dict[str, float]:
    """Write the dreams of one draw of the replay: a video for each image key, curves for vectors.

    `rows`: columns (B, context + T, …) as `Replay.peek` returns them. Returns metrics: how much of
    each observation key the latents tell, where it varies in these rows.
    """
    context = config.replay.context
    found = predict(
        agent,
        dict(rows),
        key,
        options=config.world,
        context=context,
        precision=config.device.precision,
    )
    predicted = jax.tree.map(np.asarray, found)
    preds = predicted.shown
    truth = {k: np.asarray(rows[f"obs/{k}"])[:, context:] for k in preds}
    observed = next(iter(truth.values())).shape[1] // 2 if truth else 0
    vectors = {}
    for name, pred in preds.items():
        if pred.dtype == np.uint8:
            logger.dream(step, name, truth[name], pred, context=observed)
        else:
            vectors[name] = (flat(truth[name]), flat(pred))
    if vectors:
        names = [
            name for key, pair in vectors.items() for name in component_names(key, pair[0].shape[1])
        ]
        both = [np.concatenate([pair[side] for pair in vectors.values()], 1) for side in (0, 1)]
        logger.curves(step, *both, context=observed, names=names)
    told = {f"{EXPLAINED}{key}": float(share) for key, share in predicted.explained.items()}
    return {name: share for name, share in told.items() if np.isfinite(share)}


def flat(values: np.ndarray) -> np.ndarray:
    """The first sequence as (T, numbers)."""
    return values[0].reshape(values.shape[1], -1).astype(np.float32)
