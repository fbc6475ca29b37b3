"""Real runs of size debug, as trials and by hand, and whether they are the same."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tiny_runs import metrics

from reverie.sweeps import file
from reverie.sweeps.plan import Plan

OPTIONS = (
    "--size=debug",
    "--env.parallel=false",
    "--train.eval_episodes=1",
    "--train.save_every=2",
    "--device.kind=cpu",
    "--log.tensorboard=false",
    "--log.progress=none",
)
"""Of every run: one process, as little beside learning as may be."""
REVERIE = (sys.executable, "-m", "reverie")


def plan(trials: int, steps: int) -> Plan:
    """CartPole with seeds 0, 1, ..."""
    options = (*OPTIONS, f"--steps={steps}")
    return Plan(tasks=("gym:CartPole-v1",), seeds=tuple(range(trials)), options=options)


def by_hand(
    folder: Path, asked: Plan, at_once: int = 1, program: tuple[str, ...] = REVERIE
) -> None:
    """The commands of all trials, so many at once; what they say goes to files."""
    folder.mkdir(parents=True)

    def run(trial) -> None:
        with (folder / f"{trial.name}.log").open("w") as log:
            words = [*program, *file.command(folder, trial)]
            subprocess.run(words, check=True, stdout=log, stderr=log)

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(run, asked.trials()))


def check_same(one: Path, two: Path, asked: Plan) -> None:
    """Every trial is in both folders, with the same metrics but for times."""
    for trial in asked.trials():
        assert metrics(one / trial.name) == metrics(two / trial.name), trial.name
