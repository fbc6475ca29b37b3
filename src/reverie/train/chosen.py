"""The checkpoint of a run folder that a reader names: the newest, the best, or that of a step."""

from pathlib import Path

from reverie.folder.errors import RunError
from reverie.part.errors import ConfigError, suggest
from reverie.part.values import coerce
from reverie.train import checkpoint
from reverie.train.recovery import folders

NEWEST, BEST = "newest", "best"
"""What a checkpoint may be called instead of by its step."""


def best_folder(logdir: Path) -> Path:
    """Where a run that keeps the best of its checkpoints has it, beside the others."""
    return folders(logdir)[0] / BEST


def choose(logdir: Path, name: str | int = NEWEST) -> Path:
    """The complete checkpoint that `newest`, `best` or a step means; of two of one step the later.

    Raises RunError, naming those that are there, where the run does not have it; ConfigError for
    any other word.
    """
    word = as_name(name)
    best, found = checkpoint.complete(best_folder(logdir)), checkpoint.complete(folders(logdir)[0])
    if word == NEWEST and not found:
        raise RunError(
            f"{str(logdir)!r} holds no complete checkpoint: let the run reach its first save "
            "(train.save_every seconds), or name another run folder."
        )
    paths = [path for path in (*best, *found) if checkpoint.step_of(path) == word]
    paths = {NEWEST: found, BEST: best}.get(str(word), paths)
    if not paths:
        asked = "best checkpoint" if word == BEST else f"checkpoint of step {word}"
        there = dict.fromkeys(f"{checkpoint.step_of(path)}" for path in found)
        told = [f"best ({checkpoint.step_of(best[-1])})"] if best else []
        told += [f"newest ({list(there)[-1]})", *list(there)[:-1]] if found else []
        raise RunError(
            f"{str(logdir)!r} holds no {asked}; those that it holds: {', '.join(told) or 'none'}."
        )
    return paths[-1]


def as_name(value: str | int) -> str | int:
    """`newest`, `best`, or a step as a number. Raises ConfigError for anything else."""
    if value in (NEWEST, BEST):
        return value
    try:
        step = coerce(value, int, "checkpoint")
    except ConfigError:
        step = -1
    if step < 0:
        hint = suggest(str(value), (NEWEST, BEST))
        hint = f" {hint[0].upper()}{hint[1:]}" if hint.startswith("did") else ""
        raise ConfigError(
            f"checkpoint takes {NEWEST}, {BEST} or the step of one, found {value!r}.{hint}"
        )
    return step
