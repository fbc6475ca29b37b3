"""Pictures of another size: the ways in which the suites' protocols resize."""

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
    height, width, channels = picture.shape
    if size > min(height, width):
        raise ValueError(f"area resizing can only shrink, got {height}x{width} -> {size}.")
    rows = _area_weights(height, size) @ picture.reshape(height, -1).astype(np.float32)
    both = _area_weights(width, size) @ rows.reshape(size, width, channels)
    return np.rint(both).astype(np.uint8)


@ft.cache
def _area_weights(old: int, new: int) -> np.ndarray:
    """Share of each old pixel (columns) in each new one (rows), float32; rows sum to 1."""
    step = old / new
    start = np.arange(new)[:, None] * step
    pixel = np.arange(old)[None]
    covered = np.minimum(pixel + 1, start + step) - np.maximum(pixel, start)
    return (np.maximum(covered, 0.0) / step).astype(np.float32)


def fill_up(picture: np.ndarray, size: int) -> np.ndarray:
    """The picture (h, w, C) at the upper left of a black one (size, size, C)."""
    full = np.zeros((size, size, picture.shape[2]), picture.dtype)
    full[: picture.shape[0], : picture.shape[1]] = picture
    return full
