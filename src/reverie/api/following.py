"""What to do with runs that have ended: play, compare, learn longer; as commands, and as Python."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reverie.config.schema import Config
from reverie.envs.origin import foreign_modules
from reverie.part.saved import modules_of
from reverie.report.closing import near
from reverie.train.sequence import evaluated

Following = Callable[[Sequence[Path]], Sequence[str]]
"""What can be done with run folders, a line each."""

OTHER = "OTHER_RUN"
"""Stands for a run folder that a run may be compared with."""

LONGER = 2
"""How many times as far a run is led that goes on."""


def commands(
    folders: Sequence[Path], config: Config, words: Sequence[str], own: Sequence[str] = ()
) -> list[str]:
    """Commands for runs of one configuration.

    Args:
        words: those after `reverie` that they were started with.
        own: MODULE:FUNCTION of their environments, where they have some.
    """
    names = [near(folder) for folder in folders]
    play = ["eval", names[0], *(["--env", *own] if own else [])]
    play += [word for package in _foreign(config) for word in ("--allow", package)]
    lines = [play, ["compare", *(names if len(names) > 1 else [*names, OTHER])]]
    if not config.sequence.tasks:
        again = without(without(words, "--steps"), "--from")
        lines.append([*again, "--steps", str(LONGER * config.steps)])
    return [f"reverie {shlex.join(line)}" for line in lines]


def calls(folders: Sequence[Path], config: Config, handed: Mapping[str, Any]) -> list[str]:
    """The same from Python.

    Args:
        handed: what was handed over to make environments, by task.
    """
    names = [near(folder) for folder in folders]
    others = names if len(names) > 1 else [*names, OTHER]
    lines = [
        f"reverie.evaluate({', '.join([repr(names[0]), *_with(config, handed)])})",
        f"reverie.compare({others!r})",
    ]
    if not config.sequence.tasks:
        lines.append(f"the same call with steps={LONGER * config.steps:_} learns longer")
    return lines


def without(words: Sequence[str], flag: str) -> list[str]:
    """`words` without a flag and its value."""
    left, queue = [], list(words)
    while queue:
        word = queue.pop(0)
        if word == flag:
            queue[:1] = []
        elif not word.startswith(f"{flag}="):
            left.append(word)
    return left


def _with(config: Config, handed: Mapping[str, Any]) -> list[str]:
    """Arguments without which `evaluate` cannot make the environments again."""
    made = {task.removeprefix("custom:"): _spelled(thing) for task, thing in handed.items()}
    found = [f"allow={allowed!r}"] if (allowed := _foreign(config)) else []
    if len(evaluated(config)) > 1 and made:
        return [f"make_env={{{', '.join(f'{n!r}: {t}' for n, t in made.items())}}}", *found]
    return [*(f"make_env={text}" for text in made.values()), *found]


def _spelled(thing: Any) -> str:
    """How a script most likely calls what it handed over; `...` where only its author knows."""
    name = repr(thing) if isinstance(thing, str) else getattr(thing, "__name__", "")
    return name if isinstance(thing, str) or name.isidentifier() else "..."


def _foreign(config: Config) -> list[str]:
    """Packages that must be allowed before the agent is loaded and its environments are made."""
    tasks = [module for task in evaluated(config) for module in foreign_modules(task)]
    return sorted({module.split(".")[0] for module in (*modules_of(config), *tasks)})
