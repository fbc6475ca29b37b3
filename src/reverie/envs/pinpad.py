"""PinPad: pads on a floor that pay when they are stepped on in the right order.

Written anew after the environment of the official DreamerV3; its memory and exploration test.
"""

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np

from reverie.envs.base import Split
from reverie.envs.options import EnvConfig

WIDTH, HEIGHT = 16, 14
"""Cells of the floor, walls included. Two rows below show what was stepped on."""
LENGTH = 10_000
"""Steps of an episode."""
PAUSE = 10
"""Steps between a reward and the jump to a new place."""
MOVES = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0))
"""Actions: stay, down, up, right, left."""

Rectangle = tuple[int, int, int, int]
"""Column, row, width, height; from the upper left."""

_SEVEN: Mapping[int, tuple[Rectangle, ...]] = {
    1: ((1, 1, 3, 2), (1, 3, 2, 1)),
    2: ((12, 11, 3, 2), (13, 10, 2, 1)),
    3: ((1, 5, 2, 4),),
    4: ((12, 1, 3, 2), (13, 3, 2, 1)),
    5: ((13, 5, 2, 4),),
    6: ((1, 11, 3, 2), (1, 10, 2, 1)),
    7: ((6, 11, 4, 2),),
}
FLOORS: Mapping[str, Mapping[int, tuple[Rectangle, ...]]] = {
    "three": {1: ((1, 1, 4, 4),), 2: ((6, 9, 4, 4),), 3: ((11, 1, 4, 4),)},
    "four": {
        1: ((1, 1, 4, 4),),
        2: ((11, 9, 4, 4),),
        3: ((1, 9, 4, 4),),
        4: ((11, 1, 4, 4),),
    },
    "five": {
        1: ((1, 2, 3, 4),),
        2: ((11, 10, 4, 3),),
        3: ((1, 8, 3, 4),),
        4: ((11, 1, 4, 3),),
        5: ((12, 5, 3, 4),),
    },
    "six": {
        1: ((1, 1, 3, 3),),
        2: ((12, 10, 3, 3),),
        3: ((1, 5, 2, 4),),
        4: ((1, 10, 3, 3),),
        5: ((12, 1, 3, 3),),
        6: ((13, 5, 2, 4),),
    },
    "seven": _SEVEN,
    "eight": {**_SEVEN, 8: ((6, 1, 4, 2),)},
}
"""Pads of each task, by their number."""

COLORS = np.array(
    [
        *([255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0]),
        *([255, 0, 255], [0, 255, 255], [128, 0, 128], [0, 128, 128]),
    ],
    np.uint8,
)
"""Color of the floor and of the pads 1 to 8."""
WALL, PLAYER, PAID = (192, 192, 192), (0, 0, 0), (223, 255, 223)


class PinPad(gymnasium.Env):
    """Stepping on all pads in the order of their numbers earns 10; then it starts again elsewhere.

    Shown is one picture (64, 64, 3): pads are pale, the one stepped on is bright, the pads stepped
    on last stand in the margin. Episodes are truncated after 10000 steps; there is no true end.
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(self, task: str, *, length: int = LENGTH):
        self._floor = np.zeros((WIDTH, HEIGHT), np.int64)
        for number, rectangles in FLOORS[task].items():
            for column, row, width, height in rectangles:
                self._floor[column : column + width, row : row + height] = number
        self._count, self._length = len(FLOORS[task]), length
        image = gymnasium.spaces.Box(0, 255, (64, 64, 3), np.uint8)
        self.observation_space = gymnasium.spaces.Dict({"image": image})
        self.action_space = gymnasium.spaces.Discrete(len(MOVES))
        self.render_mode = "rgb_array"
        self._rng = np.random.default_rng(0)
        self._player, self._trace = (1, 1), []
        self._steps, self._pause = 0, 0

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First picture, the player anywhere on the floor."""
        self._rng = np.random.default_rng(seed)
        self._steps, self._pause = 0, 0
        self._jump()
        return {"image": self._draw()}, {}

    def _jump(self) -> None:
        self._player = (
            int(self._rng.integers(1, WIDTH - 1)),
            int(self._rng.integers(1, HEIGHT - 1)),
        )
        self._trace = []

    def step(self, action: int):
        """Picture, 10 or 0, False, the time limit, an empty info."""
        self._steps += 1
        if self._pause:
            self._pause -= 1
            if self._pause == 0:
                self._jump()
        column, row = np.add(self._player, MOVES[action])
        if 0 < column < WIDTH - 1 and 0 < row < HEIGHT - 1:
            self._player = (int(column), int(row))
        pad = int(self._floor[self._player])
        if pad and self._trace[-1:] != [pad]:
            self._trace = [*self._trace, pad][-self._count :]
        paid = self._pause == 0 and self._trace == [*range(1, self._count + 1)]
        if paid:
            self._pause = PAUSE
        picture = {"image": self._draw()}
        return picture, 10.0 if paid else 0.0, False, self._steps >= self._length, {}

    def _draw(self) -> np.ndarray:
        cells = np.empty((WIDTH, WIDTH, 3), np.uint8)
        cells[:] = PAID if self._pause else COLORS[0]
        pads = self._floor > 0
        pale = (10 * COLORS[self._floor].astype(np.float64) + 90 * 255) / 100
        bright = self._floor == self._floor[self._player]
        shown = np.where(bright[..., None], COLORS[self._floor], pale.astype(np.uint8))
        cells[:, :HEIGHT][pads] = shown[pads]
        cells[[0, -1]], cells[:, [0, HEIGHT - 1]] = WALL, WALL
        cells[self._player] = PLAYER
        cells[:, HEIGHT:] = WALL
        for place, pad in enumerate(self._trace):
            cells[2 * place + 1, HEIGHT] = COLORS[pad]
        return cells.transpose(1, 0, 2).repeat(4, 0).repeat(4, 1)

    def render(self) -> Any:
        """The picture that the agent sees."""
        return self._draw()


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> gymnasium.Env:
    """A floor of three to eight pads; `kwargs` may hold `length`, the steps of an episode."""
    return PinPad(name, **kwargs)
