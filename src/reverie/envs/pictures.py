"""Pictures of another size, as the suites' protocols resize them; any picture in colour."""

import functools as ft
from typing import Any, Literal

import numpy as np
from PIL import Image

Filter = Literal["bilinear", "nearest", "area"]
"""Pillow's bilinear filter (it averages when it shrinks), the nearest pixel, or the exact mean over
the area of a new pixel (OpenCV's INTER_AREA)."""


def resize(picture: np.ndarray, size: int, how: Filter = "bilinear") -> np.ndarray:
    """A square picture (size, size, C) uint8 from (H, W, C) uint8 with C of 1 or 3.

    The sides are stretched independently; `area` can only shrink. A picture that has the size
    already is returned as it is. Raises ValueError where `area` would have to enlarge.
    """
    if picture.shape[:2] == (size, size):
        return picture
    if how == "area":
        return _mean_over_areas(picture, size)
    image: Any = Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture)
    kind = Image.Resampling.BILINEAR if how == "bilinear" else Image.Resampling.NEAREST
    small = np.asarray(image.resize((size, size), kind))
    return small[..., None] if small.ndim == 2 else small


def _mean_over_areas(picture: np.ndarray, size: int) -> np.ndarray:
    """Along the width, then along the height, in float32 and from left to right.

    This order of the sums makes the result equal to OpenCV's even where a mean is halfway between
    two integers.
    """
    height, width = picture.shape[:2]
    if size > min(height, width):
        raise ValueError(f"area resizing can only shrink, got {height}x{width} -> {size}.")
    part = picture.astype(np.float32)
    for axis, old in ((1, width), (0, height)):
        total = np.float32(0.0)
        for pixel, share in zip(*_area_terms(old, size), strict=True):
            shape = (1, -1, 1) if axis == 1 else (-1, 1, 1)
            total = total + part.take(pixel, axis) * share.reshape(shape)
        part = total
    return np.rint(part).astype(np.uint8)


@ft.cache
def _area_terms(old: int, new: int) -> tuple[np.ndarray, np.ndarray]:
    """Which old pixels lie under each new one, and their shares of it; both (terms, new).

    Shares are float32 and sum to 1; terms that a new pixel does not need have share 0.
    """
    step = old / new
    start = np.arange(new) * step
    pixel = np.floor(start).astype(int) + np.arange(int(np.ceil(step)) + 1)[:, None]
    covered = np.minimum(pixel + 1, start + step) - np.maximum(pixel, start)
    return np.minimum(pixel, old - 1), (np.maximum(covered, 0.0) / step).astype(np.float32)


def fill_up(picture: np.ndarray, size: int) -> np.ndarray:
    """The picture (h, w, C) at the upper left of a black one (size, size, C)."""
    full = np.zeros((size, size, picture.shape[2]), picture.dtype)
    full[: picture.shape[0], : picture.shape[1]] = picture
    return full


MOST_PANELS = 16
"""Panels of a drawn picture at most; channels that find no place in them are not shown."""


def to_rgb(pictures: np.ndarray) -> np.ndarray:
    """Pictures (..., H, W, C) uint8 for people: (..., H, W · panels, 3).

    One channel is grey, three are red, green and blue. More are taken by three, and each group is a
    panel of its own, from left to right; of one or two that are left over, each is a grey panel. So
    stacked colour frames stand side by side, and depth or opacity beside the colours.

    Raises ValueError for other arrays.
    """
    if pictures.dtype != np.uint8 or pictures.ndim < 3 or not pictures.shape[-1]:
        raise ValueError(
            f"cannot show an array {pictures.shape} of {pictures.dtype}: pictures are "
            "(..., height, width, channels) uint8 with one channel or more."
        )
    channels = pictures.shape[-1]
    if channels == 3:
        return pictures
    coloured = channels - channels % 3
    panels = [pictures[..., i : i + 3] for i in range(0, coloured, 3)]
    panels += [pictures[..., i : i + 1].repeat(3, -1) for i in range(coloured, channels)]
    return np.concatenate(panels[:MOST_PANELS], axis=-2)
