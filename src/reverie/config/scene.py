"""Options of the two visual versions of DM Control: what is drawn differently, and from what."""

from dataclasses import dataclass
from typing import Literal

from reverie.part.checks import Checker

Factor = Literal["bg", "floor", "body", "target", "reflectance", "camera", "light"]


@dataclass(frozen=True)
class RemasteredConfig:
    """DMC-Remastered (tasks dmcr_…): the look is drawn anew for every episode.

    Source: DMC Remastered as HarmonyDream runs it (arXiv:2310.00344); the ranges of every factor
    stand in `envs/control/ranges.py`.
    """

    factors: tuple[Factor, ...] = (
        "bg",
        "floor",
        "body",
        "target",
        "reflectance",
        "camera",
        "light",
    )
    """Factors that vary; the others keep DM Control's own look (published for hopper: all but
    camera). Switching one off leaves what the others draw unchanged."""
    visual_seeds: int = 1_000_000
    """Looks to train on: seeds 1 to this number, one drawn uniformly per episode."""
    dynamics_seeds: int = 100_000
    """Initial states: seeds 1 to this number, one drawn uniformly per episode."""
    photos: str = ""
    """Folder with the subfolders `skies` and `floors`, whose photographs become textures (as
    published). Empty: textures made by a program, another one for every visual seed."""

    def __post_init__(self):
        check = Checker(self, "env.remastered.")
        check.at_least(1, "visual_seeds", "dynamics_seeds")


@dataclass(frozen=True)
class BackgroundConfig:
    """Natural background (tasks dmcbg_…): a moving picture replaces the blue of the scene.

    Source: HarmonyDream (arXiv:2310.00344) after Zhang et al. 2021 (arXiv:2006.10742).
    """

    videos: str = ""
    """Folder of videos (published: driving cars of Kinetics-400). Empty: moving pictures made by a
    program."""
    frames: int = 1_000
    """Frames an environment keeps; they go round."""
    gray: bool = True
    """Gray frames, as published; false: colours."""

    def __post_init__(self):
        Checker(self, "env.background.").at_least(2, "frames")
