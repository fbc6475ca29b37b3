"""What a run is set up from: its environments, its complete configuration, its empty replay."""

import dataclasses
from pathlib import Path
from typing import Any

import jax

from reverie.config.mesh import nearest
from reverie.config.schema import Config
from reverie.config.sizes import with_size
from reverie.envs.make import maker
from reverie.envs.vector import Vector
from reverie.part.errors import ConfigError
from reverie.records import Specs
from reverie.replay.replay import Replay
from reverie.replay.shares import AnyReplay, Shares, seed_of
from reverie.replay.unit import Demand
from reverie.train import sequence
from reverie.train.columns import columns_of
from reverie.train.forms import resolve_device
from reverie.train.peers import ALONE, Peers
from reverie.train.sequence import MakeEnv, Visit


def training_envs(
    config: Config, make_env: MakeEnv, logdir: Path, visit: Visit, *, peers: Peers = ALONE
) -> Vector:
    """The environments that experience comes from during a visit to a task: this process's own."""
    num, index = config.env.num // peers.count, peers.index
    return Vector(
        maker(sequence.source(visit.task, make_env), config.env),
        num=num,
        first_index=index * num,
        first_seed=index * num,
        seed=config.seed,
        stream=visit.stream,
        parallel=config.env.parallel,
        backend=config.env.backend,
        workers=-(-config.env.workers // peers.count),
        timeout=config.env.timeout,
        restarts=config.env.restarts,
        log_file=logdir / (f"simulators-{index}.log" if index else "simulators.log"),
    )


def complete(config: Config, envs: Vector, peers: Peers = ALONE) -> Config:
    """`config` with everything filled in that only the environments and the device know.

    Raises ConfigError where so many processes cannot share out its replay.
    """
    config = with_shares(config, peers.count)
    pictures = any(spec.kind == "image" for spec in envs.obs_specs.values())
    config = with_size(config, pictures)
    device = resolve_device(config.device, jax.default_backend())
    return dataclasses.replace(config, device=device)


def with_shares(config: Config, processes: int) -> Config:
    """`config` with a share of the replay for every one of so many processes, at least.

    Raises ConfigError where they cannot keep as many each.
    """
    shares = config.replay.shares
    if shares == 1 < processes:
        shares = processes
    if shares % processes:
        raise ConfigError(
            f"replay.shares ({shares}) must be a multiple of the processes that learn together "
            f"({processes}): give --replay.shares {shares * processes}, or as many processes as "
            f"{' or '.join(map(str, nearest(processes, shares)))}."
        )
    replay = dataclasses.replace(config.replay, shares=shares)
    return dataclasses.replace(config, replay=replay)


def make_replay(config: Config, envs: Vector, peers: Peers = ALONE) -> AnyReplay:
    """An empty replay, no larger than the rows that the run will ever insert: of this process."""
    columns = replay_columns(config, envs.obs_specs, envs.action_specs)
    shares = config.replay.shares
    if shares == 1:
        return Replay(columns, **replay_arguments(config, envs.num))
    here = shares // peers.count
    arguments = replay_arguments(config, envs.num // here)
    first = peers.index * here
    seeds = [seed_of(config.seed, index) for index in range(first, first + here)]
    return Shares(
        [Replay(columns, **dict[str, Any](arguments, seed=seed)) for seed in seeds], first
    )


def replay_columns(config: Config, obs: Specs, actions: Specs) -> dict[str, Any]:
    """Columns of the rows that a run stores."""
    return columns_of(obs, actions, config) | task_label(config)


def replay_arguments(config: Config, envs: int) -> dict[str, Any]:
    """How the replay of a run, or a share of it, with so many environments is laid out and drawn
    from."""
    shares = config.replay.shares
    length = config.replay.context + config.train.length
    steps = -(-config.steps // (envs * shares)) + length + 1
    return {
        "streams": envs,
        "capacity": -(-replay_rows(config, steps * envs * shares) // shares),
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
