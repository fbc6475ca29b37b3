"""Observation space -> specs, and functions that turn what the environment shows into them.

| space | becomes |
|---|---|
| Box that is a picture by its shape and has finite bounds (`image_space`) | image, uint8 |
| any other Box | vector, float32, any shape |
| Discrete, MultiDiscrete, MultiBinary | discrete, counted from 0 |
| Dict, Tuple | their parts; names are joined by "_" |

Everything else (Text, Graph, Sequence, pictures without bounds) has no reading. Values are
converted without loss or refused (`values`): float32 must hold a number, a class be whole.
"""

import functools as ft
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from reverie.envs.base import EnvError, Obs
from reverie.envs.image_space import GRAY_SIDE, IMAGE_SIDE, Unbounded, read_image
from reverie.envs.values import WrongValue, describe, to_class, to_classes, to_float32
from reverie.records import Spec, Specs

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

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"{LOG}{self.key}" if self.path and str(self.path[0]).startswith(LOG) else self.key

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
    note = "counted from 0 instead of from the space's own start." if start.any() else ""
    if shape == ():
        convert = ft.partial(to_class, classes=spec.classes[0], start=int(start))
    else:
        convert = ft.partial(to_classes, classes=classes.reshape(shape), start=start)
    return Reading(spec, convert, note)


def _read_box(space: spaces.Box) -> Reading:
    if 0 in space.shape:
        raise Unusable("it is empty")
    try:
        image = read_image(space)
    except Unbounded as reason:
        raise Unusable(str(reason)) from None
    if image is not None:
        return Reading(Spec("image", image.shape), image.convert, image.note)
    return Reading(Spec("vector", space.shape), to_float32, _numbers_note(space))


def _numbers_note(space: spaces.Box) -> str:
    """What the user should know of an array that is read as numbers."""
    if len(space.shape) > 2:
        return f"taken for numbers, not a picture: its sides are below {IMAGE_SIDE} pixels."
    if len(space.shape) == 2 and min(space.shape) >= GRAY_SIDE:
        return (
            f"taken for {space.shape[0]} x {space.shape[1]} numbers; were it a picture, it would "
            "need an axis for its channel."
        )
    if not np.issubdtype(space.dtype, np.integer):
        return ""
    largest = max(abs(float(space.low.min())), abs(float(space.high.max())))
    no_bound = float(2 ** (8 * space.dtype.itemsize - 1) - 1)
    if 2**24 < largest < no_bound:
        return "integers above 2^24 are rounded by the conversion to float32."
    return ""


def read(found: list[Reader], observation: Any) -> Obs:
    """The agent's observation. Raises WrongValue that names the key of a bad value."""
    obs = {}
    for reader in found:
        part = observation
        for depth, name in enumerate(reader.path):
            try:
                part = part[name]
            except (KeyError, IndexError, TypeError, AttributeError, ValueError):
                raise _missing(reader, part, depth) from None
        try:
            array = reader.convert(part)
        except WrongValue as error:
            raise error.of(f"observation {reader.label!r}") from None
        if array.shape != reader.spec.shape or array.dtype != reader.dtype:
            raise WrongValue(
                f"observation {reader.label!r} has shape {array.shape} and dtype {array.dtype}, "
                f"its space promised {reader.spec.shape} and {reader.dtype}"
            )
        obs[reader.key] = array
    return obs


def _missing(reader: Reader, part: Any, depth: int) -> WrongValue:
    """The error for an observation without one of its parts; `part` is where it should be."""
    where = "".join(f"[{name!r}]" for name in reader.path[:depth])
    if isinstance(reader.path[depth], int):
        promised = f"a tuple of {reader.path[depth] + 1} parts or more"
    else:
        promised = f"a dictionary with the key {reader.path[depth]!r}"
    return WrongValue(
        f"observation {reader.label!r} is missing: observation{where} is {describe(part)}",
        f"its space promised {promised}",
    )


def keys_of(space: spaces.Space, path: tuple = ()) -> list[tuple[tuple, frozenset]]:
    """The keys of every Dict in a space, with the way to it."""
    if isinstance(space, spaces.Dict):
        pairs, found = list(space.spaces.items()), [(path, frozenset(space.spaces))]
    elif isinstance(space, spaces.Tuple):
        pairs, found = list(enumerate(space.spaces)), []
    else:
        return []
    return found + [more for name, part in pairs for more in keys_of(part, (*path, name))]


def check_keys(known: list[tuple[tuple, frozenset]], observation: Any) -> None:
    """Raises WrongValue where a dictionary shows a key that its space (`keys_of`) lacks."""
    for path, keys in known:
        part = observation
        for name in path:
            part = part[name]
        if isinstance(part, dict) and part.keys() != keys and part.keys() - keys:
            extra, where = sorted(map(str, part.keys() - keys)), "".join(f"[{n!r}]" for n in path)
            raise WrongValue(
                f"observation{where} has the unknown key {extra[0]!r}",
                f"its space promised only {', '.join(sorted(map(str, keys)))}",
            )


def reader_of(space: spaces.Space, exclude: tuple[str, ...] = ()) -> Callable[[Any], Obs]:
    """A function from one observation in the environment's own terms to the agent's, without axis
    of environments: key -> array. It needs no environment.

    Args:
        space: the environment's `observation_space`.
        exclude: `env.exclude` of the run.

    Raises EnvError for a space without anything usable; the function raises it, with key, found and
    expected, for an observation that the space does not promise.
    """
    found, known = readers(space, exclude)[0], keys_of(space)
    return ft.partial(_read_whole, found, known)


def _read_whole(found: list[Reader], known: list, observation: Any) -> Obs:
    obs = read(found, observation)
    check_keys(known, observation)
    return obs
