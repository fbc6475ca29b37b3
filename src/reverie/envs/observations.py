"""Observation space -> specs, and functions that turn what the environment shows into them.

| space | becomes |
|---|---|
| Box uint8, rank 3, sides of at least 8 | image; channels first is transposed |
| Box uint8, rank 2, sides of at least 16 | image with one channel |
| Box float in [0, 1] or [0, 255], or bool, rank 3, sides of at least 8 | image, scaled to uint8 |
| any other Box of rank 0 to 2, small ones of rank 3 | vector, float32 |
| Discrete, MultiDiscrete, MultiBinary | discrete, counted from 0 |
| Dict, Tuple | their parts; names are joined by "_" |

Everything else (Text, Graph, Sequence, unbounded pictures) has no reading.
"""

import functools as ft
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from reverie.envs.base import EnvError, Obs
from reverie.records import Spec, Specs

IMAGE_SIDE = 8
"""Shortest side of a rank-3 array that is taken for a picture, pixels."""
GRAY_SIDE = 16
"""Shortest side of a uint8 matrix that is taken for a picture without channel axis, pixels."""
MOST_CLASSES = 16_384
"""Largest number of values of a discrete observation (it is encoded one-hot)."""

Convert = Callable[[object], np.ndarray]


@dataclass(frozen=True)
class Reader:
    """How one array of an observation is found, converted and described."""

    key: str
    path: tuple  # keys and indices from the environment's observation to this part
    spec: Spec
    convert: Convert

    @ft.cached_property
    def dtype(self) -> np.dtype:
        """What the array must have become."""
        return np.dtype(self.spec.dtype)


LOG = "log/"
"""Beginning of the observation keys that are shown to people only."""


@dataclass(frozen=True)
class Reading:
    """How a space is read. `note` is what the user should know of the conversion, or ''."""

    spec: Spec
    convert: Convert
    note: str = ""


class Unusable(Exception):
    """A space that has no reading; the message is the reason."""


def readers(space: spaces.Space, exclude: tuple[str, ...]) -> tuple[list[Reader], list[str]]:
    """Readers of all usable parts of an observation space, and notices about the others.

    Keys that begin with `log/` are left out without a notice: they are meant for people, see
    `log_readers`.

    Raises EnvError if nothing usable remains, if two parts get the same name or one that of a
    loss, or if `exclude` names a key that does not exist.
    """
    found, skipped, notices = [], [], []
    for path, part in leaves(space):
        if path and str(path[0]).startswith(LOG):
            continue
        key = "_".join(str(name) for name in path).replace("/", "_")
        if key and key in exclude:
            continue
        try:
            reading = read_space(part)
        except Unusable as reason:
            what = f"{part}: " if isinstance(part, spaces.Box) else ""
            skipped.append(f"{key or 'observation'!r} ({what}{reason})")
            continue
        key = key or {"image": "image", "vector": "vector"}.get(reading.spec.kind, "discrete")
        found.append(Reader(key, path, reading.spec, reading.convert))
        if reading.note:
            notices.append(f"Observation {key!r}: {reading.note}")
    _check(found, skipped, exclude, space)
    return found, notices + [f"Left out of the observation: {text}." for text in skipped]


def log_readers(space: spaces.Space) -> list[Reader]:
    """Readers of the keys that begin with `log/`; the names are what follows.

    Raises EnvError for one that is neither numbers nor classes.
    """
    found = []
    for path, part in leaves(space):
        if not (path and str(path[0]).startswith(LOG)):
            continue
        key = "_".join(str(name) for name in path).removeprefix(LOG).replace("/", "_")
        try:
            reading = read_space(part)
        except Unusable as reason:
            raise EnvError(f"{path[0]!r} is meant for the log, but {reason}.") from None
        if reading.spec.kind == "image":
            raise EnvError(f"{path[0]!r} is meant for the log, which takes numbers, no pictures.")
        found.append(Reader(key, path, reading.spec, reading.convert))
    return found


def _check(found: list[Reader], skipped: list[str], exclude: tuple[str, ...], space) -> None:
    known = {"_".join(map(str, path)).replace("/", "_") for path, _ in leaves(space)}
    unknown = sorted(set(exclude) - known)
    if unknown:
        raise EnvError(
            f"env.exclude names {', '.join(unknown)}, which the environment does not show; "
            f"its keys are: {', '.join(sorted(known)) or 'none (a single array)'}."
        )
    if not found:
        raise EnvError(
            "The observation space has no usable key. Found: "
            f"{'; '.join(skipped) or f'{space}, all of it excluded'}. Usable are Box (pictures "
            "uint8 (height, width, channels), numbers of rank 0 to 2), Discrete, MultiDiscrete, "
            "MultiBinary, and Dict or Tuple of those; convert the others in a wrapper."
        )
    keys = [reader.key for reader in found]
    double = sorted({key for key in keys if keys.count(key) > 1})
    if double:
        raise EnvError(
            f"Several parts of the observation are called {', '.join(double)} once '/' and "
            "nesting are written as '_'; rename them in a wrapper or list one in env.exclude."
        )


def specs_of(found: list[Reader]) -> Specs:
    """Specs by key, in sorted order."""
    return {reader.key: reader.spec for reader in sorted(found, key=lambda r: r.key)}


def leaves(space: spaces.Space, path: tuple = ()) -> list[tuple[tuple, spaces.Space]]:
    """All parts of a space that are neither Dict nor Tuple, with the way to them."""
    if isinstance(space, spaces.Dict):
        pairs = list(space.spaces.items())
    elif isinstance(space, spaces.Tuple):
        pairs = list(enumerate(space.spaces))
    else:
        return [(path, space)]
    return [leaf for name, part in pairs for leaf in leaves(part, (*path, name))]


