"""Whether a task is small: learned in minutes by a tiny model, so that its settings are quick.

What a task shows is known for certain when its environment exists, and then it has its settings:
how many environments there are is one of them. To make one before that would take seconds of
a simulator, on every machine that only plans a run. So what decides is what is known of a task by
its name, and where the spaces turn out larger than that, the run says so (`too_large`).
"""

import math
import re

from reverie.config.benchmarks import BENCHMARKS
from reverie.envs import gym_ids, registry
from reverie.records import Specs

BOARD = 9
"""Cells along the side of a board that is small still."""

SIDE = re.compile(r"(\d+)x\d+|s(\d+)(?!\d)")
"""How the name of a task tells the side of its board: `doorkey_16x16`, `simplecrossings11n5`."""

SCREENS = ("CarRacing",)
"""Beginnings of Gymnasium's own ids that show a screen."""

PIXELS, NUMBERS = 64 * 64, 2_500
"""Most pixels of a picture, and most numbers and classes together, of what is small still."""


def is_small(task: str) -> bool:
    """Whether `task` (`suite_task`, `gym:ID`, `custom:NAME`) is small, by what is known of it:

    - a suite says that its tasks are long (`Suite.long`), or its preset that they show pictures
      that draw no board (`Preset.pictures`, `Suite.board`), or a name tells a large board: no;
    - its preset comes with a model size: its authors chose already, no;
    - an id of Gymnasium is as the same simulator's suite of ours;
    - anything else, a new suite and an environment of one's own among them: yes.

    Raises EnvError where another package's suite cannot be loaded.
    """
    suite, name = _home(task)
    if not suite:
        return not name.startswith(SCREENS)
    row, name = registry.row(suite), name.lower().replace("-", "_")
    preset = BENCHMARKS.get(row.preset)
    chosen = preset is not None and preset.size != "auto"
    screen = preset is not None and preset.pictures is True and not row.board
    long = any(word in name for word in row.long)
    return not (chosen or screen or long or (row.board and _side(name) > BOARD))


def _home(task: str) -> tuple[str, str]:
    """The suite that knows of `task`, '' where none does, and the task's name there."""
    kind, colon, name = task.partition(":")
    if colon and kind == "gym":
        return gym_ids.kin(name), name.rpartition(":")[2]
    return ("", name) if colon and kind in registry.PLAIN else registry.split(task)


def _side(name: str) -> int:
    """Cells along the largest side that a name tells; 0 where it tells none."""
    return max((int(a or b) for a, b in SIDE.findall(name)), default=0)


def too_large(obs: Specs) -> str:
    """What of these observations is larger than a small task's, in words; '' where nothing is."""
    for key, spec in obs.items():
        if spec.kind == "image" and math.prod(spec.shape[:2]) > PIXELS:
            return f"a picture {key!r} of {spec.shape[0]}x{spec.shape[1]} pixels"
    count = sum(math.prod(spec.shape) for spec in obs.values() if spec.kind != "image")
    return f"{count:,} numbers and classes" if count > NUMBERS else ""
