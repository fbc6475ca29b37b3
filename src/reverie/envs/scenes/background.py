"""Natural background: DM Control with a moving picture where the scene is blue."""

import xml.etree.ElementTree as ET
from typing import Any

import gymnasium
import numpy as np

from reverie.envs.base import Split
from reverie.envs.dmc import ControlTask, camera_of, load, split_task
from reverie.envs.options import EnvConfig
from reverie.envs.scenes import clips

DARK = ("cheetah", "walker", "hopper", "stacker")
"""Domains whose floor is dark gray, so that it is not taken for background."""
FLOOR = {"rgb1": ".1 .1 .1", "rgb2": ".2 .2 .2", "markrgb": ".1 .1 .1"}
"""Colours of their checkered floor."""
MATERIALS = "./common/materials.xml"


def mask(picture: np.ndarray) -> np.ndarray:
    """Where the background is, (height, width) bool: blue above green and above red.

    Source: Zhang et al. 2021 (arXiv:2006.10742) as HarmonyDream runs it.
    """
    red, green, blue = np.moveaxis(picture, -1, 0)
    return (blue > green) & (blue > red)


class Background:
    """Scene that shows `frames` (count, side, side, 1 or 3) uint8 behind the agent.

    An episode begins at a frame drawn uniformly from its seed; every observation of the agent
    shows the next one, round and round.
    Deviation: as published the frames run on from episode to episode. Here an episode is a
    function of its seed and its actions, as everywhere in Reverie; where an episode begins is
    uniform in both.
    """

    def __init__(self, frames: np.ndarray):
        self._frames, self._at = frames, 0

    def begin(self, env: Any, seed: int) -> None:
        """Seed the task and choose the first frame."""
        env.task.random.seed(seed)
        self._at = int(np.random.default_rng(seed).integers(len(self._frames)))

    def paint(self, picture: np.ndarray) -> np.ndarray:
        """The picture with the present frame in its background."""
        frame, side = self._frames[self._at], len(picture)
        if len(frame) != side:  # a picture for people
            index = np.arange(side) * len(frame) // side
            frame = frame[index][:, index]
        return np.where(mask(picture)[..., None], frame, picture)

    def advance(self) -> None:
        """The next frame."""
        self._at = (self._at + 1) % len(self._frames)


def build(
    name: str, config: EnvConfig, split: Split, /, **kwargs: Any
) -> tuple[gymnasium.Env, list[str]]:
    """The environment of `dmcbg_NAME`.

    As published (`env.split` "same") evaluation has frames of its own from the same clips; with
    "held_out" its clips are others: a fifth of the videos, or clips made from other seeds.
    """
    domain, task = split_task(name)
    env = load(domain, task, **kwargs)
    if domain in DARK:
        _darken(env, domain, task)
    frames, note = _frames(config, split)
    camera = camera_of(domain, config)
    return ControlTask(env, config, camera=camera, scene=Background(frames)), [note]


def _darken(env: Any, domain: str, task: str) -> None:
    from dm_control import suite

    module = getattr(suite, domain)
    boxes = {"n_boxes": int(task.rpartition("_")[2])} if domain == "stacker" else {}
    maker = module.make_model if boxes else module.get_model_and_assets
    model, assets = maker(**boxes)
    tree = ET.fromstring(assets[MATERIALS])
    next(item for item in tree.iter("texture") if item.get("name") == "grid").attrib.update(FLOOR)
    env.physics.reload_from_xml_string(model, {**assets, MATERIALS: ET.tostring(tree)})


def _frames(config: EnvConfig, split: Split) -> tuple[np.ndarray, str]:
    options, apart = config.background, config.split == "held_out"
    seed = int(split == "eval")
    shape = {"count": options.frames, "side": config.size, "gray": options.gray}
    if options.videos:
        part = split if apart else "all"
        frames = clips.videos(options.videos, seed=seed, part=part, **shape)
        return frames, f"Background: {len(frames)} frames of the videos in {options.videos}."
    frames = clips.made(seed=seed if apart else 0, **shape)
    return frames, f"Background: {len(frames)} frames made by a program (env.background.videos)."
