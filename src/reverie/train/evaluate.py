"""Episodes without learning: during a run, after it, and from Python."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from reverie.behavior.policy import ActCarry, Acting
from reverie.config.reader import as_read
from reverie.config.schema import Config
from reverie.envs.make import maker
from reverie.envs.vector import Vector
from reverie.records import Spec, Specs, Step, specs_from_json
from reverie.train import checkpoint, recovery, sequence, snapshot, stranger
from reverie.train.collect import Actor, Episodes
from reverie.train.errors import RunError
from reverie.train.film import Film
from reverie.train.learner import EVAL, acting_from_host, acting_of, purpose_key
from reverie.train.state import init

MINUTE = 60.0

log = logging.getLogger("reverie.train")


def play(
    acting: Acting,
    envs: Vector,
    actor: Actor,
    episodes: int,
    *,
    film: bool = False,
    stop: Callable[[], object] = lambda: False,
) -> tuple[dict[str, float], np.ndarray | None] | None:
    """Play `episodes` episodes, the same ones at every call; statistics, frames of the first one.

    Each environment plays an equal number (the first ones one more), whatever their length, so
    that short episodes are not preferred. None as soon as `stop` says so.
    """
    envs.rewind()
    actor.reset()
    restarted, patience = envs.restarted, Patience(envs.num)
    share = np.array([len(part) for part in np.array_split(np.arange(episodes), envs.num)])
    done, results = np.zeros(envs.num, int), []
    count, camera, frames = Episodes(envs.num), Film(wanted=film), None
    while (done < share).any():
        if stop():
            return None
        envs.send(actor.action)
        step = envs.recv()
        patience(step)
        actor(acting, step)
        shown = camera.add(envs, step, render=True)
        frames = shown if frames is None else frames
        for index, result in zip(np.flatnonzero(step.is_last), count.add(step), strict=True):
            if done[index] < share[index]:
                results.append(result)
            done[index] += 1
    return statistics(results) | {"eval/restarts": float(envs.restarted - restarted)}, frames


class Patience:
    """Says once a minute that no episode ends, and which option helps. `num`: environments E."""

    def __init__(self, num: int, clock: Callable[[], float] = time.monotonic):
        self._clock, self._steps = clock, np.zeros(num, np.int64)
        self._begin = self._told = clock()

    def __call__(self, step: Step) -> None:
        """Take in one row of every environment."""
        now = self._clock()
        self._steps = np.where(step.is_first, 0, self._steps + 1)
        if step.is_last.any():
            self._begin = self._told = now
        elif now - self._told >= MINUTE:
            self._told = now
            log.warning(
                "The evaluation has been waiting for the end of an episode for %.0f minutes, the "
                "longest one is at step %s: if it never ends, give it a limit with --env.limit N.",
                *((now - self._begin) / MINUTE, f"{self._steps.max():,}"),
            )


def statistics(results: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Metrics of episodes, each described by `Episodes.add`: means, and the spread of returns."""
    columns = {name: np.array([row[name] for row in results], np.float64) for name in results[0]}
    return {
        "eval/return": float(columns.pop("return").mean()),
        "eval/return_std": float(np.std([row["return"] for row in results])),
        "eval/length": float(columns.pop("length").mean()),
        "eval/episodes": float(len(results)),
    } | {f"eval/{name}": float(value.mean()) for name, value in columns.items()}


def eval_envs(
    config: Config,
    source: str | Callable,
    *,
    num: int,
    seed: int,
    first_index: int,
    log_file: Path | None = None,
) -> Vector:
    """Environments for evaluation; their episodes are the same at every evaluation, and they are
    watched over as those of the training are.

    `source` is a task's name, or the callable that makes its environment. They are told the numbers
    from `first_index` on.
    """
    return Vector(
        maker(source, config.env, render=True, split="eval"),
        num=num,
        seed=seed,
        stream="eval",
        first_index=first_index,
        parallel=config.env.parallel,
        workers=config.env.workers,
        timeout=config.env.timeout,
        restarts=config.env.restarts,
        log_file=log_file,
    )


def by_explorer(config: Config) -> bool:
    """Whether evaluations watch the explorer instead of the task's actor."""
    return config.explore.evaluated


