"""Which Box is a picture, and how it becomes uint8 (height, width, channels).

Shape, bounds and dtype decide together. By shape:

| shape | picture |
|---|---|
| (H, W), unsigned integers, sides of at least 16 | (H, W, 1) |
| (H, W, C) | as it is |
| (C, H, W) | (H, W, C): C is at most 4, or H and W are closer to each other than C and H |
| (…, H, W, C), (…, C, H, W) | stacked frames become channels: (H, W, … · C), first frame first |

The two longer ones of the last three sides must be at least 8; everything else is numbers. By the
bounds of each channel:

| bounds | a value x becomes |
|---|---|
| within [0, 255], up to 255 | x |
| uint8 from 0 up to at least 128 | x |
| within [0, 1], up to 1; bool | 255 x |
| any other finite ones | 255 (x − low) / (high − low) |
| none | no picture, and nothing else either |

Results are rounded to the nearest integer. Channel f · C + c is channel c of frame f.
"""

import functools as ft
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from reverie.envs.values import LARGEST, WrongValue, as_array

IMAGE_SIDE = 8
"""Shortest side of a picture, pixels."""
GRAY_SIDE = 16
"""Shortest side of a matrix that is taken for a picture without channel axis, pixels."""
FEW_CHANNELS = 4
"""So many channels or fewer are recognised as such, whatever the other sides."""
VISIBLE = 128
"""uint8 pictures that reach this value are stored as they are."""


class Image(NamedTuple):
    """How a Box is read as a picture."""

    shape: tuple[int, ...]  # (height, width, channels)
    convert: Callable[[Any], np.ndarray]
    note: str  # what the user should know of the reading, or ""


class Layout(NamedTuple):
    """Where height, width and channels are in a shape; axes before the last three are frames."""

    first: bool  # channels first
    shape: tuple[int, ...]  # (height, width, channels)


class Unbounded(Exception):
    """A picture by its shape whose values have no finite bounds; the message says which."""


def read_image(space: spaces.Box) -> Image | None:
    """The reading of a Box as a picture; None: it is none by its shape. Raises Unbounded."""
    layout = layout_of(space)
    if layout is None:
        return None
    offset, factor = scale_of(space, layout)
    if offset is None and space.dtype == np.uint8:
        convert = ft.partial(_move, native=space.shape, layout=layout)
        plain = layout == Layout(False, space.shape)
        return Image(layout.shape, as_array if plain else convert, _tell_shape(space, layout))
    convert = ft.partial(
        _scaled, native=space.shape, layout=layout, offset=offset, factor=factor, bound=255.0
    )
    note = _tell_shape(space, layout)
    scaled = f"scaled to uint8 pictures in 0 ... 255 from {_tell_bounds(space)}"
    return Image(layout.shape, convert, f"{scaled}, {note}" if note else scaled + ".")


def layout_of(space: spaces.Box) -> Layout | None:
    shape = space.shape
    if len(shape) == 2 and space.dtype.kind == "u" and min(shape) >= GRAY_SIDE:
        return Layout(False, (*shape, 1))
    if len(shape) < 3 or sorted(shape[-3:])[1] < IMAGE_SIDE:
        return None
    first, frames, last = _channels_first(shape[-3:]), math.prod(shape[:-3]), shape[-3:]
    channels = frames * (last[0] if first else last[2])
    return Layout(first, (*(last[1:] if first else last[:2]), channels))


def _channels_first(shape: tuple[int, ...]) -> bool:
    """Whether the first of three sides counts channels rather than the last."""
    first, middle, last = shape
    if min(first, last) <= FEW_CHANNELS:
        return first <= FEW_CHANNELS < last
    return _ratio(middle, last) < _ratio(first, middle)


def _ratio(one: int, two: int) -> float:
    return max(one, two) / min(one, two)


def _by_channel(bound: np.ndarray, layout: Layout, reduce: Callable) -> np.ndarray:
    """The smallest lower or largest upper bound of every channel, (channels,) float64."""
    return reduce(_arrange(bound, layout).astype(np.float64), axis=(0, 1))


