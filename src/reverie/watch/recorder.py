"""What people look at: one environment's pictures, collected row by row."""

import logging

import numpy as np

from reverie.envs.base import EnvError
from reverie.envs.vector import Vector
from reverie.records import Specs, Step

log = logging.getLogger("reverie")

LONGEST = 1000
"""Frames of a recorded episode at most; a longer one ends early in the video."""


class EpisodeRecorder:
    """The pictures of environment 0, from the first row of its next episode on.

    Args:
        wanted: whether the very next episode is recorded; `begin` asks for another one.
    """

    def __init__(self, *, wanted: bool = False):
        self.wanted = wanted
        self._frames: list[np.ndarray] = []

    def begin(self) -> None:
        """Record the next episode."""
        self.wanted = True

    def add(self, envs: Vector, step: Step, *, render: bool = False) -> np.ndarray | None:
        """Take in one row; the frames (T, H, W, C) uint8 when it ends a recorded episode.

        Without a picture among the observations the environment is asked to draw if `render` is
        set; where it cannot, nothing is recorded.
        """
        if not self.wanted or not (self._frames or step.is_first[0]):
            return None
        if step.is_first[0]:
            self._frames = []
        frame = picture(step, envs.obs_specs)
        frame = drawn(envs) if frame is None and render else frame
        if frame is not None and len(self._frames) < LONGEST:
            self._frames.append(frame)
        if frame is not None and not step.is_last[0]:
            return None
        frames, self._frames, self.wanted = self._frames, [], False
        return _stacked(frames)


def _stacked(frames: list[np.ndarray]) -> np.ndarray | None:
    """The frames as one array; None where there are none or their shapes differ."""
    shapes = sorted({frame.shape for frame in frames})
    if len(shapes) > 1:
        log.warning(
            "No video of this episode: the environment drew pictures of the shapes %s; those of a "
            "video must be equal.",
            " and ".join(map(str, shapes[:2])),
        )
    return np.stack(frames) if len(shapes) == 1 else None


def drawn(envs: Vector) -> np.ndarray | None:
    """Environment 0 as it draws itself, or None where it cannot: no video is worth a run."""
    try:
        return envs.render(0)
    except EnvError as error:
        log.warning("No video of this episode: %s", error)
        return None


def picture(step: Step, specs: Specs, index: int = 0) -> np.ndarray | None:
    """The largest picture that an environment shows, (H, W, C) uint8, or None."""
    key = largest_picture(specs)
    return None if key is None else step.obs[key][index]


def largest_picture(specs: Specs) -> str | None:
    """The key of the largest picture among observations, or None."""
    images = [key for key, spec in specs.items() if spec.kind == "image"]
    return max(images, key=lambda name: specs[name].size) if images else None
