"""What whoever does not resume needs of a checkpoint: the learner's arrays, the spaces, the step.

It stands in a checkpoint, or in the `model.safetensors` of a shared agent: the same tree without
optimiser and replay. Its arrays are the file's tensors, the rest is JSON in the file's header.
"""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from reverie import files
from reverie.config import version_0_1
from reverie.folder import manifest, shared
from reverie.folder.digest import Damage
from reverie.folder.errors import RunError
from reverie.train import checkpoint, snapshot

FORMAT = 1
KEY = "reverie"
"""Name of our part of the file's header."""

ACTING = {
    "agent.world.encoder.": "encoder.",
    "agent.world.dynamics.": "dynamics.",
    "agent.actor.": "actor.",
    "agent.explorer.actor.": "explorer.",
}
"""Beginnings of the names of weights that act, in the learner and in what acts."""
LEFT = ("opt_state",)
"""What of a learner is not shared."""


def read(path: Path) -> dict[str, Any]:
    """The tree of a checkpoint, or of a shared model.

    Raises Damaged where it is damaged, RunError where it is of another version.
    """
    if path.name == shared.MODEL:
        return _read_shared(path)
    tree = checkpoint.load(path)
    with checkpoint.reading(path):
        snapshot.check_kinds(tree)
    return tree


def step_of(path: Path) -> int:
    """The environment step at which the weights were taken."""
    if path.name == shared.MODEL:
        with reading(path):
            return _header(path)["clocks"]["step"]
    return checkpoint.step_of(path)


def reading(path: Path) -> contextlib.AbstractContextManager[None]:
    """`checkpoint.reading`, with a sentence of its own for shared models."""
    return checkpoint.reading(path, _damaged if path.name == shared.MODEL else None)


def _damaged(path: Path, what: str) -> str:
    return f"the shared agent {path.parent} cannot be read ({what}): pull it again."


def learned(tree: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The learner's arrays by the names that they have in this version."""
    return {version_0_1.tensor(name): array for name, array in tree["learner"]["state"].items()}


def shared_bytes(tree: Mapping[str, Any]) -> bytes:
    """The content of `model.safetensors` for the tree of a checkpoint."""
    arrays = {
        name: np.ascontiguousarray(array).reshape(array.shape)
        for name, array in learned(tree).items()
        if name.split(".")[0] not in LEFT
    }
    told = {
        "format": FORMAT,
        "clocks": {"step": tree["clocks"]["step"], "updates": tree["clocks"]["updates"]},
        "specs": tree["specs"],
        "spaces": checkpoint.take_arrays(tree.get("spaces"), "spaces", arrays),
    }
    return safetensors.numpy.save(arrays, {KEY: json.dumps(told)})


def _read_shared(path: Path) -> dict[str, Any]:
    with reading(path):
        listed = manifest.read(path.parent)
        if listed is None:
            raise Damage(f"{manifest.NAME} is missing")
        manifest.check(path.parent, listed, path.name)
        told = _header(path)
        with safetensors.safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        spaces = checkpoint.give_arrays(told["spaces"], arrays)
        state = {name: array for name, array in arrays.items() if not name.startswith("spaces/")}
        tree = {"specs": told["specs"], "spaces": spaces, "clocks": told["clocks"]}
        return tree | {"learner": {"state": state, "newest": _acting(state)}}


def _header(path: Path) -> dict[str, Any]:
    """Our part of the header of a shared model, whose arrays are not read."""
    files.check_plain(path)
    with safetensors.safe_open(path, framework="numpy") as file:
        header = (file.metadata() or {}).get(KEY)
    if header is None:
        raise Damage(f"{path.name} was not written by Reverie")
    told = files.parse_json(header.encode())
    if told["format"] != FORMAT:
        raise RunError(
            f"the shared agent {path.parent} has format {told['format']}, this version of "
            f"Reverie reads format {FORMAT}."
        )
    step = told["clocks"]["step"]
    if not isinstance(step, int) or step < 0:
        raise ValueError(f"its step is {step!r}")
    return told


def _acting(state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights that act, by the names that they have there."""
    return {
        name.replace(start, there, 1): array
        for start, there in ACTING.items()
        for name, array in state.items()
        if name.startswith(start)
    }