def _arrange(array: np.ndarray, layout: Layout) -> np.ndarray:
    """Frames and channels last."""
    if layout.first:
        array = np.moveaxis(array, -3, -1)
    if array.ndim > 3:
        array = np.moveaxis(array, (-3, -2), (0, 1))  # height, width, frames ..., channels
    return array.reshape(layout.shape)


def scale_of(space: spaces.Box, layout: Layout) -> tuple[Any, Any]:
    """Offset and factor of every channel (one number each where all are alike): a value x becomes
    (x − offset) · factor. The offset is None where there is nothing to subtract from uint8."""
    if space.dtype == np.bool_:
        return 0.0, 255.0
    low = _by_channel(space.low, layout, np.min)
    high = _by_channel(space.high, layout, np.max)
    _check_bounds(space, low, high)
    same = (low >= 0) & (high == 255)
    if space.dtype == np.uint8:
        same |= (low == 0) & (high >= VISIBLE)
        if same.all():
            return None, None
    unit = (low >= 0) & (high == 1)
    wide = np.where(high > low, high - low, 1.0)
    offset = np.where(same | unit, 0.0, low)
    factor = np.select([same, unit], [1.0, 255.0], 255.0 / wide)
    alike = (offset == offset[0]).all() and (factor == factor[0]).all()
    return (float(offset[0]), float(factor[0])) if alike else (offset, factor)


def _check_bounds(space: spaces.Box, low: np.ndarray, high: np.ndarray) -> None:
    """Raises Unbounded; the dtype's own limits bound nothing, unless it is a small integer."""
    dtype: Any = space.dtype
    if dtype.kind in "iu" and dtype.itemsize <= 2:
        return
    if dtype.kind == "f":
        most = min(float(np.finfo(dtype).max), LARGEST)
        least = -most
    else:
        least, most = float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)
    if (low.min() <= least and dtype.kind != "u") or high.max() >= most:
        raise Unbounded(
            "a picture must be uint8 or have finite bounds, for example be bounded in [0, 1] or "
            f"[0, 255], this {space.dtype} one has bounds {_tell_bounds(space)}"
        )


def _move(value: Any, *, native: tuple, layout: Layout) -> np.ndarray:
    array = as_array(value)
    if array.shape != native:
        raise WrongValue(f"has shape {array.shape}, its space promised {native}")
    return _arrange(array, layout)


def _scaled(value: Any, *, native, layout: Layout, offset, factor, bound: float) -> np.ndarray:
    array = _move(value, native=native, layout=layout)
    if isinstance(offset, float) and offset == 0.0:
        scaled = array.astype(np.float32) * np.float32(factor)
    else:
        scaled = (array.astype(np.float64) - offset) * factor
        bound += 1e-6  # rounding of the product
    if not (scaled.min() >= 255.0 - bound and scaled.max() <= bound):  # NaN fails as well
        low, high = array.min(), array.max()
        raise WrongValue(
            "holds NaN or numbers outside the bounds of its space",
            f"it reaches from {low:g} to {high:g}",
        )
    return np.rint(scaled).astype(np.uint8)


def _tell_bounds(space: spaces.Box) -> str:
    return f"[{float(space.low.min()):g}, {float(space.high.max()):g}]"


def _tell_shape(space: spaces.Box, layout: Layout) -> str:
    height, width, channels = layout.shape
    if len(space.shape) == 2:
        return f"shown as a picture of shape {layout.shape} (one channel)."
    if len(space.shape) > 3:
        order = "channels first" if layout.first else "channels last"
        return (
            f"frames of {space.shape} ({order}) are folded into the channels of one picture "
            f"{layout.shape}, first frame first."
        )
    if layout.first:
        return f"transposed from channels first {space.shape} to {layout.shape}."
    if channels > FEW_CHANNELS:
        return f"taken for a picture of {height}x{width} pixels with {channels} channels."
    return ""
