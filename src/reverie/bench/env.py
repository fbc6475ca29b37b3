"""`reverie bench env`: steps a second of an environment under random actions.

Five ways: one environment in a plain loop, which is the suite's own speed; `Vector` in this process
and with processes; and both with every row inserted into `Replay`, as in a run. A simulator that
allows one instance a process is not measured in this one twice.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from reverie.bench.options import EnvOptions
from reverie.bench.output import check_target, show, write_json
from reverie.bench.timing import median, spread
from reverie.config.presets import resolve
from reverie.config.schema import Config
from reverie.config.sizes import with_size
from reverie.envs.base import Env, EnvError
from reverie.envs.faults import contained
from reverie.envs.importing import task_name
from reverie.envs.make import make, maker
from reverie.envs.source import source_of
from reverie.envs.vector import Vector
from reverie.records import Specs
from reverie.replay.replay import Replay
from reverie.train.collect import row_of
from reverie.train.columns import columns_of

POOL = 256
"""Random actions that are drawn beforehand and taken one after the other."""

ROWS = 1_000
"""Rows that the replay keeps; when it is full the oldest go. So few that all its memory has been
touched soon: the first touch costs the operating system more than the copy (20 kB: up to 40 us)."""

WAYS = {
    "loop": "one environment, plain loop",
    "vector": "Vector, in this process",
    "vector_replay": "Vector, in this process, rows into replay",
    "processes": "Vector, processes",
    "processes_replay": "Vector, processes, rows into replay",
}
"""What is timed, by the key of the JSON."""

log = logging.getLogger("reverie.bench")

Turn = Callable[[], int]
"""One turn of a way; it returns the environment steps made."""


def run(options: EnvOptions) -> dict[str, float]:
    """Measure what `options` ask for, show it and write it: steps a second by way.

    Raises ConfigError for an unknown task or an impossible JSON file, EnvError for an environment
    that cannot be made.
    """
    target = check_target(options.json)
    config = resolve(task_name(options.task))
    with contained(), contextlib.ExitStack() as stack:
        turns = ways(config, options, stack)
        each = speeds(turns, options.seconds, options.repeats)
    found = {name: round(median(values), 1) for name, values in each.items()}
    share = max(found.get("vector_replay", 0.0), found["processes_replay"]) / found["loop"]
    _show(options, config, found, max(spread(values) for values in each.values()))
    numbers = {"task": options.task, "num": options.num, "workers": options.workers}
    numbers |= {"repeat": config.env.repeat}
    write_json(target, numbers | {"steps_per_s": found, "kept": round(share, 3)})
    return found


def speeds(turns: Mapping[str, Turn], seconds: float, repeats: int) -> dict[str, list[float]]:
    """Steps a second of several turns, measured by turns, there and back."""
    found: dict[str, list[float]] = {name: [] for name in turns}
    for number in range(repeats):
        for name in list(turns)[:: -1 if number % 2 else 1]:
            found[name].append(speed(turns[name], seconds))
    return found


def ways(config: Config, options: EnvOptions, stack: contextlib.ExitStack) -> dict[str, Turn]:
    """A turn of every way, by name; `stack` closes the environments."""
    source = source_of(options.task)
    source.check_kwargs({})
    task = source.make_env or source.task
    env = make(task, config.env)
    stack.callback(env.close)
    settings: dict[str, Any] = {"num": options.num, "seed": config.seed, "restarts": 0}
    settings["timeout"] = config.env.timeout
    seats = {"vector": {"parallel": False}, "processes": {"workers": options.workers}}
    turns = {"loop": loop_turn(env)}
    for name, where in seats.items():
        try:
            vector = Vector(maker(task, config.env), **settings, **where)
        except EnvError as error:
            if name == "processes":
                raise
            log.warning("not measured in this process: %s", error)
            continue
        stack.enter_context(vector)
        turns[name] = vector_turn(vector)
        turns[f"{name}_replay"] = vector_turn(vector, replay_for(vector, config))
    return turns


def speed(turn: Turn, seconds: float) -> float:
    """Steps a second over at least `seconds` of turns; a reset and a step before are not timed, so
    that nothing is compiled within."""
    for _ in range(2):
        turn()
    steps, begin = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - begin) < seconds:
        steps += turn()
    return steps / elapsed


def random_actions(specs: Specs, num: int, seed: int = 0) -> list[dict[str, np.ndarray]]:
    """POOL batches of uniformly drawn actions for `num` environments; 0: for one, without axis."""
    rng = np.random.default_rng(seed)
    lead = (num,) if num else ()
    return [
        {
            key: rng.integers(
                0, np.reshape(spec.classes, spec.shape), (*lead, *spec.shape), dtype=np.int32
            )
            if spec.kind == "discrete"
            else rng.uniform(-1, 1, (*lead, *spec.shape)).astype(np.float32)
            for key, spec in specs.items()
        }
        for _ in range(POOL)
    ]


def loop_turn(env: Env) -> Turn:
    """One step of one environment, or the reset that is due."""
    actions = random_actions(env.action_specs, 0)
    count, due = 0, True

    def turn() -> int:
        nonlocal count, due
        count += 1
        if due:
            env.reset(count)
            due = False
            return 0
        due = env.step(actions[count % POOL])[3]
        return 1

    return turn


def vector_turn(vector: Vector, replay: Replay | None = None) -> Turn:
    """One row of every environment, and into replay where there is one; resets are no steps."""
    actions = random_actions(vector.action_specs, vector.num)
    latent = {} if replay is None else blank_latents(replay)
    count = 0

    def turn() -> int:
        nonlocal count
        count += 1
        action = actions[count % POOL]
        vector.send(action)
        step = vector.recv()
        if replay is not None:
            replay.add(row_of(step, action, latent))
        return int(vector.num - step.is_first.sum())

    return turn


def replay_for(vector: Vector, config: Config) -> Replay:
    """A small replay with the columns of a run of `config`."""
    pictures = any(spec.kind == "image" for spec in vector.obs_specs.values())
    config = with_size(config, pictures)
    columns: Any = columns_of(vector.obs_specs, vector.action_specs, config)
    length = config.replay.context + config.train.length
    capacity = max(ROWS, vector.num * (length + 1))
    return Replay(columns, streams=vector.num, capacity=capacity, length=length)


def blank_latents(replay: Replay) -> dict[str, np.ndarray]:
    """Zeros for the columns that the agent would fill."""
    return {
        name: np.zeros((replay.streams, *column.shape), column.dtype)
        for name, column in replay.columns.items()
        if name.startswith("latent/")
    }


def _show(options: EnvOptions, config: Config, found: dict[str, float], widest: float) -> None:
    repeat = config.env.repeat
    rows = [
        (
            *(WAYS[name], str(1 if name == "loop" else options.num)),
            *(f"{s:,.0f}", f"{s * repeat:,.0f}", f"{s / found['loop']:.2f}"),
        )
        for name, s in found.items()
    ]
    note = f"random actions; repeats differ by up to ±{widest:.0%}"
    columns = ("", "environments", "agent steps\na second", "frames\na second", "of the loop's")
    show(f"{options.task} (repeat {repeat})", columns, rows, note)
