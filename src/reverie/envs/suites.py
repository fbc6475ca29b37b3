"""The suites: what the list of tasks and the error messages must know of each. Data only.

A new suite is one row here, one `case` in `make.py` (or in the file of its family), one preset in
`config/benchmarks.py`, one extra in `pyproject.toml`, and one file with its adapter.
"""

import functools as ft
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reverie.envs import names
from reverie.envs.probes import PROBES


@dataclass(frozen=True)
class Suite:
    """One suite.

    `names` gives the tasks' names without the suite's, `extra` the extra of our package that
    installs the simulator ('' if it comes with Reverie). `meaning` describes a task in the list;
    `{}` stands for its name in words. `own_repeat` says that the adapter itself repeats actions.
    """

    names: Callable[[], Iterable[str]]
    extra: str
    meaning: str
    own_repeat: bool = False


@ft.cache
def minigrid_ids() -> dict[str, str]:
    """Our name -> Gymnasium id, for MiniGrid and BabyAI.

    The name is the id in lower case with "_" for "-", without `MiniGrid-` and `-v0`; BabyAI names
    begin with `babyai_`, and versions other than 0 keep their `_v1`.
    """
    pairs = [("", "MiniGrid-", stem) for stem in names.MINIGRID_IDS]
    pairs += [("babyai_", "BabyAI-", stem) for stem in names.BABYAI_IDS]
    return {
        ours + stem.lower().replace("-", "_"): theirs + stem + ("" if _versioned(stem) else "-v0")
        for ours, theirs, stem in pairs
    }


def _versioned(stem: str) -> bool:
    return stem[-3:-1] == "-v" and stem[-1].isdigit()


SUITES = {
    "atari": Suite(
        lambda: names.ATARI_GAMES,
        "atari",
        "Atari game {}, 200M protocol: sticky, 18 actions",
        own_repeat=True,
    ),
    "atari100k": Suite(
        lambda: names.ATARI100K_GAMES,
        "atari",
        "Atari game {}, 100k protocol: needed actions",
        own_repeat=True,
    ),
    "dmc": Suite(lambda: names.DMC_TASKS, "dmc", "DM Control: {}", own_repeat=True),
    "minigrid": Suite(minigrid_ids, "minigrid", "grid world {}, as pictures"),
    "probe": Suite(lambda: PROBES, "", "tiny environment with a known optimum: {}"),
}
"""Suites by the first part of their tasks' names, in the order in which they are listed.
`gym` is not among them: its tasks are written gym:ID."""

MORE_NAMES: dict[str, Callable[[], Iterable[str]]] = {"atari100k": lambda: names.ATARI_GAMES}
"""Tasks that a suite can play besides those it lists."""
