"""Small networks and sequences with random numbers, made without compiling anything."""

import dataclasses
import functools as ft
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from reverie.config.edit import apply
from reverie.config.schema import Config
from reverie.module import named_leaves
from reverie.records import Sequence, Spec, Specs
from reverie.train.state import Agent, TrainState, init
from reverie.world.rssm import RSSMConfig


def rssm(core: str = "block", latent: str = "categorical", **options: Any) -> RSSMConfig:
    """An RSSM whose options are named without the path of its core and its latents."""
    edits: dict[str, Any] = {"core": core, "latent": latent}
    inner = {"blocks": "core.blocks", "classes": "latent.classes", "deviation": "latent.deviation"}
    absent = {"core.blocks"} if core == "gru" else set()
    absent |= {"latent.classes"} if latent == "gaussian" else set()
    edits |= {inner.get(name, name): value for name, value in options.items()}
    return apply(RSSMConfig(), edits, optional=absent)


def columns(rows: Sequence) -> dict[str, Any]:
    """Sequences as replay's columns."""
    parts = {"obs": rows.obs, "action": rows.action, "latent": rows.latent or {}}
    found = {f"{part}/{key}": x for part, named in parts.items() for key, x in named.items()}
    flags = ("reward", "is_first", "is_last", "is_terminal")
    return found | {name: getattr(rows, name) for name in flags}


def filled(build: Callable, *args: Any, seed: int = 0, **kwargs: Any) -> Any:
    """`build(*args, key=…, **kwargs)` whose kernels, biases and scales are random.

    Kernels are small and scales near one, so that numbers stay moderate; nothing is left at a
    neutral value that could hide its absence.
    """
    shape = jax.eval_shape(lambda key: ft.partial(build, *args, **kwargs)(key=key), KEY)
    rng = np.random.default_rng(seed)
    leaves = [jnp.asarray(random_leaf(rng, *pair)) for pair in named_leaves(shape).items()]
    return jax.tree.unflatten(jax.tree.structure(shape), leaves)


KEY = jax.random.key(0)


def random_leaf(rng: np.random.Generator, name: str, leaf: Any) -> np.ndarray:
    if name.endswith("kernel"):
        value = rng.normal(size=leaf.shape) / max(np.prod(leaf.shape[:-1]), 1) ** 0.5
    elif name.endswith("scale"):
        value = 1.0 + 0.2 * rng.normal(size=leaf.shape)
    else:
        value = 0.2 * rng.normal(size=leaf.shape)
    return value.astype(leaf.dtype)


def fresh_state(obs: Specs, actions: Specs, config: Config, seed: int = 0) -> TrainState:
    """A train state before its first update, with random networks; nothing is compiled for it."""
    shape = jax.eval_shape(lambda key: init(obs, actions, config, key), KEY)
    zeros = jax.tree.map(lambda leaf: jnp.asarray(np.zeros(leaf.shape, leaf.dtype)), shape)
    agent = filled(Agent, obs, actions, config, seed=seed)
    slow = jax.tree.map(lambda x: x + 0.0, agent.critic)
    state = dataclasses.replace(zeros, agent=agent, slow_critic=slow)
    if state.memory is None or agent.explorer is None:
        return state
    slow = jax.tree.map(lambda x: x + 0.0, agent.explorer.critic)
    memory = dataclasses.replace(state.memory, slow_critic=slow)
    return dataclasses.replace(state, memory=memory)


def stored(
    obs: Specs, actions: Specs, config: Config, *, batch: int, rows: int, seed: int = 0
) -> Sequence:
    """Random sequences in the form in which replay stores them, episode borders included."""
    rng, shape = np.random.default_rng(seed), (batch, rows)

    def column(spec: Spec) -> np.ndarray:
        full = (*shape, *spec.shape)
        if spec.kind == "image":
            return rng.integers(0, 256, full).astype(np.uint8)
        if spec.kind == "discrete":
            classes = np.asarray(spec.classes).reshape(spec.shape)
            return (rng.random(full) * classes).astype(np.int32)
        return rng.normal(size=full).astype(np.float32)

    last = rng.random(shape) < 0.25
    first = np.concatenate([np.ones((batch, 1), bool), last[:, :-1]], 1)
    deter = rng.normal(size=(*shape, config.world.dynamics.deter)).astype(np.float32)
    stoch = rng.integers(
        0, config.world.dynamics.latent.classes, (*shape, config.world.dynamics.stoch)
    ).astype(np.uint8)
    return Sequence(
        obs={key: column(spec) for key, spec in obs.items()},
        action={key: column(spec) for key, spec in actions.items()},
        reward=rng.normal(size=shape).astype(np.float32),
        is_first=first,
        is_last=last,
        is_terminal=last & (rng.random(shape) < 0.5),
        latent={"deter": jnp.asarray(deter, jnp.bfloat16), "stoch": stoch},
    )
