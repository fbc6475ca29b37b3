"""Options of `reverie sweep`; all others are those of `reverie train` and hold for every trial."""

from dataclasses import dataclass

from tyro.conf import Positional, UseAppendAction

from reverie.config.several import check_distinct
from reverie.folder.address import local_path
from reverie.part.checks import Checker
from reverie.part.errors import ConfigError, suggest
from reverie.part.values import SEEDS
from reverie.sweeps.backend import BACKENDS
from reverie.sweeps.plan import Direction

SEARCHES = ("optuna",)


@dataclass(frozen=True)
class SweepOptions:
    """Many runs: tasks x settings x seeds, or settings that a search chooses."""

    tasks: Positional[tuple[str, ...]] = ()
    """Tasks, or one file (`my.toml`): `tasks`, these options, and tables `vary` and `options`."""
    seeds: tuple[int, ...] = (1,)
    """One number: so many seeds, from 0 on. Several numbers: these seeds."""
    together: bool = False
    """The seeds of a setting learn in one process, as with `train --seeds`; a trial is then a
    setting, with a run folder for each seed in it."""
    vary: UseAppendAction[tuple[str, ...]] = ()
    """An option of train and its values, `optim.lr=4e-5,1e-4`; with a search also a range,
    `optim.lr=1e-5..1e-3:log`. May be given several times: all combinations are run."""
    logdir: str = ""
    """Sweep folder; the same command with the same folder goes on. Empty: runs/sweep-TASK."""
    backend: str = "local"
    """Where trials run: local (this machine), slurm, ray."""
    jobs: int = 0
    """Trials at once. 0: as many as fit (local), as the cluster grants (slurm, ray); of a search
    there 4, because each one more is chosen with less known."""
    retries: int = 1
    """Further tries of a trial that fails; each goes on from its newest checkpoint."""
    search: str = ""
    """Who chooses settings: optuna; empty: all combinations."""
    metric: str = "eval/return"
    """Metric that a search goes by; its last value counts, and its curve prunes."""
    direction: Direction = "maximize"
    """Whether much or little of the metric is good."""
    trials: int = 20
    """Trials of a search."""
    slurm: UseAppendAction[tuple[str, ...]] = ()
    """A parameter of the jobs, as submitit calls it: `partition=gpu`, `time=600` (minutes),
    `gpus_per_node=1`. May be given several times."""

    def __post_init__(self):
        check = Checker(self, "")
        check.at_least(0, "jobs", "retries")
        check.at_least(1, "trials")
        local_path(self.logdir, "--logdir of a sweep")
        if self.backend not in BACKENDS:
            raise ConfigError(
                f"there is no back end {self.backend!r}; {suggest(self.backend, BACKENDS)} slurm "
                "and ray need an extra: pip install 'reverie[slurm]' or 'reverie[ray]'."
            )
        if self.search and self.search not in SEARCHES:
            raise ConfigError(
                f"there is no search {self.search!r}; {suggest(self.search, SEARCHES)} It needs "
                "an extra: pip install 'reverie[optuna]'."
            )
        if not self.seeds or min(self.seeds) < 0 or max(self.seeds) >= SEEDS:
            raise ConfigError(f"seeds takes numbers from 0 to {SEEDS - 1}, found {self.seeds}.")

    def all_seeds(self) -> tuple[int, ...]:
        """The seeds that are meant. Raises ConfigError where one comes twice, or none is left."""
        if len(self.seeds) == 1:
            if self.seeds[0] < 1:
                raise ConfigError("--seeds takes a number of seeds, at least 1; found 0.")
            return tuple(range(self.seeds[0]))
        check_distinct(self.seeds)
        return self.seeds

    def parameters(self) -> dict[str, str]:
        """Those of the jobs, by name. Raises ConfigError for a word of another form."""
        found = {}
        for word in self.slurm:
            key, equals, value = word.partition("=")
            if not (key and equals and value):
                raise ConfigError(f"--slurm takes KEY=VALUE such as partition=gpu, found {word!r}.")
            found[key.removeprefix("slurm_")] = value
        return found
