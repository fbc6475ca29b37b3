"""Action space -> specs, and functions that turn the agent's action into the environment's.

| space | the agent's action |
|---|---|
| Discrete, MultiDiscrete, MultiBinary | int32 classes counted from 0 |
| Box of floats | float32 in [−1, 1]; bounded components are rescaled to [low, high] |
| Dict, Tuple | one key a part; names are joined by "_" |

Continuous actions outside [−1, 1] are clipped to it: the policy is a normal distribution whose
samples may lie outside, and clipping them is part of the method (DreamerV3's environment
wrappers), not a repair. Components without two finite bounds pass through unscaled.
"""

import functools as ft
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from reverie.envs.base import Action, EnvError
from reverie.envs.observations import leaves
from reverie.envs.values import WrongValue, as_array, describe, to_classes, to_float32
from reverie.records import Spec, Specs


@dataclass(frozen=True)
class Writer:
    """How one array of the agent's action becomes one part of the environment's."""

    key: str
    path: tuple
    spec: Spec
    convert: Callable[[Any], Any]

    @ft.cached_property
    def classes(self) -> int:
        """How many there are to choose from, where the action is one class; 0 elsewhere."""
        return self.spec.width if self.spec.kind == "discrete" and self.spec.shape == () else 0


def writers(space: spaces.Space) -> tuple[list[Writer], list[str]]:
    """Writers of all parts of an action space, and notices.

    Raises EnvError for a part that the agent cannot act in.
    """
    found, notices = [], []
    for path, part in leaves(space):
        key = "_".join(str(name) for name in path).replace("/", "_") or "action"
        spec, convert = _write_space(part, key)
        found.append(Writer(key, path, spec, convert))
        if spec.kind == "vector" and not np.isfinite(np.asarray(spec.low + spec.high)).all():
            notices.append(
                f"Action {key!r}: components without two finite bounds are not rescaled; the "
                "agent reaches only [-1, 1] of them."
            )
    keys = [writer.key for writer in found]
    if len(set(keys)) < len(keys) or not keys:
        raise EnvError(f"The action space {space} needs one part or more with different names.")
    return found, notices


def specs_of(found: list[Writer]) -> Specs:
    """Specs by key, in sorted order."""
    return {writer.key: writer.spec for writer in sorted(found, key=lambda w: w.key)}


def _write_space(space: spaces.Space, key: str) -> tuple[Spec, Callable]:
    match space:
        case spaces.Discrete():
            spec = Spec("discrete", (), classes=(int(space.n),))
            kind = np.dtype(space.dtype).type
            return spec, ft.partial(_to_int, start=int(space.start), kind=kind)
        case spaces.MultiDiscrete():
            spec = Spec("discrete", space.nvec.shape, classes=tuple(map(int, space.nvec.flat)))
            return spec, ft.partial(_to_ints, start=space.start, dtype=space.dtype)
        case spaces.MultiBinary():
            spec = Spec("discrete", tuple(space.shape), classes=(2,) * int(np.prod(space.shape)))
            return spec, ft.partial(_to_ints, start=0, dtype=space.dtype)
        case spaces.Box() if np.issubdtype(space.dtype, np.floating) and 0 not in space.shape:
            return _box_spec(space), _box_writer(space)
    raise EnvError(
        f"Action {key!r} has the space {space}, in which the agent cannot act. Usable are "
        "Discrete, MultiDiscrete, MultiBinary, Box of floats, and Dict or Tuple of those; "
        "convert it in a wrapper."
    )


def _box_spec(space: spaces.Box) -> Spec:
    low, high = (tuple(map(float, bound.flat)) for bound in (space.low, space.high))
    return Spec("vector", space.shape, low=low, high=high)


def _box_writer(space: spaces.Box) -> Callable:
    low, high = space.low.astype(np.float64), space.high.astype(np.float64)
    bounded = np.isfinite(low) & np.isfinite(high)
    low, high = np.where(bounded, low, -1.0), np.where(bounded, high, 1.0)
    scale = high / 2 - low / 2  # halved first: the difference may not be a finite number
    centre = np.where(bounded, low + scale, 0.0)
    return ft.partial(_to_box, scale=scale, centre=centre, space=space)


def _to_int(value: np.ndarray, *, start: int, kind: Callable[[int], Any]) -> Any:
    return kind(int(value) + start)


def _to_ints(value: np.ndarray, *, start: np.ndarray | int, dtype: Any) -> np.ndarray:
    return (value + start).astype(dtype)


def _to_box(value: np.ndarray, *, scale, centre, space: spaces.Box) -> np.ndarray:
    inside = np.minimum(np.maximum(value, -1.0), 1.0) * scale + centre
    # The outer bound guards half-bounded components and the last bit of rounding.
    return np.asarray(np.minimum(np.maximum(inside, space.low), space.high), space.dtype)


def writer_of(space: spaces.Space) -> Callable[[Action], Any]:
    """A function from one action of the agent (key -> array, without axis of environments) to the
    environment's own, in the type that `space.sample()` gives. It needs no environment.

    Args:
        space: the environment's `action_space`.

    Raises EnvError for a space in which the agent cannot act; the function raises it, with key,
    found and expected, for an action that does not fit.
    """
    return ft.partial(write, writers(space)[0], space)


def write(found: list[Writer], space: spaces.Space, action: Action) -> Any:
    """The environment's action. Raises WrongValue that names the key of a bad value."""
    parts = {}
    for writer in found:
        value = action.get(writer.key) if isinstance(action, dict) else None
        if value is None:
            has = ", ".join(map(str, action)) if isinstance(action, dict) else describe(action)
            raise WrongValue(f"the action lacks the key {writer.key!r}; it has: {has or 'none'}")
        # One int32 among the classes needs no further look: it is by far the commonest.
        if not (type(value) is np.int32 and 0 <= (number := int(value)) < writer.classes):
            number = fitting(value, writer.spec, writer.key)
        parts[writer.path] = writer.convert(number)
    return parts[()] if () in parts else _assemble(space, parts, ())


def fitting(value: Any, spec: Spec, key: str, lead: tuple[int, ...] = ()) -> np.ndarray:
    """An action (*lead, *spec.shape) in the dtype of its spec, checked: finite numbers, or classes
    that are whole and among those of the spec.

    Raises WrongValue with the key, what came and what was expected.
    """
    try:
        array, shape = as_array(value), (*lead, *spec.shape)
        if array.shape != shape:
            raise WrongValue(f"has shape {array.shape}, expected {shape}")
        return to_float32(array) if spec.kind == "vector" else _to_known_class(array, spec)
    except WrongValue as error:
        raise error.of(f"action {key!r}") from None


def _to_known_class(array: np.ndarray, spec: Spec) -> np.ndarray:
    try:
        return np.asarray(to_classes(array, _classes_of(spec)))
    except WrongValue:
        most = [count - 1 for count in spec.classes] if spec.shape else spec.classes[0] - 1
        raise WrongValue(f"is {array.tolist()}, expected 0 ... {most} (whole numbers)") from None


@ft.lru_cache(maxsize=64)
def _classes_of(spec: Spec) -> np.ndarray:
    return np.reshape(spec.classes, spec.shape)


def _assemble(space: spaces.Space, parts: dict[tuple, Any], path: tuple) -> Any:
    if isinstance(space, spaces.Dict):
        return {name: _assemble(s, parts, (*path, name)) for name, s in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(_assemble(s, parts, (*path, i)) for i, s in enumerate(space.spaces))
    return parts[path]
