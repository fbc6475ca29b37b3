"""Which checkpoint a run resumes from, and what is said where the newest one is damaged."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from reverie.folder.errors import Damaged, RunError
from reverie.replay import shares
from reverie.replay.errors import ReplayError
from reverie.train import checkpoint
from reverie.train.metrics_prefix import METRICS, check_metrics

BEFORE = "metrics.before.jsonl"


def folders(logdir: Path) -> tuple[Path, Path]:
    """Where a run's checkpoints and its replay files are."""
    return logdir / "checkpoints", logdir / "replay"


def choose(logdir: Path, step: int | None = None) -> Path | None:
    """The newest complete checkpoint of a run, or the newest whole one of `step`; None if the run
    has none and no step is asked for.

    Raises RunError where there is none of `step`, Damaged where those of `step` are damaged.
    """
    found = checkpoint.complete(folders(logdir)[0])
    if step is None:
        return found[-1] if found else None
    wanted = [path for path in found if checkpoint.step_of(path) == step]
    if not wanted:
        steps = ", ".join(dict.fromkeys(f"{checkpoint.step_of(path)}" for path in found))
        there = f"those of {logdir} are of the steps {steps}" if found else f"{logdir} has none"
        raise RunError(f"there is no checkpoint of step {step} to resume from: {there}.")
    whole = (path for path in reversed(wanted) if not damage(logdir, path, metrics=False))
    return next(whole, wanted[-1])


def damage(logdir: Path, path: Path, *, replay: bool = True, metrics: bool = True) -> str:
    """What is damaged of all that the checkpoint `path` rests on, in one sentence; "" if nothing
    is. `replay`, `metrics`: whether the replay's files and the lines of metrics.jsonl count."""
    try:
        checkpoint.load(path)
        if replay:
            with checkpoint.reading(path):
                listed = checkpoint.replay_manifest(path)
                shares.check(folders(logdir)[1], listed)
        if metrics:
            check_metrics(logdir, path)
    except (RunError, ReplayError) as error:
        return str(error)
    return ""


@contextlib.contextmanager
def advised(logdir: Path, path: Path, **parts: bool) -> Iterator[None]:
    """What is damaged of the checkpoint `path` is told together with an earlier one that is whole
    (`parts` as in `damage`).

    Raises Damaged or ReplayError, as the block does, with a longer sentence.
    """
    try:
        yield
    except Damaged as error:
        raise Damaged(f"{error} {advice(logdir, path, **parts)}") from error
    except ReplayError as error:
        if not damage(logdir, path, metrics=False):
            raise  # whole, but of another layout
        raise ReplayError(f"{error} {advice(logdir, path, **parts)}") from error


def advice(logdir: Path, path: Path, **parts: bool) -> str:
    """Which checkpoint before `path` is whole (`parts` as in `damage`), and how to use it."""
    found = checkpoint.complete(folders(logdir)[0])
    earlier = found[: found.index(path)] if path in found else []
    for other in reversed(earlier):
        if not damage(logdir, other, **parts):
            step = checkpoint.step_of(other)
            return f"The checkpoint of step {step} is whole: --from {step} resumes from it."
    if earlier:
        return "None of the earlier checkpoints is whole either."
    return "There is no earlier checkpoint."


def rewind(logdir: Path, path: Path) -> None:
    """Make `path` the newest checkpoint, so that the run goes on from it.

    Nothing is destroyed: the later checkpoints get names that are not complete ones (`prune`
    deletes them once a new one is safely down), and metrics.jsonl is kept aside as
    metrics.before.jsonl. A kill in between leaves a folder that resumes.

    Raises RunError if the folder cannot be changed.
    """
    found = checkpoint.complete(path.parent)
    later = found[found.index(path) + 1 :]
    try:
        if later and (logdir / METRICS).is_file():
            _keep_copy(logdir / METRICS, logdir / BEFORE)
        for other in reversed(later):
            checkpoint.set_aside(other)
    except OSError as error:
        raise RunError(f"cannot go back to {path}: {error.strerror}.") from error


def _keep_copy(source: Path, target: Path) -> None:
    partial = target.with_name(f".partial-{target.name}")
    partial.unlink(missing_ok=True)
    with source.open("rb") as file, partial.open("xb") as copy:
        shutil.copyfileobj(file, copy)
        copy.flush()
        os.fsync(copy.fileno())
    partial.replace(target)
