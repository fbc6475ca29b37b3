"""MiniGrid and BabyAI as pictures."""

import itertools
from typing import Any

import gymnasium
import numpy as np

from reverie.envs.base import EnvError, Split
from reverie.envs.minigrid_variants import PAPER_CAP, PAPER_TILE, VARIANTS, Variant
from reverie.envs.names import MISSION_WORDS, minigrid_ids
from reverie.envs.options import EnvConfig
from reverie.envs.pictures import fill_up, resize

SHORT, LONG = 24, 80
"""Words of a mission that are shown: of one instruction, and of up to four in sequence."""


class GridPicture(gymnasium.ObservationWrapper):
    """Replaces the symbolic `image` by a square RGB picture of exactly `size` pixels.

    A cell is drawn with floor(size / n) pixels, where n is the longer side of the grid or of the
    agent's view; black pixels at the right and at the bottom fill the picture up. With 64 pixels
    the 7x7 view is 63 pixels wide and gets one black column and row. With `tile` a cell has so many
    pixels instead and the picture is stretched to `size` by the nearest pixel.
    """

    def __init__(self, env: gymnasium.Env, *, size: int, full: bool, tile: int = 0):
        gymnasium.ObservationWrapper.__init__(self, env)
        core: Any = env.unwrapped
        cells = (core.width, core.height) if full else (core.agent_view_size,) * 2
        self._tile, self._full, self._size = tile or size // max(cells), full, size
        self._stretch = bool(tile)
        if self._tile < 1:
            raise EnvError(
                f"env.size {size} is too small to draw {cells[0]}x{cells[1]} cells; it must be at "
                f"least {max(cells)}."
            )
        picture = gymnasium.spaces.Box(0, 255, (size, size, 3), np.uint8)
        place = gymnasium.spaces.MultiDiscrete([core.width, core.height])
        parts = {**env.observation_space.spaces, "image": picture}  # type: ignore[attr-defined]
        parts["log/position"] = place
        self.observation_space = gymnasium.spaces.Dict(parts)

    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        """The same observation with the picture (size, size, 3) uint8 as `image`, and the cell of
        the agent (column, row) for the log."""
        core: Any = self.env.unwrapped
        drawn = core.get_frame(highlight=self._full, tile_size=self._tile, agent_pov=not self._full)
        how = resize(drawn, self._size, "nearest") if self._stretch else fill_up(drawn, self._size)
        return {**observation, "image": how, "log/position": np.array(core.agent_pos, np.int64)}


class Mission(gymnasium.ObservationWrapper):
    """Replaces the text `mission` by the numbers of its words, 0 after the last.

    Shape (most,), values 0 … len(MISSION_WORDS). A comma is a word. A mission of more words than
    `most`, or with an unknown one, raises EnvError.
    """

    def __init__(self, env: gymnasium.Env, most: int):
        gymnasium.ObservationWrapper.__init__(self, env)
        self._most = most
        self._number = {word: place for place, word in enumerate(MISSION_WORDS, start=1)}
        space = gymnasium.spaces.MultiDiscrete([len(MISSION_WORDS) + 1] * most)
        parts = {**env.observation_space.spaces, "mission": space}  # type: ignore[attr-defined]
        self.observation_space = gymnasium.spaces.Dict(parts)

    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        """The same observation with `mission` (most,) int64."""
        words = observation["mission"].replace(",", " ,").split()
        unknown = sorted(set(words) - set(self._number))
        if unknown or len(words) > self._most:
            wrong = f"the words {', '.join(unknown)}" if unknown else f"{len(words)} words"
            raise EnvError(
                f"The mission {observation['mission']!r} has {wrong}; known are {self._most} words "
                "of minigrid's own vocabulary. --env.kwargs '{\"words\": N}' shows N words, 0 none."
            )
        numbers = np.zeros(self._most, np.int64)
        numbers[: len(words)] = [self._number[word] for word in words]
        return {**observation, "mission": numbers}


