"""What a suite is to Reverie: one row, ours (`suites.py`) or another package's (`registry.py`)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field


def _none() -> tuple[str, ...]:
    return ()


@dataclass(frozen=True)
class Suite:
    """One suite: its tasks are written SUITE_NAME.

    Nothing of the simulator is imported for a row; a package offers its own by an entry point of
    the group `reverie.suites` whose name is the suite's.
    """

    build: str
    """`module:function`, imported when a task is made. It is called with the task's name without
    the suite's, the `EnvConfig`, what the environment is for ("train" or "eval"), and `env.kwargs`
    as keyword arguments; it returns a gymnasium.Env, or one and a list of sentences to be told
    before the run starts."""
    names: Callable[[], Iterable[str]]
    """Names of the tasks that are listed, without the suite's."""
    meaning: str
    """A task in the list; `{}` stands for its name in words."""
    extra: str = ""
    """Extra of Reverie's that installs the simulator; empty where it comes with the package."""
    preset: str = "gym"
    """Benchmark preset of its tasks where the user names none."""
    by_agent: Mapping[str, str] = field(default_factory=dict)
    """The same for agents that have a block of their own: agent -> preset."""
    board: bool = False
    """What it shows is a board of few cells, in a picture or in numbers, and no screen or camera; a
    name may tell its side (`16x16`, `s11`). See `config/small.py`."""
    long: tuple[str, ...] = ()
    """Words in the names of its tasks that no small model learns in minutes; `("",)`: all of them.
    Where a preset says that they show pictures, and no `board`, that is known without it."""
    own_repeat: bool = False
    """`build` itself repeats actions (`env.repeat`)."""
    compiled: bool = False
    """JAX-native: `build` returns a `functional.game.Game`, of which copies step in one call."""
    special: Mapping[str, str] = field(default_factory=dict)
    """Meaning of single tasks that have one of their own."""
    unlisted: Callable[[], Iterable[str]] = _none
    """Names of tasks that it plays besides those."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Spellings of other code bases for the same task."""
    open: bool = False
    """Other names are passed on: the simulator knows more of them."""
    advice: str = ""
    """How to obtain the simulator where no extra can."""

    def meaning_of(self, name: str) -> str:
        """The line of the list about the task `name`."""
        return self.special.get(name) or self.meaning.format(name.replace("_", " "))

    def missing(self) -> str:
        """How to obtain a simulator that is missing; empty where the row does not say."""
        if self.advice or not self.extra:
            return self.advice
        return f"Install it with: pip install 'reverie[{self.extra}]'"
