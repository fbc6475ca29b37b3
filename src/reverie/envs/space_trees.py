"""Gymnasium spaces as JSON values and arrays, and back: what a checkpoint keeps of them.

Nothing is imported or run when they are read. Spaces of kinds that the agent does not read (Text,
Graph, …) are kept by name only.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

Tree = dict[str, Any]
MOST = 1 << 26
"""Most numbers of one array of a space that is read back."""


class Unread(spaces.Space):
    """A space of which only the name of its kind is known: the agent does not see that part."""

    def __init__(self, name: str):
        super().__init__()
        self.name = name

    def __repr__(self) -> str:
        return self.name


def to_tree(space: spaces.Space) -> Tree | None:
    """Nested dicts and lists of JSON values and arrays; None where a key of a Dict is no text."""
    match space:
        case spaces.Box():
            shape, kind = list(space.shape), np.dtype(space.dtype).name
            bounds = {"low": _compact(space.low), "high": _compact(space.high)}
            return {"kind": "Box", "shape": shape, "dtype": kind, **bounds}
        case spaces.Discrete():
            kind = np.dtype(space.dtype).name
            return {"kind": "Discrete", "n": int(space.n), "start": int(space.start), "dtype": kind}
        case spaces.MultiDiscrete():
            kind = np.dtype(space.dtype).name
            numbers = {"nvec": np.asarray(space.nvec), "start": np.asarray(space.start)}
            return {"kind": "MultiDiscrete", "dtype": kind, **numbers}
        case spaces.MultiBinary():
            return {
                "kind": "MultiBinary",
                "shape": list(space.shape),
                "flat": isinstance(space.n, int),
            }
        case spaces.Dict():
            return _parts("Dict", list(space.spaces.items()))
        case spaces.Tuple():
            return _parts("Tuple", list(enumerate(space.spaces)))
    return {"kind": "other", "name": type(space).__name__}


def _parts(kind: str, pairs: list[tuple[Any, spaces.Space]]) -> Tree | None:
    """Pairs, not a mapping: a key may hold any character, and their order matters."""
    found = [[name, to_tree(part)] for name, part in pairs]
    if any(type(name) not in (str, int) or tree is None for name, tree in found):
        return None
    return {"kind": kind, "parts": found}


def _compact(bound: np.ndarray) -> np.ndarray:
    """One number for all where all are the same."""
    if bound.size and (bound == bound.flat[0]).all():
        return np.asarray(bound.flat[0])
    return bound


def from_tree(tree: Mapping[str, Any]) -> spaces.Space:
    """The space that `to_tree` described. Raises ValueError, TypeError or KeyError for others."""
    match tree["kind"]:
        case "Box":
            shape = _shape(tree["shape"])
            low, high = (np.broadcast_to(tree[name], shape) for name in ("low", "high"))
            return spaces.Box(low, high, shape, np.dtype(tree["dtype"]).type)
        case "Discrete":
            space = spaces.Discrete(tree["n"], start=tree["start"])
            space.dtype = np.dtype(tree["dtype"])
            return space
        case "MultiDiscrete":
            kind = np.dtype(tree["dtype"]).type
            return spaces.MultiDiscrete(tree["nvec"], kind, start=tree["start"])  # type: ignore[arg-type]
        case "MultiBinary":
            shape = _shape(tree["shape"])
            return spaces.MultiBinary(shape[0] if tree["flat"] else shape)
        case "Dict":
            return spaces.Dict({name: from_tree(part) for name, part in tree["parts"]})
        case "Tuple":
            return spaces.Tuple([from_tree(part) for _, part in tree["parts"]])
        case "other":
            return Unread(str(tree["name"]))
    raise ValueError(f"there is no kind of space {tree['kind']!r}")


def _shape(sides: Any) -> tuple[int, ...]:
    shape = tuple(int(side) for side in sides)
    if min(shape, default=0) < 0 or math.prod(shape) > MOST:
        raise ValueError(f"a space has the shape {shape}")
    return shape