class FixedLayout(gymnasium.Wrapper):
    """Every episode has the grid of seed `layout`; the direction of the agent is drawn anew. The
    goal stands in the cell `goal` (column, row) where one is named."""

    def __init__(self, env: gymnasium.Env, layout: int, goal: tuple[int, int] | None = None):
        gymnasium.Wrapper.__init__(self, env)
        self._layout, self._goal = layout, goal

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First observation and info."""
        _, info = self.env.reset(seed=self._layout, options=options)
        core: Any = self.env.unwrapped
        core.agent_dir = int(np.random.default_rng(seed).integers(4))
        if self._goal is not None:
            _move_goal(core.grid, self._goal)
        return core.gen_obs(), info


def _move_goal(grid: Any, cell: tuple[int, int]) -> None:
    """Take the goal from where it is and put it into an empty cell."""
    cells = list(itertools.product(range(grid.width), range(grid.height)))
    [place] = [at for at in cells if getattr(grid.get(*at), "type", "") == "goal"]
    goal = grid.get(*place)
    grid.set(*place, None)
    grid.set(*cell, goal)


class PaperEnding(gymnasium.Wrapper):
    """Episodes end as in Continual-Dreamer: truncated after 100 steps, own time-outs terminal."""

    def __init__(self, env: gymnasium.Env):
        gymnasium.Wrapper.__init__(self, env)
        self._steps = 0

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First observation and info."""
        self._steps = 0
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any):
        """What the environment answers, with the ends labelled anew."""
        self._steps += 1
        observation, reward, ended, timeout, info = self.env.step(action)
        ended = ended or timeout
        return observation, reward, ended, self._steps == PAPER_CAP and not ended, info


class OnlyImage(gymnasium.ObservationWrapper):
    """Hides everything but the picture and the log."""

    KEYS = ("image", "log/position")

    def __init__(self, env: gymnasium.Env):
        gymnasium.ObservationWrapper.__init__(self, env)
        spaces: Any = env.observation_space
        self.observation_space = gymnasium.spaces.Dict({key: spaces[key] for key in self.KEYS})

    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        """The picture alone, and the log."""
        return {key: observation[key] for key in self.KEYS}


def build(
    name: str, config: EnvConfig, split: Split, /, **kwargs: Any
) -> tuple[gymnasium.Env, list[str]]:
    """A MiniGrid or BabyAI task as pictures. Reads `view` and `size`.

    Besides what the environment takes, `kwargs` may hold `words`: words of the mission that are
    shown, by default 0 where every episode has the same mission. A bonus for new cells is
    `bonus`, which evaluations are free of.

    Raises ImportError if minigrid is missing, EnvError if its files lack what the id needs.
    """
    import minigrid  # noqa: F401  (registers the ids)

    variant = VARIANTS.get(name) or Variant(minigrid_ids()[name], "")
    words = kwargs.pop("words", None)
    kwargs = {"render_mode": "rgb_array", **variant.kwargs, **kwargs}
    try:
        env = gymnasium.make(variant.id, disable_env_checker=True, **kwargs)
    except (OSError, gymnasium.error.DependencyNotInstalled) as error:
        raise EnvError(f"{variant.id} cannot be built by the installed minigrid: {error}") from None
    if variant.layout is not None:
        env = FixedLayout(env, variant.layout, variant.goal)
    if variant.paper:
        env = GridPicture(PaperEnding(env), size=config.size, full=False, tile=PAPER_TILE)
        text = f"the agent's view, 56x56 pixels stretched to {config.size}; nothing else is shown."
        return OnlyImage(env), [f"Observation 'image': {text}"]
    most = _words(env, variant.id) if words is None else words
    env = Mission(env, most) if most else env
    full = config.view == "full"
    shown = "the whole grid" if full else "the agent's view"
    env = GridPicture(env, size=config.size, full=full)
    return env, [f"Observation 'image': {shown} as a picture of {config.size} pixels a side."]


def _words(env: gymnasium.Env, id: str) -> int:
    """Words of the mission that tell something: none where every episode has the same."""
    space: Any = env.observation_space["mission"]  # type: ignore[index]
    if not id.startswith("BabyAI-"):
        return SHORT if space.ordered_placeholders else 0
    sequences = any(part in id for part in ("Seq", "Boss"))
    return LONG if sequences else SHORT
