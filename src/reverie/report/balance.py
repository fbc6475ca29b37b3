"""Loss balancing on a page: which of its metrics are shown, and where a coefficient would stand."""

from collections.abc import Sequence

import numpy as np

from reverie.report.groups import value_of
from reverie.report.read import Run, Series
from reverie.report.series import trailing_mean, window_of
from reverie.world.optimum import harmony_sigma, unrectified_sigma

COEF = "balance/coef/"
WINDOW = (0.05, 10)
"""Share of the curve, and least points, over which a loss is averaged for its optimum."""

MEANING = "Dashed: the optimum for the running mean of this loss."


def shown(names: Sequence[str], runs: Sequence[Run]) -> list[str]:
    """The metrics of balancing that say something: of fixed weights only the weights."""
    fixed = all(value_of(run, "world.balance") == "fixed" for run in runs)
    start = COEF if fixed else "balance/"
    return [name for name in names if name.startswith(start)]


def optimum(run: Run, name: str) -> Series | None:
    """The coefficient `name` that is best for the loss's running mean, over the steps of the run.

    None where `name` is no coefficient, the kind of balancing has no optimum, or the run has no
    losses of that task. Source: HarmonyDream (arXiv:2310.00344), see `world/optimum.py`.
    """
    if not has_optimum(run, name):
        return None
    kind, task = value_of(run, "world.balance"), name.removeprefix(COEF)
    loss = run.get(f"balance/before/{task}")
    mean = trailing_mean(loss, window_of(len(loss.step), *WINDOW))
    if kind == "harmony":
        sigma = harmony_sigma(mean.value, _penalty(run, task))
    else:
        sigma = unrectified_sigma(mean.value)
    known = sigma > 0
    return Series(mean.step[known], 1.0 / np.asarray(sigma[known]))


def has_optimum(run: Run, name: str) -> bool:
    """Whether `name` is a coefficient that has an optimum in this run."""
    known = value_of(run, "world.balance") in ("harmony", "unrectified")
    return name.startswith(COEF) and known and f"balance/before/{name[len(COEF) :]}" in run.series


def _penalty(run: Run, task: str) -> float:
    """Weight of the logarithm of a task, as `Harmony.penalty_weight`."""
    if value_of(run, "world.balance.form") != "jax" or task != "dyn":
        return 1.0
    dyn, rep = value_of(run, "world.dynamics.dyn"), value_of(run, "world.dynamics.rep")
    return float(dyn / (dyn + rep))
