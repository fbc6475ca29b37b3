"""The checkpoint of a run folder that a reader names: the newest, the best, or that of a step."""

from pathlib import Path

from reverie.folder import shared
from reverie.folder.errors import RunError
from reverie.part.errors import ConfigError, did_you_mean
from reverie.part.values import coerce
from reverie.train import checkpoint, weights
from reverie.train.recovery import folders

NEWEST, BEST = "newest", "best"
"""What a checkpoint may be called instead of by its step. The best one, where a run keeps it,
stands in a folder of that name beside the others."""


def choose(logdir: Path, name: str | int = NEWEST) -> Path:
    """The complete checkpoint that `newest`, `best` or a step means; of two of one step the later.

    Raises RunError, naming those that are there, where the run does not have it; ConfigError for
    any other word.
    """
    word, folder = as_name(name), folders(logdir)[0]
    if shared.is_shared(logdir):
        return _of_shared(logdir, word)
    found = checkpoint.complete(folder)
    if word == NEWEST:
        if found:
            return found[-1]
        raise RunError(
            f"{str(logdir)!r} holds no complete checkpoint: let the run reach its first save "
            "(train.save_every seconds), or name another run folder."
        )
    best = checkpoint.complete(folder / BEST)
    if word == BEST and best:
        return best[-1]
    steps = {checkpoint.step_of(path): path for path in (*best, *found)}
    for step, path in steps.items():
        if step == word:
            return path
    asked = "best checkpoint" if word == BEST else f"checkpoint of step {word}"
    there = [("best", best), ("newest", found)]
    named = {checkpoint.step_of(paths[-1]): how for how, paths in there if paths}
    told = [f"{how} ({step})" for step, how in named.items()]
    told += [str(step) for step in sorted(steps) if step not in named]
    raise RunError(
        f"{str(logdir)!r} holds no {asked}; those that it holds: {', '.join(told) or 'none'}."
    )


def _of_shared(logdir: Path, word: str | int) -> Path:
    """The only weights of a shared agent."""
    path = logdir / shared.MODEL
    if word == NEWEST or (isinstance(word, int) and word == weights.step_of(path)):
        return path
    raise RunError(
        f"{str(logdir)!r} is a shared agent: it holds one set of weights, of step "
        f"{weights.step_of(path)}, and none called {word!r}."
    )


def as_name(value: str | int) -> str | int:
    """`newest`, `best`, or a step as a number. Raises ConfigError for anything else."""
    if value in (NEWEST, BEST):
        return value
    try:
        step = coerce(value, int, "checkpoint")
    except ConfigError:
        step = -1
    if step < 0:
        hint = did_you_mean(str(value), (NEWEST, BEST))
        raise ConfigError(
            f"checkpoint takes {NEWEST}, {BEST} or the step of one, found {value!r}.{hint}"
        )
    return step
