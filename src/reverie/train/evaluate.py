"""Episodes without learning: during a run, after it, and from Python."""

import contextlib
import functools as ft
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from reverie.behavior.policy import Acting
from reverie.config.reader import as_read
from reverie.config.schema import Config
from reverie.envs.vector import Vector
from reverie.folder.errors import RunError
from reverie.records import Step
from reverie.train import checkpoint, sequence, stranger
from reverie.train.agent import Agent, load
from reverie.train.chosen import NEWEST, choose
from reverie.train.collect import Actor, Episodes
from reverie.train.heldout import HeldOut
from reverie.train.learner import EVAL, purpose_key
from reverie.train.players import by_explorer, envs_of, eval_envs, first_index, shares
from reverie.train.step import write_back
from reverie.watch.film import Films
from reverie.watch.recorder import EpisodeRecorder

MINUTE = 60.0

log = logging.getLogger("reverie.train")


class Played(NamedTuple):
    """What came of an evaluation."""

    numbers: dict[str, float]
    frames: np.ndarray | None
    """Of its first episode, where they were wanted."""
    rows: dict[str, np.ndarray] | None
    """Its first rows as sequences, where they were wanted (`HeldOut.sequences`)."""


def play(
    acting: Acting,
    envs: Vector,
    actor: Actor,
    episodes: int,
    *,
    film: bool = False,
    films: Films | None = None,
    heldout: HeldOut | None = None,
    stop: Callable[[], object] = lambda: False,
) -> Played | None:
    """Play `episodes` episodes, the same ones at every call; statistics, frames of the first one
    where a `film` is wanted. `films` takes all of them down, `heldout` their first rows.

    Each environment plays an equal number (the first ones one more), whatever their length, so
    that short episodes are not preferred. None as soon as `stop` says so.
    """
    envs.rewind()
    actor.reset()
    restarted, patience = envs.restarted, Patience(envs.num)
    share = np.array([len(part) for part in shares(episodes, envs.num)])
    done, results = np.zeros(envs.num, int), []
    count, recorder, frames = Episodes(envs.num), EpisodeRecorder(wanted=film), None
    while (done < share).any():
        if stop():
            return None
        envs.send(actor.action)
        step = envs.recv()
        patience(step)
        row = actor(acting, step)
        if heldout is not None:
            heldout.add(row)
        shown = recorder.add(envs, step, render=True)
        frames = shown if frames is None else frames
        if films is not None:
            films.add(envs, step, done < share)
        for index, result in zip(np.flatnonzero(step.is_last), count.add(step), strict=True):
            if done[index] < share[index]:
                results.append(result)
            done[index] += 1
    numbers = statistics(results) | {"eval/restarts": float(envs.restarted - restarted)}
    return Played(numbers, frames, None if heldout is None else heldout.sequences())


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


class Evaluator:
    """The evaluations of a run. The environments of each task open at the first one and stay."""

    def __init__(
        self,
        config: Config,
        make_env: sequence.MakeEnv,
        log_file: Path,
        *,
        like: "Evaluator | None" = None,
    ):
        """`like`: that of another seed, whose programs are taken."""
        self._config, self._make_env, self._log_file = config, make_env, log_file
        self._like = like
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
    ) -> Played | None:
        """What `play` says of as many episodes as the configuration asks for.

        In a sequence every task is played, past and future ones and `sequence.tests` too:
        `eval/return` is their mean, `eval/return/TASK` the return of each. Frames and rows are
        those of the task `watch`.
        """
        config = self._config
        tasks = sequence.evaluated(config)
        played: dict[str, Played] = {}
        for task in tasks:
            if task not in self._opened:
                self._opened[task] = self._open(task)
            watched = watch is None or task == watch
            rows = HeldOut(config.replay.context + config.train.report_length) if watched else None
            count = config.train.eval_episodes
            how: dict[str, Any] = {"film": watched, "heldout": rows, "stop": stop}
            found = play(acting, *self._opened[task], count, **how)
            if found is None:
                return None
            played[task] = found
        seen = next((found for found in played.values() if found.frames is not None), None)
        known = next((found for found in played.values() if found.rows is not None), None)
        numbers = {task: found.numbers for task, found in played.items()}
        return Played(
            over_tasks(numbers) if config.sequence.tasks else numbers[tasks[0]],
            None if seen is None else seen.frames,
            None if known is None else known.rows,
        )

    def _open(self, task: str) -> tuple[Vector, Actor]:
        config = self._config
        source = sequence.source(task, self._make_env)
        num = envs_of(config)
        first = first_index(config, task, num)
        how = {"seed": config.seed, "first_index": first, "log_file": self._log_file}
        envs = eval_envs(config, source, num=num, **how)
        key = purpose_key(config.seed, EVAL)
        how: dict[str, Any] = {"greedy": config.train.eval_greedy, "explore": by_explorer(config)}
        how["store"] = ft.partial(write_back, config=config)
        other = self._like._opened.get(task) if self._like is not None else None
        how["like"] = None if other is None else other[1]
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


