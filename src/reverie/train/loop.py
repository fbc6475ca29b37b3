"""The main loop: the page to read first.

    env --Step--> replay --Sequence--> world --Latent--> behavior --policy--> env

`train` puts the stations together; `Run.turn` is one turn around the circle. While environments
step, an update runs on the device and the next batch is gathered; what the update before produced
is fetched late (`learner.py`). Which update sees which rows, and which weights choose which action,
follows from counters alone, never from timing: the same command gives the same numbers.
"""

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from reverie.config.schema import Config
from reverie.config.sizes import with_size
from reverie.envs.make import maker
from reverie.envs.vector import Vector
from reverie.records import specs_to_json
from reverie.replay.files import prune as prune_files
from reverie.replay.keep import Ticket
from reverie.replay.ratio import Ratio
from reverie.replay.replay import Replay
from reverie.replay.rows import row_specs
from reverie.train import checkpoint, dream, folder, plan
from reverie.train.banner import banner
from reverie.train.collect import Actor, Episodes
from reverie.train.errors import RunError
from reverie.train.evaluate import eval_envs, play
from reverie.train.learner import ACT, DREAM, EVAL, Compiled, Learner, purpose_key
from reverie.train.logger import Logger
from reverie.train.metrics import Mean
from reverie.train.progress import Progress
from reverie.train.signals import Interrupt
from reverie.train.step import resolve_precision


def train(config: Config, make_env: Callable | None = None) -> Path:
    """Run `config` from the beginning or from where its folder stands; the run folder.

    `make_env` makes the environment where the task is a callable. Raises ConfigError, EnvError,
    ReplayError or RunError with one sentence; whatever was saved stays.
    """
    logdir = folder.logdir_of(config)
    config = dataclasses.replace(config, logdir=str(logdir))
    with contextlib.ExitStack() as stack:
        stack.enter_context(folder.claim(logdir))
        envs = stack.enter_context(training_envs(config, make_env, logdir))
        config = complete(config, envs)
        folder.settle_config(logdir, config)
        run = Run(config, envs, logdir, make_env, stack)
        run.go()
    return logdir


def training_envs(config: Config, make_env: Callable | None, logdir: Path) -> Vector:
    """The environments that experience comes from."""
    return Vector(
        maker(make_env or config.task, config.env),
        num=config.env.num,
        seed=config.seed,
        stream="train",
        parallel=config.env.parallel,
        timeout=config.env.timeout,
        restarts=config.env.restarts,
        log_file=logdir / "simulators.log",
    )


def complete(config: Config, envs: Vector) -> Config:
    """`config` with everything filled in that only the environments and the device know."""
    pictures = any(spec.kind == "image" for spec in envs.obs_specs.values())
    config = with_size(config, pictures)
    precision = resolve_precision(config.device.precision, jax.default_backend())
    device = dataclasses.replace(config.device, precision=precision)
    return dataclasses.replace(config, device=device)