class Evaluator:
    """The evaluations of a run. The environments of each task open at the first one and stay."""

    def __init__(self, config: Config, make_env: sequence.MakeEnv, log_file: Path):
        self._config, self._make_env, self._log_file = config, make_env, log_file
        self._opened: dict[str, tuple[Vector, Actor]] = {}

    def check_tasks(self, first: Vector) -> None:
        """Open all tasks of a sequence now, so that none can fail after hours of learning; one task
        too if its environments run in this process, where two may be the same one.

        Raises RunError where one has other spaces than the environments of the `first` task.
        """
        there = {"obs": first.obs_specs, "action": first.action_specs}
        tasks = self._config.sequence.tasks
        if not self._config.train.eval_episodes or not (tasks or first.here):
            return
        for task in sequence.evaluated(self._config):
            if task not in self._opened:
                self._opened[task] = self._open(task)
            envs = self._opened[task][0]
            here = {"obs": envs.obs_specs, "action": envs.action_specs}
            if tasks:
                sequence.check_same_spaces(task, here, tasks[0], there)

    def __call__(
        self, acting: Acting, *, stop: Callable[[], object], watch: str | None = None
    ) -> tuple[dict[str, float], np.ndarray | None] | None:
        """What `play` says of as many episodes as the configuration asks for.

        In a sequence every task is played, past and future ones and `sequence.tests` too:
        `eval/return` is their mean, `eval/return/TASK` the return of each. The frames are those of
        the task `watch`.
        """
        config = self._config
        tasks = sequence.evaluated(config)
        played = {}
        for task in tasks:
            if task not in self._opened:
                self._opened[task] = self._open(task)
            film = watch is None or task == watch
            count = config.train.eval_episodes
            played[task] = play(acting, *self._opened[task], count, film=film, stop=stop)
            if played[task] is None:
                return None
        frames = next((shown for _, shown in played.values() if shown is not None), None)
        if not config.sequence.tasks:
            return played[tasks[0]][0], frames
        return over_tasks({task: numbers for task, (numbers, _) in played.items()}), frames

    def _open(self, task: str) -> tuple[Vector, Actor]:
        config = self._config
        source = sequence.source(task, self._make_env)
        num = max(1, min(config.train.eval_envs, config.train.eval_episodes))
        first = config.env.num + num * sequence.evaluated(config).index(task)
        how = {"seed": config.seed, "first_index": first, "log_file": self._log_file}
        envs = eval_envs(config, source, num=num, **how)
        key = purpose_key(config.seed, EVAL)
        how = {"greedy": config.train.eval_greedy, "explore": by_explorer(config)}
        return envs, Actor(envs.action_specs, num, key, **how)

    def close(self) -> None:
        """End the environments."""
        for envs, _ in self._opened.values():
            envs.close()


