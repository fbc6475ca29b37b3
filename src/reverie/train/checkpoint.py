"""Checkpoints: folders that become visible only when they are complete.

A checkpoint is `checkpoints/STEP/` (`STEP-1` for the next one of the same step, and so on: none
is ever replaced) with `state.json` (a tree of JSON values in which arrays are named),
`arrays.safetensors` (those arrays) and, written last, `manifest.json` (size and digest of the
others, see `folder/manifest.py`). It is written under another name, forced to disk and renamed; a
process killed at any instant leaves either the old checkpoints or the new one too.
Replay rows are not copied into it: `state.json` holds the manifest of the files in `replay/`.
`checkpoints/NAME/STEP` was kept (`kept.py`), to be loaded and evaluated: its rows may be gone.

One file of safetensors rather than Orbax: all arrays of a data-parallel learner are whole on one
host, so there is nothing to shard, and the same file is what people share weights with.
"""

import contextlib
import errno
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy

from reverie import files
from reverie.folder import manifest
from reverie.folder.digest import Damage
from reverie.folder.errors import Damaged, RunError

if TYPE_CHECKING:
    from reverie.records import Specs

VERSION = 3
UNSEALED = 2
"""The format of version 0.1, which had no manifest."""
ARRAY = "$array"
_NAME = re.compile(r"\d+(-\d+)?")