class Run:
    """The stations of one run, and its clocks."""

    def __init__(
        self,
        config: Config,
        envs: Vector,
        logdir: Path,
        make_env: Callable | None,
        stack: contextlib.ExitStack,
    ):
        self.config, self.envs, self.logdir, self._make_env = config, envs, logdir, make_env
        self._stack = stack
        obs, actions = envs.obs_specs, envs.action_specs
        rssm, options = config.rssm, config.train
        self.columns = row_specs(
            obs, actions, deter=rssm.deter, stoch=rssm.stoch, classes=rssm.classes
        )
        self.length = config.replay.context + options.length
        self.replay = Replay(
            self.columns,
            streams=envs.num,
            capacity=self._capacity(),
            length=self.length,
            seed=config.seed,
            online=config.replay.online,
            chunk=config.replay.chunk,
            gigabytes=config.replay.gigabytes,
        )
        self.learner = Learner(obs, actions, config)
        self.actor = Actor(actions, envs.num, purpose_key(config.seed, ACT))
        self.episodes = Episodes(envs.num)
        self.ratio = Ratio(options.ratio / (options.batch * options.length))
        self.mean, self.step, self.due, self.updates = Mean(), 0, 0, 0
        self.seconds = 0.0
        self._clock = self._marked = time.perf_counter()
        self._interval = (0, 0)
        self._eval: tuple[Vector, Actor] | None = None
        self._film: list[np.ndarray] | None = None

    def _capacity(self) -> int:
        """Rows to reserve: no more than the run will ever insert."""
        config = self.config
        needed = config.steps + config.env.num * (self.length + 1)
        return min(config.replay.capacity, -(-needed // config.env.num) * config.env.num)

    def go(self) -> None:
        """Plan, resume if there is something to resume, and turn until the steps are done."""
        config = self.config
        offset = self._resume()
        left = config.steps - self.step
        planned = plan.make_plan(config, self.learner.state, self.columns, self._compile, left)
        plan.check_disk(self.logdir, planned)
        if config.log.progress != "none":
            banner(config, planned.rows())
        self.progress = self._stack.enter_context(
            Progress(config.log.progress, config.steps, start=self.step, title=config.task)
        )
        for notice in self.envs.notices if self.step == 0 else []:
            self.progress.note(notice)
        self.logger = Logger(self.logdir, config.log, config, offset, notify=self.progress.note)
        self._stack.callback(self.logger.close)
        if left <= 0:
            self.progress.note(f"this run has finished its {config.steps:,} steps.")
            return
        with Interrupt() as interrupt:
            self._turn_until_done(interrupt)

    def _turn_until_done(self, interrupt: Interrupt) -> None:
        saved = time.monotonic()
        while self.step < self.config.steps:
            before = self.step
            self.turn()
            self.progress.step(self.step)
            self._watch(before)
            if interrupt.asked:
                self._save()
                raise RunError(
                    f"stopped by {interrupt.asked} at step {self.step:,} and saved; the same "
                    "command resumes."
                )
            if time.monotonic() - saved > self.config.train.save_every:
                self._save()
                saved = time.monotonic()
        self._finish()

    def turn(self) -> None:
        """One turn around the circle: every environment makes one row."""
        self.envs.send(self.actor.action)
        self._learn()
        step = self.envs.recv()
        self.replay.add(self.actor(self.learner.acting, step))
        for index, ret, length in self.episodes.add(step):
            self._log({"episode/return": ret, "episode/length": length})
            self._film_ended(index)
        self._film_row(step)
        self.step, first = self.step + self.envs.num, self.step + 1
        if self.replay.can_draw(self.config.train.batch * self.config.train.length):
            self.due += sum(self.ratio(count) for count in range(first, self.step + 1))

    def _learn(self) -> None:
        """Start the updates that are due; take in what earlier ones produced."""
        while self.due:
            rows, ticket = self.replay.draw(self.config.train.batch)
            finished = self.learner.update(rows, ticket)
            self.due -= 1
            self.updates += 1
            if finished is not None:
                ticket, result = finished
                metrics, written = self.learner.fetch(result)
                self.replay.write(ticket, written, offset=self.config.replay.context)
                self.mean.add(metrics)

    def _watch(self, before: int) -> None:
        """Log, evaluate and look at dreams where the step counter crossed their marks."""
        options = self.config.train
        if crossed(before, self.step, options.log_every):
            self._log_means()
        if crossed(before, self.step, options.eval_every) and self.step < self.config.steps:
            self._evaluate()
        if crossed(before, self.step, options.report_every) and self.step < self.config.steps:
            self._dream()
        if crossed(before, self.step, options.video_every):
            self._film = []

    def _log(self, scalars: dict[str, Any]) -> None:
        self.logger.write(self.step, scalars)
        self.progress.metrics(self.step, scalars)

    def _log_means(self) -> None:
        now, (steps, updates) = time.perf_counter(), self._interval
        elapsed = max(now - self._marked, 1e-9)
        self._marked, self._interval = now, (self.step, self.updates)
        self._log(
            self.mean.pop()
            | self.replay.stats()
            | {"env/restarts": self.envs.restarted}
            | {
                "time/seconds": self._elapsed(),
                "time/steps_per_s": (self.step - steps) / elapsed,
                "time/updates_per_s": (self.updates - updates) / elapsed,
            }
            | dict(plan.machine_readings())
        )

    def _elapsed(self) -> float:
        return self.seconds + time.perf_counter() - self._clock

    def _evaluate(self) -> None:
        options = self.config.train
        if not options.eval_episodes:
            return
        with self._phase("evaluating"):
            if self._eval is None:
                num = min(options.eval_envs, options.eval_episodes)
                log = self.logdir / "simulators.log"
                vector = eval_envs(
                    self.config, self._make_env, num=num, seed=self.config.seed, log=log
                )
                self._stack.enter_context(vector)
                key = purpose_key(self.config.seed, EVAL)
                actor = Actor(vector.action_specs, num, key, greedy=options.eval_greedy)
                self._eval = vector, actor
            vector, actor = self._eval
            acting = self.learner.acting
            scalars, frames = play(acting, vector, actor, options.eval_episodes, film=True)
            self._log(scalars)
            if frames is not None:
                self.logger.video(self.step, "eval", frames)

    def _dream(self) -> None:
        length = self.config.replay.context + self.config.train.report_length
        if not self.replay.num_windows_of(length):
            return
        with self._phase("dreaming"):
            rows = self.replay.peek(dream.SEQUENCES, self.step, length=length)
            key = jax.random.fold_in(purpose_key(self.config.seed, DREAM), self.step)
            agent = self.learner.state.agent
            dream.report(agent, rows, self.step, key, self.config, self.logger)

    def _film_row(self, step: Any) -> None:
        """Record the training episode of environment 0 from its first row on, if one is due."""
        images = [k for k, spec in self.envs.obs_specs.items() if spec.kind == "image"]
        if self._film is None or not images or not (self._film or step.is_first[0]):
            return
        self._film.append(step.obs[images[0]][0])

    def _film_ended(self, index: int) -> None:
        if index == 0 and self._film:
            self.logger.video(self.step, "train", np.stack(self._film))
            self._film = None

    def _finish(self) -> None:
        self._log_means()
        self._evaluate()
        self._dream()
        self._save()

    @contextlib.contextmanager
    def _phase(self, text: str) -> Iterator[None]:
        self.progress.phase(text)
        yield
        self.progress.phase("")

    def _compile(self) -> Compiled:
        shapes = {
            key: jax.ShapeDtypeStruct((self.config.train.batch, self.length, *c.shape), c.dtype)
            for key, c in self.columns.items()
        }
        return self.learner.compile(shapes)

    def _save(self) -> None:
        """Write a checkpoint. Nothing in the run depends on when, or whether, this happens."""
        with self._phase("saving"):
            self.learner.check()
            tree = {
                "learner": self.learner.saved(),
                "actor": self.actor.saved(),
                "episodes": self.episodes.saved(),
                "envs": self.envs.state(),
                "replay": self.replay.save(self.logdir / "replay"),
                "ratio": self.ratio.state(),
                "mean": self.mean.state(),
                "logger": self.logger.state(),
                "clocks": {"step": self.step, "due": self.due, "updates": self.updates},
                "seconds": self._elapsed(),
                "specs": {
                    "obs": specs_to_json(self.envs.obs_specs),
                    "action": specs_to_json(self.envs.action_specs),
                },
            }
            checkpoint.save(self.logdir / "checkpoints", self.step, tree)
            checkpoint.prune(self.logdir / "checkpoints", self.config.train.keep)
            kept = checkpoint.complete(self.logdir / "checkpoints")
            manifests = [checkpoint.read_part(path, "replay") for path in kept]
            prune_files(self.logdir / "replay", manifests)

    def _resume(self) -> int | None:
        """Take up the newest complete checkpoint; the length of metrics.jsonl at that moment."""
        found = checkpoint.complete(self.logdir / "checkpoints")
        if not found:
            return None
        tree = checkpoint.load(found[-1])
        here = {
            "obs": specs_to_json(self.envs.obs_specs),
            "action": specs_to_json(self.envs.action_specs),
        }
        checkpoint.check_specs(found[-1], tree["specs"], here)
        self.learner.restore(tree["learner"], Ticket)
        self.actor.restore(tree["actor"], self.learner.acting)
        self.episodes.restore(tree["episodes"])
        self.envs.restore(tree["envs"])
        self.replay.load(self.logdir / "replay", tree["replay"])
        self.ratio.load(tree["ratio"])
        self.mean.load(tree["mean"])
        clocks = tree["clocks"]
        self.step, self.due, self.updates = clocks["step"], clocks["due"], clocks["updates"]
        self.seconds, self._interval = tree["seconds"], (self.step, self.updates)
        return tree["logger"]["offset"]


def crossed(before: int, now: int, every: int) -> bool:
    """Whether a multiple of `every` lies in (before, now]; never for 0."""
    return every > 0 and now // every > before // every