def over_tasks(numbers: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Means of the evaluation metrics over tasks, and the return and length of each task."""
    first = next(iter(numbers.values()))
    means = {name: float(np.mean([part[name] for part in numbers.values()])) for name in first}
    for name in ("eval/episodes", "eval/restarts"):
        means[name] = float(sum(part[name] for part in numbers.values()))
    logged = [name for name in first if name.startswith("eval/log/")]
    for name in ("eval/return", "eval/length", *logged):
        means |= {sequence.per_task(name, task): part[name] for task, part in numbers.items()}
    return means


class Agent:
    """A trained policy to act with: `action, carry = agent.act(obs, carry)`.

    Observations are as the run's environments give them through Reverie (`obs_specs`); for one
    environment without a leading axis, or for N at once with one.
    """

    def __init__(self, acting: Acting, actions: Specs, obs: Specs, config: Config):
        self.acting, self.action_specs, self.obs_specs, self.config = acting, actions, obs, config
        self._step = jax.jit(_act_once, static_argnames="greedy")

    def act(
        self,
        obs: Mapping[str, Any],
        carry: tuple[ActCarry, int] | None = None,
        *,
        greedy: bool = False,
        seed: int = 0,
    ) -> tuple[dict[str, np.ndarray], tuple[ActCarry, int]]:
        """The action for `obs`, and the carry to hand back with the next observation.

        Args:
            obs: array by key. Continuous actions come back in [−1, 1] units of the agent.
            carry: None at the first step of an episode.
            greedy: the mode of the policy instead of a sample.
            seed: root of the samples; the same seed and observations give the same actions.

        Raises RunError if a key is missing, has another shape or a dtype that would lose values.
        """
        single = self._is_single(obs)
        batch = {k: as_spec(k, obs[k], spec, single) for k, spec in self.obs_specs.items()}
        size = next(iter(batch.values())).shape[0]
        first = carry is None
        state, count = carry if carry is not None else (self.acting.initial(size), 0)
        key = jax.random.fold_in(purpose_key(seed, EVAL), count)
        flags = np.full(size, first)
        flat, state = self._step(self.acting, state, batch, flags, key, greedy=greedy)
        action = {
            name: np.asarray(flat[name]).reshape(size, *spec.shape)[0 if single else slice(None)]
            for name, spec in self.action_specs.items()
        }
        return action, (state, count + 1)

    def _is_single(self, obs: Mapping[str, Any]) -> bool:
        for key, spec in self.obs_specs.items():
            if key not in obs:
                raise RunError(
                    f"the observation lacks {key!r}; the agent needs {sorted(self.obs_specs)}."
                )
            shape = np.shape(obs[key])
            if shape not in (spec.shape,) and shape[1:] != spec.shape:
                raise RunError(
                    f"observation {key!r} has shape {shape}; the agent needs {spec.shape}, with "
                    "or without a leading axis of environments."
                )
        key, spec = next(iter(self.obs_specs.items()))
        return np.shape(obs[key]) == spec.shape


def as_spec(key: str, value: Any, spec: Spec, single: bool) -> np.ndarray:
    """`value` (*shape) or (N, *shape) as (N, *shape) in the stored dtype."""
    array = np.asarray(value)
    if not np.can_cast(array.dtype, spec.dtype, "same_kind"):
        raise RunError(
            f"observation {key!r} is {array.dtype}; the agent needs {spec.dtype}, as the "
            "environment of the training gave it."
        )
    return (array[None] if single else array).astype(spec.dtype)


def _act_once(acting: Acting, carry: ActCarry, obs, is_first, key, *, greedy: bool):
    noise = acting.noise(key, is_first.shape[0])
    return acting(carry, obs, is_first, noise, greedy)


def load(logdir: Path, config: Config | None = None) -> Agent:
    """The agent of the newest complete checkpoint of a run folder; it runs none of its code.

    `config` is what `stranger.read` made of the folder's (None: with no settings of the reader).
    Raises RunError where there is no checkpoint, or it cannot be read.
    """
    config = config or stranger.read(logdir)[0]
    saved = newest(logdir)
    with checkpoint.reading(newest_path(logdir)):
        snapshot.check_kinds(saved)
        obs, actions = (specs_from_json(saved["specs"][side]) for side in ("obs", "action"))
        shape = jax.eval_shape(
            lambda key: acting_of(init(obs, actions, config, key), config), jax.random.key(0)
        )
        acting = acting_from_host(shape, saved["learner"]["newest"])
    return Agent(acting, actions, obs, config)


def newest(logdir: Path) -> dict[str, Any]:
    """The newest complete checkpoint. Raises RunError where there is none, or it is damaged."""
    path = newest_path(logdir)
    with recovery.advised(logdir, path, replay=False, metrics=False):
        return checkpoint.load(path)


def newest_path(logdir: Path) -> Path:
    """Where the newest complete checkpoint is. Raises RunError where there is none."""
    path = recovery.choose(logdir)
    if path is None:
        raise RunError(
            f"{str(logdir)!r} holds no complete checkpoint: let the run reach its first save "
            "(train.save_every seconds), or name another run folder."
        )
    return path


def evaluate_run(
    run: Path | Agent,
    *,
    episodes: int = 10,
    greedy: bool = False,
    seed: int = 0,
    envs: int = 1,
    make_env: sequence.MakeEnv = None,
    allow: Sequence[str] = (),
    given: Mapping[str, Any] | None = None,
) -> dict[str, float]:
    """Play `episodes` episodes with an agent or that of a run folder; statistics by metric name.

    The agent of a sequence plays as many of every task (`over_tasks`). `allow` and `given` are the
    reader's: modules that a task may import, and settings (see `stranger`).

    Raises RunError where the folder holds no checkpoint, or the environment cannot be remade, is
    not the one of the training, or would run code that `allow` does not name.
    """
    given = given or {}
    read = isinstance(run, Agent)
    config = as_read(run.config, given)[0] if read else stranger.read(run, given, allow)[0]
    by_name = stranger.evaluated(config, make_env)
    stranger.check_code(config, by_name, allow, trusted="env.kwargs" in given)
    agent = run if read else load(run, config)
    numbers = {}
    for task in sequence.evaluated(config):
        source = sequence.source(task, make_env)
        if isinstance(source, str) and source.startswith("custom:"):
            raise RunError(
                f"the run was trained on a callable ({source}), which its folder cannot remake: "
                "name it with --env MODULE:FUNCTION, or hand it over from Python with "
                "reverie.evaluate(..., make_env=...)."
            )
        first = config.env.num + envs * sequence.evaluated(config).index(task)
        with eval_envs(config, source, num=envs, seed=seed, first_index=first) as vector:
            here = {"obs": vector.obs_specs, "action": vector.action_specs}
            checkpoint.check_specs(
                {"obs": agent.obs_specs, "action": agent.action_specs}, here, "in training"
            )
            how = {"greedy": greedy, "explore": by_explorer(config)}
            actor = Actor(vector.action_specs, envs, purpose_key(seed, EVAL), **how)
            played = play(agent.acting, vector, actor, episodes)
        assert played is not None
        numbers[task] = played[0]
    return over_tasks(numbers) if config.sequence.tasks else numbers[config.task]
