"""The main loop: the page to read first.

    env --Step--> replay --Sequence--> world --Latent--> behavior --policy--> env

`train` puts the stations together; `Run.turn` is one turn around the circle. While environments
step, an update runs on the device and the next batch is gathered; what the update before produced
is fetched late (`learner.py`). Which update sees which rows, and which weights choose which action,
follows from counters alone, never from timing: the same command gives the same numbers.
"""

import contextlib
import functools as ft
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from reverie.callbacks.base import NOBODY, Callback, Listening, sort
from reverie.config.schema import Config
from reverie.config.start import Start
from reverie.envs.vector import Vector
from reverie.folder import run_folder
from reverie.folder.mirror import Mirror
from reverie.machine.readings import Stopwatch
from reverie.records import Step
from reverie.train import course, place, sequence, snapshot
from reverie.train.collect import Actor, Episodes, Share
from reverie.train.evaluate import Evaluator
from reverie.train.learner import ACT, MEASURED, Learner, purpose_key
from reverie.train.listeners import Listeners
from reverie.train.ondevice import refused
from reverie.train.ondevice.calls import DeviceLoop
from reverie.train.peers import ALONE, Peers
from reverie.train.ratio import Ratio
from reverie.train.sequence import MakeEnv, Visit
from reverie.train.setup import complete, make_replay, training_envs
from reverie.train.step import write_back
from reverie.train.sweep import Sweep
from reverie.train.visit_counts import VisitCounts
from reverie.watch import startup
from reverie.watch.advice import replay_advice, sequence_advice, settings_advice
from reverie.watch.averages import LATEST, Mean
from reverie.watch.logger import Logger
from reverie.watch.progress import Progress
from reverie.watch.recorder import EpisodeRecorder
from reverie.watch.sink import Sink
from reverie.watch.together import SeedProgress