def evaluate_run(
    run: Path | Agent,
    *,
    episodes: int = 10,
    greedy: bool = False,
    seed: int = 0,
    envs: int = 1,
    at: str | int | Path = NEWEST,
    films: Films | None = None,
    make_env: sequence.MakeEnv = None,
    allow: Sequence[str] = (),
    given: Mapping[str, Any] | None = None,
) -> dict[str, float]:
    """Play `episodes` episodes with an agent or that of a run folder; statistics by metric name.

    The agent of a sequence plays as many of every task (`over_tasks`). `at` is the checkpoint
    of a folder, or its name (see `chosen`); `films` are of all episodes. `allow` and `given` are
    the reader's: modules that a task may import, and settings (see `stranger`).

    Raises RunError where the folder does not hold the checkpoint, or the environment cannot be
    remade, is not the one of the training, or would run code that `allow` does not name.
    """
    given = given or {}
    read = isinstance(run, Agent)
    config = as_read(run.config, given)[0] if read else stranger.read(run, given, allow)[0]
    by_name = stranger.evaluated(config, make_env)
    stranger.check_code(config, by_name, allow, trusted="env.kwargs" in given)
    agent = run if read else load(run, config, at if isinstance(at, Path) else choose(run, at))
    how = {"episodes": episodes, "greedy": greedy, "seed": seed, "envs": envs, "films": films}
    numbers = {}
    with contextlib.nullcontext() if films is None else contextlib.closing(films):
        for task in sequence.evaluated(config):
            if films is not None:
                films.begin(f"eval_{task}" if config.sequence.tasks else "eval", agent.step)
            numbers[task] = _play_task(agent, config, task, make_env, **how)
    return over_tasks(numbers) if config.sequence.tasks else numbers[config.task]


def _play_task(
    agent: Agent,
    config: Config,
    task: str,
    make_env: sequence.MakeEnv,
    *,
    episodes: int,
    greedy: bool,
    seed: int,
    envs: int,
    films: Films | None,
) -> dict[str, float]:
    """The numbers of one of a run's tasks."""
    source = sequence.source(task, make_env)
    if isinstance(source, str) and source.startswith("custom:"):
        raise RunError(
            f"the run was trained on a callable ({source}), which its folder cannot remake: "
            "name it with --env MODULE:FUNCTION, or hand it over from Python with "
            "reverie.evaluate(..., make_env=...)."
        )
    first = first_index(config, task, envs)
    with eval_envs(config, source, num=envs, seed=seed, first_index=first) as vector:
        here = {"obs": vector.obs_specs, "action": vector.action_specs}
        there = {"obs": agent.obs_specs, "action": agent.action_specs}
        checkpoint.check_specs(there, here, "in training")
        how: dict[str, Any] = {"greedy": greedy, "explore": by_explorer(config)}
        actor = Actor(vector.action_specs, envs, purpose_key(seed, EVAL), **how)
        played = play(agent.acting, vector, actor, episodes, films=films)
    assert played is not None
    return played.numbers
