"""Checkpoints: folders that become visible only when they are complete.

A checkpoint is `checkpoints/STEP/` (`STEP-1` for the next one of the same step, and so on: none
is ever replaced) with `state.json` (a tree of JSON values in which arrays are
named) and `arrays.safetensors` (those arrays). It is written under another name, forced to disk
and renamed; a process killed at any instant leaves either the old checkpoints or the new one too.
Replay rows are not copied into it: `state.json` holds the manifest of the files in `replay/`.

One file of safetensors rather than Orbax: all arrays of a data-parallel learner are whole on one
host, so there is nothing to shard, and the same file is what people share weights with.
"""

import errno
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy

from reverie.records import Specs
from reverie.train.errors import RunError

VERSION = 2
ARRAY = "$array"
_NAME = re.compile(r"\d+(-\d+)?")


def save(folder: Path, step: int, tree: Mapping[str, Any]) -> Path:
    """Write `tree` (nested dicts and lists of JSON values and numpy arrays) as `folder/STEP`.

    Raises RunError if the disk refuses; earlier checkpoints stay as they are.
    """
    final = _free_name(folder, step)
    partial = folder / f".partial-{final.name}-{os.getpid()}"
    arrays: dict[str, np.ndarray] = {}
    skeleton = {"version": VERSION, "tree": _take_arrays(tree, "", arrays)}
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _write(partial / "arrays.safetensors", safetensors.numpy.save(arrays))
        _write(partial / "state.json", json.dumps(skeleton).encode())
        _sync(partial)
        partial.rename(final)
        _sync(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise RunError(_disk_sentence(final, error)) from error
    return final


def _free_name(folder: Path, step: int) -> Path:
    taken = [number for there, number in map(_number, complete(folder)) if there == step]
    suffix = f"-{taken[-1] + 1}" if taken else ""
    return folder / f"{step:012d}{suffix}"


def _number(path: Path) -> tuple[int, int]:
    """Step of a checkpoint, and how many of the same step came before it."""
    step, _, again = path.name.partition("-")
    return int(step), int(again or 0)


def load(path: Path) -> dict[str, Any]:
    """The tree of one checkpoint.

    Raises RunError if a file is missing, truncated, damaged or of another program.
    """
    try:
        skeleton = json.loads((path / "state.json").read_bytes())
        with safetensors.safe_open(path / "arrays.safetensors", framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if skeleton["version"] != VERSION:
            raise RunError(
                f"the checkpoint {path} has format {skeleton['version']}, this version of Reverie "
                f"reads format {VERSION}."
            )
        return _give_arrays(skeleton["tree"], arrays)
    except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
        raise RunError(
            f"the checkpoint {path} cannot be read ({type(error).__name__}: {error}): it is "
            "truncated, damaged or not Reverie's. Move this folder away to resume from the "
            "checkpoint before it."
        ) from error


def replay_manifests(folder: Path) -> list[Any] | None:
    """The replay's part of every complete checkpoint; None if one of them cannot be read."""
    try:
        states = [json.loads((path / "state.json").read_bytes()) for path in complete(folder)]
        return [state["tree"]["replay"] for state in states]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def check_specs(saved: Mapping[str, Specs], here: Mapping[str, Specs], when: str) -> None:
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
    """All complete checkpoints, oldest first."""
    if not folder.is_dir():
        return []
    found = [p for p in folder.iterdir() if p.is_dir() and _NAME.fullmatch(p.name)]
    return sorted(found, key=_number)


def prune(folder: Path, keep: int) -> None:
    """Delete all but the newest `keep` checkpoints, and what killed processes left behind.

    Raises RunError if the folder cannot be changed.
    """
    try:
        for path in complete(folder)[:-keep]:
            # Renamed first: a half-deleted folder must not look complete.
            path.rename(path.with_name(f".partial-{path.name}-deleted"))
        for path in folder.glob(".partial-*"):
            shutil.rmtree(path)
    except OSError as error:
        raise RunError(f"cannot tidy {folder}: {error.strerror}.") from error


def _take_arrays(value: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        arrays[name] = np.ascontiguousarray(value).reshape(np.shape(value))
        return {ARRAY: name}
    if isinstance(value, Mapping):
        return {key: _take_arrays(v, f"{name}/{key}", arrays) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_take_arrays(v, f"{name}/{index}", arrays) for index, v in enumerate(value)]
    return value


def _give_arrays(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if isinstance(value, dict):
        if set(value) == {ARRAY}:
            return arrays[value[ARRAY]]
        return {key: _give_arrays(v, arrays) for key, v in value.items()}
    if isinstance(value, list):
        return [_give_arrays(v, arrays) for v in value]
    return value


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _disk_sentence(path: Path, error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return (
            f"the disk is full: the checkpoint {path} was not written, earlier ones are intact. "
            "Free some space and give the same command again to resume."
        )
    return f"the checkpoint {path} cannot be written ({error.strerror}); earlier ones are intact."


assert ml_dtypes.bfloat16  # registers bfloat16 with numpy, in which latents are stored
