"""Pictures of another size: the ways in which the suites' protocols resize."""

from typing import Any, Literal

import numpy as np
from PIL import Image

Filter = Literal["bilinear", "nearest", "area"]
"""Pillow's filters; `bilinear` and `area` average all pixels under a new one when shrinking."""

_FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "nearest": Image.Resampling.NEAREST,
    "area": Image.Resampling.BOX,
}


def resize(picture: np.ndarray, size: int, how: Filter = "bilinear") -> np.ndarray:
    """A square picture (size, size, C) uint8 from (H, W, C) uint8 with C of 1 or 3.

    The sides are stretched independently. A picture that has the size already is returned as it is.
    """
    if picture.shape[:2] == (size, size):
        return picture
    image: Any = Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture)
    small = np.asarray(image.resize((size, size), _FILTERS[how]))
    return small[..., None] if small.ndim == 2 else small


def fill_up(picture: np.ndarray, size: int) -> np.ndarray:
    """The picture (h, w, C) at the upper left of a black one (size, size, C)."""
    full = np.zeros((size, size, picture.shape[2]), picture.dtype)
    full[: picture.shape[0], : picture.shape[1]] = picture
    return full
