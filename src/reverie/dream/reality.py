"""The real environment of a run, where it can be rebuilt: episodes played now, and branches."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from reverie.behavior.policy import Acting
from reverie.config.schema import Config
from reverie.dream.episode import MOST_ROWS, Episode, Start, as_episode
from reverie.dream.errors import DreamError, check_whole
from reverie.envs.base import EnvError
from reverie.envs.pictures import to_rgb
from reverie.envs.vector import Vector
from reverie.folder.errors import RunError
from reverie.records import Specs, Step
from reverie.train import checkpoint, sequence, stranger
from reverie.train.collect import Actor
from reverie.train.learner import EVAL, purpose_key
from reverie.train.players import by_explorer, envs_of, eval_envs, first_index, shares

LONG_SIDE = 192
"""Pixels of the longer side of what an environment draws; larger pictures are made smaller."""


class World:
    """What makes the environments of a run for the inspector.

    Args:
        config: of the run.
        specs: of the observation and of the actions.
        make_env: what makes them, where the user handed it over.
        allow: modules that the run's task may import.
        trusted: whether `env.kwargs` are the user's own words.
    """

    def __init__(
        self,
        config: Config,
        specs: tuple[Specs, Specs],
        *,
        make_env: sequence.MakeEnv = None,
        allow: Sequence[str] = (),
        trusted: bool = False,
    ):
        self._config, self._specs, self._make_env = config, specs, make_env
        self.tasks = sequence.evaluated(config)
        self.missing = ""
        """Why no environment can be made; empty where nothing speaks against it."""
        named = stranger.evaluated(config, make_env)
        callables = [task for task in named if task.startswith("custom:")]
        if callables:
            self.missing = (
                f"the run was trained on a callable ({callables[0]}), which its folder cannot "
                "remake: name it with --env MODULE:FUNCTION."
            )
            return
        try:
            stranger.check_code(config, named, allow, trusted=trusted)
        except RunError as error:
            self.missing = str(error)

    @property
    def evaluations(self) -> int:
        """Episodes of each evaluation of the run, of every task."""
        return self._config.train.eval_episodes

    def open(self, task: str, seed: int, *, envs: int = 1, only: int | None = None) -> Vector:
        """The environments of an evaluation on so many `envs`, or the one of them that `only` says.

        Args:
            task: one of the run's.
            seed: of `reverie eval RUN --seed SEED`, or the run's own.

        Raises DreamError, with the reason, where it cannot be made.
        """
        if self.missing:
            raise DreamError(f"the environment cannot be made: {self.missing}")
        if task not in self.tasks:
            raise DreamError(f"the run has no task {task!r}; it has {', '.join(self.tasks)}.")
        first = first_index(self._config, task, envs) + (only or 0)
        num, first_seed = (envs, 0) if only is None else (1, only)
        how: dict[str, Any] = {
            "num": num,
            "seed": seed,
            "first_index": first,
            "first_seed": first_seed,
        }
        source = sequence.source(task, self._make_env)
        try:
            made = eval_envs(self._config, source, **how)
        except EnvError as error:
            raise DreamError(f"the environment cannot be made: {error}") from error
        try:
            here = {"obs": made.obs_specs, "action": made.action_specs}
            there = {"obs": self._specs[0], "action": self._specs[1]}
            checkpoint.check_specs(there, here, "in training")
        except RunError as error:
            made.close()
            raise DreamError(str(error)) from error
        return made

    def play(self, acting: Acting, task: str, seed: int, *, greedy: bool = False) -> Episode:
        """The first episode of `reverie eval RUN --seed SEED`, at most `MOST_ROWS` of its rows.

        Raises DreamError where the environment cannot be made or fails.
        """
        how_acted = ", greedy" if greedy else ""
        name = f"played with seed {seed}{how_acted}"
        return self._played(acting, Start(task, seed), name, greedy=greedy)

    def evaluation(self, acting: Acting, task: str, number: int) -> Episode:
        """An episode of the run's own evaluations: played by their seed, on as many environments,
        by the policy as they ask it.

        Raises DreamError where there are not so many, and as `play` does.
        """
        train = self._config.train
        check_whole("an evaluation's episode", number, 0, self.evaluations - 1)
        played = shares(self.evaluations, envs_of(self._config))
        env = next(index for index, share in enumerate(played) if number in share)
        begun = number - int(played[env][0])
        start = Start(task, self._config.seed, env, len(played), begun)
        return self._played(acting, start, f"evaluation {number}", greedy=train.eval_greedy)

    def _played(self, acting: Acting, start: Start, name: str, *, greedy: bool) -> Episode:
        """The rows of one episode, and how the environment draws them."""
        how: dict[str, Any] = {"greedy": greedy, "explore": by_explorer(self._config)}
        actor = Actor(self._specs[1], start.envs, purpose_key(start.seed, EVAL), **how)
        rows: list[dict[str, Any]] = []
        pictures: list[np.ndarray | None] = []
        with self.open(start.task, start.seed, envs=start.envs) as envs:
            at = 0
            try:
                while at <= start.number and len(rows) < MOST_ROWS:
                    step = stepped(envs, actor.action)
                    row = actor(acting, step)
                    if at == start.number:
                        rows.append({key: value[start.env] for key, value in row.items()})
                        pictures.append(drawn(envs, start.env))
                    at += bool(step.is_last[start.env])
            except EnvError as error:
                raise DreamError(f"the environment failed: {error}") from error
        columns = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
        cut = "" if columns["is_last"][-1] else f", cut at {MOST_ROWS:,}"
        begun = start._replace(row=actor.count - len(rows))
        more = {"start": begun, "drawn": film(pictures)}
        named = f"{name}: {len(rows):,} rows{cut}"
        return as_episode(named, columns, self._specs[1], **more)


class Beside:
    """Reality beside a dream: the environment of an episode, brought to the row where it begins.

    Raises DreamError where the episode cannot be played again, or shows something else.
    """

    def __init__(self, world: World, episode: Episode, row: int):
        start = episode.start
        if start is None:
            raise DreamError(
                "reality cannot go on here: rows of the replay do not say how their episode began. "
                "Choose an episode that is played now, or one of the evaluation."
            )
        how = {"envs": start.envs, "only": start.env}
        self._envs, self.over = world.open(start.task, start.seed, **how), False
        self._envs.episodes.skip(np.array([start.number]), np.array([True]))
        specs = self._envs.action_specs
        try:
            step = stepped(self._envs, _nothing(specs))
            for at in range(row):
                self._check(step, episode, at)
                step = stepped(self._envs, _shaped(episode.action, at, specs))
            self._check(step, episode, row)
        except EnvError as error:
            self.close()
            raise DreamError(f"the environment failed: {error}") from error
        except DreamError:
            self.close()
            raise

    def _check(self, step: Step, episode: Episode, row: int) -> None:
        same = all(np.array_equal(step.obs[key][0], v[row]) for key, v in episode.obs.items())
        if not same:
            raise DreamError(
                f"the environment shows something else at row {row} than when the episode was "
                "played: it does not repeat itself for the same seed and actions, so reality "
                "cannot go on from there."
            )

    def step(self, action: Mapping[str, np.ndarray]) -> tuple[Step, np.ndarray | None]:
        """One row more for actions (1, components) by key, and how the environment draws itself.

        Raises DreamError where the episode is over, or the environment fails.
        """
        if self.over:
            raise DreamError("the real episode is over.")
        try:
            step = stepped(self._envs, _shaped(action, 0, self._envs.action_specs))
            picture = drawn(self._envs)
        except EnvError as error:
            raise DreamError(f"the environment failed: {error}") from error
        self.over = bool(step.is_last[0])
        return step, picture

    def close(self) -> None:
        """End the environment."""
        self._envs.close()


def stepped(envs: Vector, action: Mapping[str, np.ndarray]) -> Step:
    """The row that answers `action`."""
    envs.send(dict(action))
    return envs.recv()


def drawn(envs: Vector, index: int = 0) -> np.ndarray | None:
    """How an environment draws itself, at most `LONG_SIDE` pixels; None where it shows pictures to
    the agent, or does not draw."""
    if any(spec.kind == "image" for spec in envs.obs_specs.values()):
        return None
    try:
        picture = envs.render(index)
    except EnvError:
        return None
    if picture is None:
        return None
    rgb = to_rgb(picture[None])[0]
    image = Image.fromarray(rgb)
    image.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.BOX)
    return np.asarray(image)


def film(pictures: Sequence[np.ndarray | None]) -> np.ndarray | None:
    """The pictures as one array; None where one is missing or of another size."""
    there = [picture for picture in pictures if picture is not None]
    if len(there) < len(pictures) or len({picture.shape for picture in there}) != 1:
        return None
    return np.stack(there)


def _nothing(specs: Specs) -> dict[str, np.ndarray]:
    return {key: np.zeros((1, *spec.shape), spec.dtype) for key, spec in specs.items()}


def _shaped(action: Mapping[str, np.ndarray], row: int, specs: Specs) -> dict[str, np.ndarray]:
    return {
        key: np.asarray(action[key][row], spec.dtype).reshape(1, *spec.shape)
        for key, spec in specs.items()
    }
