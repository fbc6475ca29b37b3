"""What a run is set up from: its environments, its complete configuration, its empty replay."""

import dataclasses
from pathlib import Path
from typing import Any

import jax

from reverie.config.schema import Config
from reverie.config.sizes import with_size
from reverie.envs.make import maker
from reverie.envs.vector import Vector
from reverie.records import Specs
from reverie.replay.replay import Replay
from reverie.replay.unit import Demand
from reverie.train import sequence
from reverie.train.columns import columns_of
from reverie.train.forms import resolve_device
from reverie.train.sequence import MakeEnv, Visit


def training_envs(config: Config, make_env: MakeEnv, logdir: Path, visit: Visit) -> Vector:
    """The environments that experience comes from during a visit to a task."""
    return Vector(
        maker(sequence.source(visit.task, make_env), config.env),
        num=config.env.num,
        seed=config.seed,
        stream=visit.stream,
        parallel=config.env.parallel,
        backend=config.env.backend,
        workers=config.env.workers,
        timeout=config.env.timeout,
        restarts=config.env.restarts,
        log_file=logdir / "simulators.log",
    )


def complete(config: Config, envs: Vector) -> Config:
    """`config` with everything filled in that only the environments and the device know."""
    pictures = any(spec.kind == "image" for spec in envs.obs_specs.values())
    config = with_size(config, pictures)
    device = resolve_device(config.device, jax.default_backend())
    return dataclasses.replace(config, device=device)


def make_replay(config: Config, envs: Vector) -> Replay:
    """An empty replay, no larger than the rows that the run will ever insert."""
    columns = replay_columns(config, envs.obs_specs, envs.action_specs)
    return Replay(columns, **replay_arguments(config, envs.num))


def replay_columns(config: Config, obs: Specs, actions: Specs) -> dict[str, Any]:
    """Columns of the rows that a run stores."""
    return columns_of(obs, actions, config) | task_label(config)


def replay_arguments(config: Config, envs: int) -> dict[str, Any]:
    """How the replay of a run with so many environments is laid out and drawn from."""
    length = config.replay.context + config.train.length
    steps = -(-config.steps // envs) + length + 1
    return {
        "streams": envs,
        "capacity": replay_rows(config, steps * envs),
        "inserts": steps * envs,
        "length": length,
        "seed": config.seed,
        "online": config.replay.online,
        "options": config.replay,
        "chunk": config.replay.chunk,
        "gigabytes": config.replay.gigabytes,
    }


def replay_rows(config: Config, inserted: int) -> int:
    """Room for rows that the replay needs if `inserted` ever come."""
    replay, window = config.replay, config.train.length + 1
    demand = Demand(config.env.num, replay.capacity, window, replay.draw.pieces)
    return replay.unit.room(inserted, demand)


def task_label(config: Config) -> dict[str, Any]:
    """The column that tells the tasks of a sequence apart: for statistics, not for the agent."""
    return {"task": ((), "uint16")} if config.sequence.tasks else {}
