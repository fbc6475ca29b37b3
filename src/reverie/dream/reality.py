"""The real environment of a run, where it can be rebuilt: episodes played now, and branches."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from reverie.behavior.policy import Acting
from reverie.config.schema import Config
from reverie.dream.episode import MOST_ROWS, Episode, as_episode
from reverie.dream.errors import DreamError
from reverie.envs.base import EnvError
from reverie.envs.pictures import to_rgb
from reverie.envs.vector import Vector
from reverie.folder.errors import RunError
from reverie.records import Specs, Step
from reverie.train import checkpoint, sequence, stranger
from reverie.train.collect import Actor
from reverie.train.evaluate import by_explorer, eval_envs
from reverie.train.learner import EVAL, purpose_key

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

    def open(self, task: str, seed: int) -> Vector:
        """One environment, which plays the episodes of `reverie eval RUN --seed SEED`.

        Raises DreamError, with the reason, where it cannot be made.
        """
        if self.missing:
            raise DreamError(f"the environment cannot be made: {self.missing}")
        if task not in self.tasks:
            raise DreamError(f"the run has no task {task!r}; it has {', '.join(self.tasks)}.")
        first = self._config.env.num + self.tasks.index(task)
        source = sequence.source(task, self._make_env)
        try:
            envs = eval_envs(self._config, source, num=1, seed=seed, first_index=first)
        except EnvError as error:
            raise DreamError(f"the environment cannot be made: {error}") from error
        try:
            here = {"obs": envs.obs_specs, "action": envs.action_specs}
            there = {"obs": self._specs[0], "action": self._specs[1]}
            checkpoint.check_specs(there, here, "in training")
        except RunError as error:
            envs.close()
            raise DreamError(str(error)) from error
        return envs

    def play(self, acting: Acting, task: str, seed: int, *, greedy: bool = False) -> Episode:
        """The first episode of `reverie eval RUN --seed SEED`, at most `MOST_ROWS` of its rows.

        Raises DreamError where the environment cannot be made or fails.
        """
        how: dict[str, Any] = {"greedy": greedy, "explore": by_explorer(self._config)}
        actor = Actor(self._specs[1], 1, purpose_key(seed, EVAL), **how)
        rows: list[dict[str, Any]] = []
        pictures: list[np.ndarray | None] = []
        with self.open(task, seed) as envs:
            try:
                while not rows or not (rows[-1]["is_last"][0] or len(rows) == MOST_ROWS):
                    step = stepped(envs, actor.action)
                    rows.append(actor(acting, step))
                    pictures.append(drawn(envs))
            except EnvError as error:
                raise DreamError(f"the environment failed: {error}") from error
        columns = {key: np.stack([row[key][0] for row in rows]) for key in rows[0]}
        cut = "" if columns["is_last"][-1] else f", cut at {MOST_ROWS:,}"
        how_acted = ", greedy" if greedy else ""
        name = f"played with seed {seed}{how_acted}: {len(rows):,} rows{cut}"
        more = {"seed": seed, "task": task, "drawn": film(pictures)}
        return as_episode(name, columns, self._specs[1], **more)


class Beside:
    """Reality beside a dream: the environment of an episode, brought to the row where it begins.

    Raises DreamError where the episode cannot be played again, or shows something else.
    """

    def __init__(self, world: World, episode: Episode, row: int):
        if episode.seed is None:
            raise DreamError(
                "reality cannot go on here: rows of the replay do not say how their episode began. "
                "Choose an episode that is played now."
            )
        self._envs, self.over = world.open(episode.task, episode.seed), False
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


def drawn(envs: Vector) -> np.ndarray | None:
    """How environment 0 draws itself, at most `LONG_SIDE` pixels; None where it shows pictures to
    the agent, or does not draw."""
    if any(spec.kind == "image" for spec in envs.obs_specs.values()):
        return None
    try:
        picture = envs.render(0)
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
