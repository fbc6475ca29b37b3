"""The options of `reverie doctor`."""

from dataclasses import dataclass

from tyro.conf import Positional

from reverie.part.checks import Checker


@dataclass(frozen=True)
class DoctorOptions:
    """Check an environment, measure it, show what the agent sees and what a run would take."""

    task: Positional[str]
    """Environment: suite_task, gym:ID, or MODULE:FUNCTION that returns a gymnasium.Env."""
    preset: str = ""
    """Benchmark preset, or a file of your own, whose settings are used; empty: the one that
    `reverie train` would use."""
    size: str = "auto"
    """Model size of the planned run."""
    set: tuple[str, ...] = ()
    """Changes of the configuration, KEY=VALUE, for example env.limit=500."""
    steps: int = 1000
    """Steps that are watched."""
    seconds: float = 1.0
    """Length of each measurement of speed; 0 measures none and plans nothing."""
    sheet: str = ""
    """File for the contact sheet (PNG); empty: doctor-TASK.png in the current folder."""
    json: str = ""
    """File for all findings and numbers, one JSON object."""

    def __post_init__(self):
        check = Checker(self, "")
        check.at_least(1, "steps")
        check.at_least(0, "seconds")
