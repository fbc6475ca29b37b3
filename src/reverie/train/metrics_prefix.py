"""Whether metrics.jsonl still begins with the bytes that a checkpoint was taken after."""

from pathlib import Path

from reverie import files
from reverie.folder import digest, manifest
from reverie.folder.errors import Damaged, RunError
from reverie.train import checkpoint

METRICS = "metrics.jsonl"


def check_metrics(logdir: Path, path: Path) -> None:
    """Raises Damaged where metrics.jsonl no longer begins with what it held when the checkpoint
    `path` was taken. Checkpoints of version 0.1 cannot tell."""
    with checkpoint.reading(path):
        found = manifest.prefix_of(manifest.read(path), METRICS)
    if found is None or not found[0]:
        return
    file, (size, expected) = logdir / METRICS, found
    have = file.stat().st_size if file.is_file() else 0
    if have < size:
        raise Damaged(
            f"{file} holds {have} usable bytes, but the checkpoint was taken after {size}, at the "
            "end of a line: the file was changed since. Put the original back, or start a new run "
            "in another logdir."
        )
    try:
        with files.open_to_read(file) as opened:
            same = digest.of_file(opened, size) == expected
    except OSError as error:
        raise Damaged(f"{file} cannot be read: {error.strerror}.") from error
    if not same:
        step = checkpoint.step_of(path)
        raise Damaged(
            f"{file} is damaged: its first {size:,} bytes are not those that were written before "
            f"the checkpoint of step {step}. Put the original back, or train with --from {step} to "
            "go on with it as it is."
        )


def damaged_metrics(logdir: Path) -> str:
    """One sentence where metrics.jsonl of a run folder is not what its newest checkpoint saw; ""
    where it is, or nothing can be said."""
    try:
        for path in checkpoint.complete(logdir / "checkpoints")[-1:]:
            check_metrics(logdir, path)
    except Damaged as error:
        return str(error)
    except RunError:
        return ""
    return ""