class Run:
    """The stations of one run, its clocks, and what is to be done before the next turn.

    `progress` and `logger`, what people see of it and where its metrics go, come from `course.py`.
    `step` counts environment steps of all environments together, `due` updates that are owed,
    `updates` those that were started, `ended` episodes. `device`: the loop on the device, where the
    turns are made there. Everything that a checkpoint must hold is in `snapshot.py`.
    """

    progress: Progress | SeedProgress
    logger: Logger

    def turn(self) -> None:
        """One turn around the circle: every environment makes one row. On the device, many."""
        if self.device is not None:
            self.device()
            return
        self.send()
        while self.due:
            self.learned(self.learner.update(*self.draw()))
        step = self.envs.recv()
        row = self.actor(self.learner.acting, step, **self.who_acts())
        self.take_in(step, row)

    def send(self) -> None:
        """Every environment begins to make a row, of the task that this step belongs to."""
        if self.step >= self.visits[self.visit].end:
            self.enter(self.visit + 1)
            self.progress.note(f"from now on the task is {self.visits[self.visit].task}.")
        self.envs.send(self.actor.action)

    def draw(self) -> tuple[dict[str, Any], Any]:
        """The rows of one update, and their ticket. Before the first, units are measured."""
        if not self.updates and self.learner.unmeasured:
            rows = self.replay.peek(MEASURED // self.peers.count, self.step)
            self.learner.standardize(self.peers.rows(rows))
        return self.replay.draw(self.config.train.batch // self.peers.count)

    def learned(self, finished: tuple[Any, Any] | None) -> None:
        """An update has been started: count it, and take in what the one before it gave."""
        self.due -= 1
        self.updates += 1
        if self.sweep.due(self.updates):
            self.sweep(self.learner.agent, self.replay, self.updates)
        if finished is not None:
            ticket, result = finished
            metrics, written = self.learner.fetch(result)
            if written:
                self.replay.write(ticket, written, offset=self.config.replay.context)
            self.mean.add(metrics)

    def who_acts(self) -> dict[str, bool]:
        """Whether chance (`random`) or the explorer (`explore`) chooses the next actions."""
        explore = self.config.explore.acts(self.step, self.actor.count)
        return {"random": self.filling, "explore": explore}

    def take_in(self, step: Step, row: dict[str, Any]) -> None:
        """Store what the environments made, tell of it, and count which updates it makes due."""
        self.replay.add(row | self._extra(step))
        self.tell(step, self.actor.action)
        self.turned()

    def tell(self, step: Step, action: Mapping[str, Any]) -> None:
        """Tell of rows, of the episodes that they end, and of what is done next."""
        self.callbacks.step(step, action)
        for numbers in chain(*self.peers.gather(self.episodes.add(step))):
            self.ended += 1
            self.log({f"episode/{name}": value for name, value in numbers.items()})
            self.callbacks.episode(numbers)
        self.show("train", self.recorder.add(self.envs, step))

    def turned(self) -> None:
        """Count a turn whose rows are stored, and the updates that it makes due."""
        self.step, first = self.step + self.num, self.step + 1
        train = self.config.train
        own = train.batch * train.length // self.peers.count
        if not self.filling and all(self.peers.gather(self.replay.can_draw(own))):
            self.due += 0 if self.updates or self.due else train.pretrain
            self.due += sum(self.ratio(count) for count in range(first, self.step + 1))

    def _extra(self, step: Step) -> dict[str, Any]:
        """What is stored beside what was seen and done: the reward with its count bonus, if there
        is one, and what `task_label` promises."""
        columns: dict[str, Any] = {}
        if self.config.bonus.active:
            bonus = self.visit_counts(step)
            columns["reward"] = self.visit_counts.reward(step, bonus)
            self.mean.add({"explore/bonus": bonus.mean(), "explore/places": len(self.visit_counts)})
        if self.config.sequence.tasks:
            label = self.visits[self.visit].index
            columns["task"] = np.full(self.envs.num, label, np.uint16)
        return columns

    @property
    def filling(self) -> bool:
        """Whether actions are random and nothing is learned yet (`train.prefill`)."""
        prefill = self.config.train.prefill
        return prefill > 0 and (self.step < prefill or not self.ended)

    def __init__(
        self,
        config: Config,
        envs: Vector,
        open_envs: Callable[[Visit], Vector],
        evaluator: Evaluator,
        logdir: Path,
        *,
        listening: Listening = NOBODY,
        peers: Peers = ALONE,
        like: "Run | None" = None,
    ):
        """`peers`: the processes that learn together; `like`: the run of another seed, whose
        programs for the start are taken."""
        options = config.train
        self.peers, self.num = peers, envs.num * peers.count  # environments of all processes
        self.visits, self.visit, self._open_envs = sequence.visits(config), 0, open_envs
        self.restarted, self.origin = 0, dict[str, Any]()
        self.init: Start | None = None
        self.mirror: Mirror | None = None
        self.changes: run_folder.Changes = {}
        self.config, self.envs, self.logdir, self.evaluator = config, envs, logdir, evaluator
        self.replay = make_replay(config, envs, self.peers)
        learner, actor = (None, None) if like is None else (like.learner, like.actor)
        self.learner = Learner(envs.obs_specs, envs.action_specs, config, like=learner)
        act_key = purpose_key(config.seed, ACT)
        how: dict[str, Any] = {"store": ft.partial(write_back, config=config), "like": actor}
        share = Share(peers.index * envs.num, self.num)
        self.actor = Actor(envs.action_specs, envs.num, act_key, share=share, **how)
        self.sweep = Sweep(config)
        self.episodes, self.recorder = Episodes(envs.num), EpisodeRecorder()
        self.visit_counts = VisitCounts(config.bonus, envs.log_specs)
        self.ratio = Ratio(options.ratio / (options.batch * options.length))
        self.mean = Mean(latest=LATEST)
        self.step, self.due, self.updates, self.ended = 0, 0, 0, 0
        self.chores: list[str] = []
        self.callbacks = Listeners(self, listening)
        self.warned, self.unseen = False, set[str]()
        self.notices = [*envs.notices, *settings_advice(config, envs.obs_specs)]
        self.notices += [*replay_advice(config), *sequence_advice(config)]
        self.stopwatch = Stopwatch()
        self.device = DeviceLoop(self, like) if options.loop == "device" else None

    def close(self) -> None:
        """End the environments."""
        self.envs.close()

    def enter(self, visit: int) -> None:
        """Go on with the environments of another visit; open episodes are abandoned.

        The agent is not told. Raises RunError where the new task's spaces differ.
        """
        first, following = self.visits[0], self.visits[visit]
        there = {"obs": self.envs.obs_specs, "action": self.envs.action_specs}
        self.restarted += self.envs.restarted
        self.envs.close()
        self.envs, self.recorder, self.visit = self._open_envs(following), EpisodeRecorder(), visit
        here = {"obs": self.envs.obs_specs, "action": self.envs.action_specs}
        sequence.check_same_spaces(following.task, here, first.task, there)
        if self.config.sequence.reset_optimizer:
            self.learner.reset_optimizer()

    def log(self, scalars: dict[str, Any]) -> None:
        if not self.peers.index:  # the first process tells it
            self.logger.write(self.step, scalars)
            self.progress.metrics(self.step, scalars)

    def show(self, name: str, frames: Any) -> None:
        if frames is not None and not self.peers.index:
            self.logger.video(self.step, name, frames)

    def save(self) -> None:
        """Write a checkpoint. Nothing in the run depends on when, or whether, this happens."""
        with self.phase("saving"):
            path = snapshot.save(self)
        self.callbacks.checkpoint(path)
        for sentence in [] if self.mirror is None else self.mirror.saved():
            self.progress.note(sentence)

    @contextlib.contextmanager
    def phase(self, text: str) -> Iterator[None]:
        self.progress.phase(text)
        yield
        self.progress.phase("")


@contextlib.contextmanager
def opened(
    config: Config,
    make_env: MakeEnv,
    callbacks: Sequence[Callback | Sink] = (),
    init: Start | None = None,
    *,
    like: Run | None = None,
) -> Iterator[Run]:
    """The run that `config` and its folder mean, ready to begin; the folder is this process's own
    within. Arguments and errors as `train` has them; `like` as `Run` has it."""
    how: dict[str, Any] = {"listening": sort(callbacks), "like": like}
    if config.train.loop == "device":
        refused.check(config, make_env)
    with place.taken(config, make_env) as (there, stack):
        config, logdir, peers = there.config, there.logdir, there.peers
        open_envs = ft.partial(training_envs, config, make_env, logdir, peers=peers)
        starting = ft.partial(startup.phase, shown=config.log.progress != "none")
        with starting("environments"):
            envs = stack.enter_context(open_envs(sequence.visits(config)[0]))
        config = complete(config, envs, peers)
        changes = run_folder.check_config(logdir, config)
        evaluator = Evaluator(
            config, make_env, logdir / "simulators.log", like=like and like.evaluator
        )
        stack.callback(evaluator.close)
        if not peers.index:
            evaluator.check_tasks(envs)
        how |= {"peers": peers} | ({"listening": NOBODY} if peers.index else {})
        with starting("networks"):
            run = Run(config, envs, open_envs, evaluator, logdir, **how)
        run.init, run.origin, run.changes = init, {"source": there.source}, changes
        stack.callback(run.close)
        run.mirror, run.notices = there.mirror, [*run.notices, *there.notices]
        yield run


def train(
    config: Config,
    make_env: MakeEnv = None,
    *,
    from_step: int | None = None,
    callbacks: Sequence[Callback | Sink] = (),
    init: Start | None = None,
) -> Path:
    """Run `config` from the beginning or from where its folder stands; the run folder.

    `from_step` goes back to the checkpoint of that step; what came after it is done again.
    `init`: the weights that it begins from, if not fresh ones.

    `make_env` makes the environment where the task is a callable (by task name where there are
    several). Raises ConfigError, EnvError, ReplayError or RunError with one sentence, Stopped after
    a signal, what a callback asks for; whatever was saved stays.
    """
    with opened(config, make_env, callbacks, init) as run:
        course.go(run, from_step)
    return run.logdir