def save(
    folder: Path, step: int, tree: Mapping[str, Any], beside: Mapping[str, Any] | None = None
) -> Path:
    """Write `tree` (nested dicts and lists of JSON values and numpy arrays) as `folder/STEP`.

    `beside`: for the manifest, `offset` and `digest` of files of the run folder that grow.

    Raises RunError if the disk refuses; earlier checkpoints stay as they are.
    """
    final = _free_name(folder, step)
    partial = folder / f".partial-{final.name}-{os.getpid()}"
    arrays: dict[str, np.ndarray] = {}
    skeleton = {"version": VERSION, "tree": take_arrays(tree, "", arrays)}
    try:
        files.check_folder(folder)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        contents = {
            "arrays.safetensors": safetensors.numpy.save(arrays),
            "state.json": json.dumps(skeleton).encode(),
        }
        for name, data in contents.items():
            files.write(partial / name, data)
        files.write(partial / manifest.NAME, manifest.make(contents, beside or {}))
        files.sync_folder(partial)
        partial.rename(final)
        files.sync_folder(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise RunError(disk_sentence(final, error)) from error
    return final


def _free_name(folder: Path, step: int) -> Path:
    taken = [number for there, number in map(_number, complete(folder)) if there == step]
    suffix = f"-{taken[-1] + 1}" if taken else ""
    return folder / f"{step:012d}{suffix}"


def is_one(path: Path) -> bool:
    """Whether `path` is itself named and filled as a complete checkpoint is."""
    return bool(_NAME.fullmatch(path.name)) and (path / "state.json").is_file()


def step_of(path: Path) -> int:
    """The environment step at which a complete checkpoint was taken."""
    return _number(path)[0]


def _number(path: Path) -> tuple[int, int]:
    """Step of a checkpoint, and how many of the same step came before it."""
    step, _, again = path.name.partition("-")
    return int(step), int(again or 0)


def load(path: Path) -> dict[str, Any]:
    """The tree of one checkpoint.

    Raises Damaged if a file is missing, truncated, damaged or of another program, RunError if it
    has the format of another version.
    """
    with reading(path):
        listed = manifest.read(path)
        skeleton = _skeleton(path, listed)
        _check_format(path, skeleton["version"], listed)
        if listed is not None:
            manifest.check(path, listed, "arrays.safetensors")
        files.check_plain(path / "arrays.safetensors")
        with safetensors.safe_open(path / "arrays.safetensors", framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return give_arrays(skeleton["tree"], arrays)


@contextlib.contextmanager
def reading(path: Path, sentence: Callable[[Path, str], str] | None = None) -> Iterator[None]:
    """Whatever goes wrong inside because the checkpoint `path` does not hold what it should
    becomes Damaged, with one sentence: that of a checkpoint, or what `sentence` says of the path
    and of what was found. Reverie's own errors pass."""
    told = sentence or _damaged
    try:
        yield
    except (Damage, files.NotPlain) as error:
        raise Damaged(told(path, str(error))) from error
    except _UNREADABLE as error:
        if type(error).__module__.startswith("reverie."):
            raise
        said = " ".join(str(error).split())
        raise Damaged(told(path, f"{type(error).__name__}: {said}")) from error


_UNREADABLE = (
    *(OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError),
    *(RecursionError, safetensors.SafetensorError),
)


def _damaged(path: Path, what: str) -> str:
    return (
        f"the checkpoint {path} cannot be read ({what}): it is truncated, damaged or not "
        "Reverie's. Move this folder away to resume from the checkpoint before it."
    )


def _skeleton(path: Path, listed: Mapping[str, Any] | None) -> dict[str, Any]:
    """What state.json holds, after the check of its digest."""
    if listed is not None:
        manifest.check(path, listed, "state.json")
    return files.read_json(path / "state.json", files.TREE_BYTES)


def _check_format(path: Path, version: Any, listed: Mapping[str, Any] | None) -> None:
    if version not in (UNSEALED, VERSION):
        raise RunError(
            f"the checkpoint {path} has format {version}, this version of Reverie reads format "
            f"{VERSION}."
        )
    if version == VERSION and listed is None:
        raise Damage(f"{manifest.NAME} is missing")


def has_manifest(path: Path) -> bool:
    """Whether damage in the checkpoint can be noticed: not in those of version 0.1."""
    return (path / manifest.NAME).is_file()


def replay_manifests(folder: Path) -> list[Any] | None:
    """The replay's part of every complete checkpoint; None if one of them cannot be read."""
    try:
        return [replay_manifest(path) for path in complete(folder)]
    except Damaged:
        return None


def replay_manifest(path: Path) -> Any:
    """The replay's part of one checkpoint. Raises Damaged where state.json is damaged."""
    with reading(path):
        return _skeleton(path, manifest.read(path))["tree"]["replay"]


def check_specs(saved: Mapping[str, "Specs"], here: Mapping[str, "Specs"], when: str) -> None:
    """Raises RunError if `saved` observations (`obs`) or actions (`action`) differ from `here`."""
    for side, name in (("obs", "observation"), ("action", "action")):
        for key in sorted(set(saved[side]) | set(here[side])):
            there, now = saved[side].get(key), here[side].get(key)
            if there != now:
                raise RunError(
                    f"the {name} {key!r} was {there or 'missing'} {when} and is "
                    f"{now or 'missing'} now: this is another environment, or another version of "
                    "it. Put back the old one, or start a new run in another --logdir."
                )


def complete(folder: Path) -> list[Path]:
    """All complete checkpoints, oldest first. Raises RunError where one, or all, is a link."""
    try:
        files.check_folder(folder)
        named = [p for p in folder.iterdir() if _NAME.fullmatch(p.name)] if folder.is_dir() else []
        found = [path for path in named if path.is_dir()]
        for path in found:
            files.check_folder(path)
    except files.NotPlain as error:
        raise RunError(f"{error}: put the folder itself in its place.") from error
    return sorted(found, key=_number)


def set_aside(path: Path) -> None:
    """Rename a complete checkpoint so that it is none any more; the next `prune` deletes it.

    Raises OSError.
    """
    taken = len(list(path.parent.glob(f".aside-{path.name}*")))
    path.rename(path.with_name(f".aside-{path.name}" + f"~{taken}" * (taken > 0)))
    files.sync_folder(path.parent)


def remove_all(paths: Iterable[Path]) -> None:
    """Delete these folders; of links only the link. Raises OSError."""
    for path in paths:
        path.unlink() if path.is_symlink() else shutil.rmtree(path)


def prune(folder: Path, keep: int) -> None:
    """Delete all but the newest `keep` checkpoints, and what killed processes left behind.

    Raises RunError if the folder cannot be changed.
    """
    try:
        for path in complete(folder)[:-keep]:
            # Renamed first: a half-deleted folder must not look complete.
            path.rename(path.with_name(f".partial-{path.name}-deleted"))
        remove_all((*folder.glob(".partial-*"), *folder.glob(".aside-*")))
    except OSError as error:
        raise RunError(f"cannot tidy {folder}: {error.strerror}.") from error


def take_arrays(value: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    """`value` with the names of its arrays in their place; the arrays go into `arrays`."""
    if isinstance(value, np.ndarray | np.generic):
        arrays[name] = np.ascontiguousarray(value).reshape(np.shape(value))
        return {ARRAY: name}
    if isinstance(value, Mapping):
        return {key: take_arrays(v, f"{name}/{key}", arrays) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [take_arrays(v, f"{name}/{index}", arrays) for index, v in enumerate(value)]
    return value


def give_arrays(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """What `take_arrays` took apart."""
    if isinstance(value, dict):
        if set(value) == {ARRAY}:
            return arrays[value[ARRAY]]
        return {key: give_arrays(v, arrays) for key, v in value.items()}
    if isinstance(value, list):
        return [give_arrays(v, arrays) for v in value]
    return value


def disk_sentence(path: Path, error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return (
            f"the disk is full: the checkpoint {path} was not written, earlier ones are intact. "
            "Free some space and give the same command again to resume."
        )
    return f"the checkpoint {path} cannot be written ({error.strerror}); earlier ones are intact."


assert ml_dtypes.bfloat16  # registers bfloat16 with numpy, in which latents are stored