def read_space(space: spaces.Space) -> Reading:
    """How one part is read. Raises Unusable with the reason."""
    match space:
        case spaces.Box():
            return _read_box(space)
        case spaces.Discrete():
            return _read_classes((), np.asarray([space.n]), np.asarray(space.start))
        case spaces.MultiDiscrete():
            return _read_classes(space.nvec.shape, space.nvec, np.asarray(space.start))
        case spaces.MultiBinary():
            return _read_classes(space.shape, np.full(space.shape, 2), np.asarray(0))
    raise Unusable(f"{type(space).__name__} spaces cannot be read")


def _read_classes(shape: tuple, classes: np.ndarray, start: np.ndarray) -> Reading:
    if classes.size == 0 or classes.max() > MOST_CLASSES:
        raise Unusable(f"discrete values need 1 to {MOST_CLASSES} classes")
    spec = Spec("discrete", tuple(shape), classes=tuple(int(n) for n in classes.reshape(-1)))
    most = classes.reshape(shape)
    note = "counted from 0 instead of from the space's own start." if start.any() else ""
    return Reading(spec, ft.partial(_to_classes, classes=most, start=start), note)


def _read_box(space: spaces.Box) -> Reading:
    shape = space.shape
    if 0 in shape:
        raise Unusable("it is empty")
    if space.dtype == np.uint8 and len(shape) == 2 and min(shape) >= GRAY_SIDE:
        note = f"shown as a picture of shape {(*shape, 1)} (one channel)."
        return Reading(Spec("image", (*shape, 1)), lambda x: np.asarray(x)[..., None], note)
    if len(shape) == 3 and min(sorted(shape)[1:]) >= IMAGE_SIDE:
        return _read_image(space)
    if len(shape) > 3:
        raise Unusable("rank above 3; fold stacked frames into the channels")
    if len(shape) == 3 and space.dtype == np.uint8:
        note = f"taken for numbers, not a picture: its sides are below {IMAGE_SIDE} pixels."
        return Reading(Spec("vector", shape), _to_vector, note)
    return Reading(Spec("vector", shape), _to_vector, _precision(space))


def _precision(space: spaces.Box) -> str:
    if not np.issubdtype(space.dtype, np.integer):
        return ""
    largest = max(abs(float(space.low.min())), abs(float(space.high.max())))
    if largest <= 2**24 or largest >= float(
        2 ** (8 * space.dtype.itemsize - 1) - 1
    ):  # the latter: no bound stated
        return ""
    return "integers above 2^24 are rounded by the conversion to float32."


def _read_image(space: spaces.Box) -> Reading:
    scale, notes = _scale_of(space), []
    if scale is not None:
        notes.append("scaled to uint8 pictures in 0 ... 255")
    first = _channels_first(space.shape)
    shape = (*space.shape[1:], space.shape[0]) if first else space.shape
    if first:
        notes.append(f"transposed from channels first {space.shape} to {shape}")
    convert = ft.partial(_to_image, scale=scale, first=first)
    return Reading(Spec("image", shape), convert, (", ".join(notes) + ".") if notes else "")


def _scale_of(space: spaces.Box) -> float | None:
    """Factor that brings the values to 0 … 255; None: they are uint8 already."""
    if space.dtype == np.uint8:
        return None
    low, high = float(space.low.min()), float(space.high.max())
    if space.dtype == np.bool_ or (low >= 0.0 and high == 1.0):
        return 255.0
    if low >= 0.0 and high == 255.0:
        return 1.0
    raise Unusable(
        f"a picture must be uint8 or bounded in [0, 1] or [0, 255], this {space.dtype} one in "
        f"[{low:g}, {high:g}]"
    )


def _channels_first(shape: tuple[int, ...]) -> bool:
    """True for (C, H, W) with at most 4 channels, unless the last axis is as small."""
    return shape[0] <= 4 and shape[2] > 4


def _to_vector(value: object) -> np.ndarray:
    array = np.asarray(value, np.float32)
    if not np.isfinite(array).all():
        raise EnvError("holds NaN or infinity")
    return array


def _to_image(value: object, *, scale: float | None, first: bool) -> np.ndarray:
    array = np.asarray(value)
    if scale is not None:
        array = array.astype(np.float32) * np.float32(scale)
        if not (array.min() >= 0.0 and array.max() <= 255.0):  # NaN fails as well
            raise EnvError("holds NaN or numbers outside the bounds of its space")
        array = np.rint(array).astype(np.uint8)
    return array.transpose(1, 2, 0) if first else array


def _to_classes(value: object, *, classes: np.ndarray, start: np.ndarray) -> np.ndarray:
    array = np.asarray(value, np.int64) - start
    if not ((array >= 0) & (array < classes)).all():
        raise EnvError(f"holds {value}, outside its space")
    return array.astype(np.int32)


def read(found: list[Reader], observation: Any) -> Obs:
    """The agent's observation. Raises EnvError that names the key of a bad value."""
    obs = {}
    for reader in found:
        part = observation
        for name in reader.path:
            part = part[name]
        try:
            array = reader.convert(part)
        except EnvError as error:
            raise EnvError(f"observation {reader.key!r} {error}") from None
        if array.shape != reader.spec.shape or array.dtype != reader.dtype:
            raise EnvError(
                f"observation {reader.key!r} has shape {array.shape} and dtype {array.dtype}, "
                f"its space promised {reader.spec.shape} and {reader.dtype}"
            )
        obs[reader.key] = array
    return obs
