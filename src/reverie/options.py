"""Options of the verbs `eval`, `report` and `compare`; those of `train` are the configuration."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tyro.conf import Positional, UseAppendAction

from reverie.config.edit import field_types
from reverie.folder.address import is_url
from reverie.part.checks import Checker
from reverie.part.errors import ConfigError
from reverie.part.values import SEEDS
from reverie.web.show import HOST, PORT, check_place

if TYPE_CHECKING:
    from reverie.report.compare import Options


@dataclass(frozen=True)
class EvalOptions:
    """Play episodes with a trained agent, without learning."""

    run: Positional[str]
    """Run folder."""
    episodes: int = 10
    """Episodes in total."""
    greedy: bool = False
    """Play the mode of the policy instead of samples from it."""
    seed: int = 0
    """Root of the environments' and the policy's randomness."""
    envs: int = 1
    """Environments side by side."""
    device: Literal["auto", "cpu", "gpu", "tpu"] = "auto"
    """Device that computes; auto: the best that JAX finds."""
    allow: UseAppendAction[tuple[str, ...]] = ()
    """A module that the run's task may import besides Reverie's and Gymnasium's own: its code runs
    here. May be given several times. Settings of your machine and env.kwargs are written as for
    train, such as --env.timeout 300 or --device.cache DIR: they never come from the folder."""

    checkpoint: str = "newest"
    """Whose weights play: newest, best where the run keeps one, or the STEP of one."""
    video: str = ""
    """Folder for a film of every episode. Empty: no films."""
    json: bool = False
    """Write the result to the standard output as one JSON object, and nothing else."""

    env: tuple[str, ...] = ()
    """MODULE:FUNCTION that makes the environment of a run that was trained on a callable; of a
    sequence of tasks, all of them."""

    def __post_init__(self):
        check = Checker(self, "")
        check.at_least(1, "episodes", "envs")
        check.at_least(0, "seed")
        check.require(self.seed < SEEDS, "seed", f"at most {SEEDS - 1}")

    def how(self) -> dict[str, Any]:
        """The arguments of `evaluate_run` that say how to play, the checkpoint only where it is
        not the newest."""
        names = ("episodes", "greedy", "seed", "envs")
        found = {name: getattr(self, name) for name in names}
        return found if self.checkpoint == "newest" else found | {"at": self.checkpoint}


@dataclass(frozen=True)
class ReportOptions:
    """Write one self-contained HTML page about one or more runs, or serve it while they train."""

    runs: Positional[tuple[str, ...]]
    """Run folders; a sweep folder stands for the runs in it."""
    out: str = ""
    """File to write. Empty: report.html in the run folder, or in the closest folder that holds all
    of several."""
    live: bool = False
    """Serve the page on this machine and keep it up to date while runs train; nothing is written.
    The folders may come later."""
    port: int = PORT
    """With --live, port of the page; where it is in use, the next one that is free. 0: any."""
    host: str = HOST
    """With --live, address to listen at. Where others than this machine can reach it, the page's
    address holds a token without which nothing is answered."""

    def __post_init__(self):
        check_place(self)
        if self.live and self.out:
            raise ConfigError("--live serves the page and writes none: leave out --live or --out.")
        for name, default in (("port", PORT), ("host", HOST)):
            if not self.live and getattr(self, name) != default:
                raise ConfigError(f"--{name} is where a live page is served: add --live.")
        if not self.runs:
            raise ConfigError("name at least one run folder: `reverie report runs/mine`.")


@dataclass(frozen=True)
class CompareOptions:
    """Groups of runs side by side: mean, IQM and intervals over seeds, curves, a page."""

    runs: Positional[tuple[str, ...]]
    """Run folders; a sweep folder stands for the runs in it."""
    by: str = ""
    """Configuration fields that make the groups, with commas between: `harmony`, `agent,size`,
    `optim.lr`, or a section (`replay`). Empty: what a sweep varied, else the fields in which the
    runs differ."""
    metric: str = "auto"
    """Metric to compare. auto: eval/return where all runs have it, else episode/return."""
    until: int = 0
    """Last environment step; shorter runs are left out. 0: as far as all runs got."""
    points: int = 60
    """Points of a curve."""
    resamples: int = 2_000
    """Bootstrap resamples of an interval."""
    reference: UseAppendAction[tuple[str, ...]] = ()
    """Scores of a task that count as 0 and 1 where tasks are taken together, TASK=LOW,HIGH. May be
    given several times. Atari100k and DM Control have their own; for others the lowest and highest
    number of these runs count."""
    out: str = "comparison"
    """Folder for the page, the pictures and the numbers; `none` writes nothing."""

    def __post_init__(self):
        Checker(self, "")
        if not self.runs:
            raise ConfigError("name the run folders: `reverie compare runs/* --by harmony`.")

    def options(self) -> "Options":
        """What the comparison needs of them."""
        from reverie.report.compare import Options

        names = tuple(self.by.replace(",", " ").split()) or self._varied()
        scales = tuple(map(reference_of, self.reference))
        return Options(
            names, self.metric, self.until, self.points, self.resamples, references=scales
        )

    def _varied(self) -> tuple[str, ...]:
        """The fields that the sweeps among the folders varied."""
        from reverie.report.groups import FLAGS, SECTION
        from reverie.sweeps import file

        folders = [Path(run).expanduser() for run in self.runs if not is_url(run)]
        plans = [file.read(folder).plan for folder in folders if file.exists(folder)]
        varied = [key for plan in plans for key in plan.vary if len(plan.choices(key)) != 1]
        fields = {*field_types(), *FLAGS, SECTION}
        return tuple(dict.fromkeys(key for key in varied if key in fields))


def reference_of(text: str) -> tuple[str, float, float]:
    """`TASK=LOW,HIGH` taken apart. Raises ConfigError for anything else."""
    task, _, bounds = text.rpartition("=")
    try:
        low, high = map(float, bounds.split(","))
    except ValueError:
        low = high = math.nan
    if not task or not math.isfinite(low - high) or low == high:
        raise ConfigError(
            f"--reference takes TASK=LOW,HIGH, two different numbers, found {text!r}: "
            "--reference gym:CartPole-v1=20,500."
        )
    return task, low, high
