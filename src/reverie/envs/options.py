"""Options of the environments: which, how many, and how they are shown to the agent."""

from dataclasses import dataclass, field
from typing import Literal

from reverie.part.checks import Checker
from reverie.part.values import EMPTY, JsonObject

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


@dataclass(frozen=True)
class EnvConfig:
    """Station 1: which environments, how many, and how they are shown to the agent."""

    num: int = 1
    """Environments that step side by side while training."""
    parallel: bool = True
    """Step the environments in processes of their own (False: in this process, one by one)."""
    backend: Literal["local", "ray"] = "local"
    """Where the processes run: on this machine, or with actors of Ray on the cluster that the
    variable RAY_ADDRESS names (else that of this machine, else one of the run's own)."""
    workers: int = 0
    """Processes or actors that share the environments, where a message costs more than a step (0: a
    process each, an actor for 16). A crash costs the open episodes of its whole process."""
    repeat: int = 1
    """Environment frames per action of the agent (action repeat, frame skip)."""
    size: int = 64
    """Side of square image observations that the adapter renders or resizes, pixels."""
    limit: int = 0
    """Longest episode, agent steps; longer ones are truncated. 0: the environment's own limit."""
    exclude: tuple[str, ...] = ()
    """Observation keys hidden from the agent."""
    kwargs: JsonObject = EMPTY
    """JSON object of extra keyword arguments for the environment's constructor; from Python also a
    dictionary."""
    observe: Literal["proprio", "vision", "both"] = "proprio"
    """MuJoCo suites: which observations the agent sees."""
    camera: int = -1
    """DM Control: camera index. -1: 0, or 2 for the quadruped."""
    gray: bool = False
    """Atari: one luminance channel instead of RGB."""
    resize: Literal["bilinear", "area"] = "bilinear"
    """Atari: filter that shrinks the screen; with area the gray is the emulator's own, as in
    Gymnasium's AtariPreprocessing."""
    sticky: float = 0.0
    """Atari: probability that the emulator repeats the previous action."""
    noops: int = 30
    """Atari: at most this many no-op frames (uniformly drawn) after a reset."""
    actions: Literal["needed", "all"] = "needed"
    """Atari: the game's minimal action set or all 18 actions."""
    lives: Literal["unused", "discount", "reset"] = "unused"
    """Atari: a lost life does nothing, is terminal without reset, or ends the episode."""
    limit_is_terminal: bool = False
    """Label a truncated episode as terminal, as the reference does for Atari (its known quirk)."""
    view: Literal["partial", "full"] = "partial"
    """MiniGrid: the agent's 7x7 view or the whole grid, as pictures."""
    split: Literal["same", "held_out"] = "same"
    """Suites that draw looks, clips or levels: evaluation draws from what training draws from, or
    from what training never sees."""
    remastered: RemasteredConfig = field(default_factory=RemasteredConfig)
    background: BackgroundConfig = field(default_factory=BackgroundConfig)
    timeout: float = 120.0
    """Seconds after which an environment process that does not answer is restarted."""
    restarts: int = 10
    """How often crashed or hung environments are restarted before the run stops with an error."""

    def __post_init__(self):
        check = Checker(self, "env.")
        check.at_least(1, "num", "repeat", "size")
        check.at_least(0, "limit", "noops", "restarts", "workers")
        check.require(self.workers <= self.num, "workers", f"at most env.num, which is {self.num}")
        check.require(self.parallel or not self.workers, "workers", "0 without env.parallel")
        check.require(
            self.parallel or self.backend == "local", "backend", "local without env.parallel"
        )
        check.at_least(-1, "camera")
        check.share("sticky")
        check.above(0, "timeout")
