"""Pictures side by side, in the order of time; and the file that they are written to."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from reverie.envs.pictures import to_rgb

TILE = 96
"""Shortest side of a picture on the sheet, pixels."""
COLUMNS = 8
"""Pictures in a row of the sheet."""
GAP = 4
"""White pixels between pictures."""


def contact_sheet(pictures: Mapping[str, Sequence[np.ndarray]]) -> np.ndarray | None:
    """One band for every key, COLUMNS pictures in the order of time; uint8 (H, W, 3).

    Args:
        pictures: key -> uint8 pictures (h, w, C), any number of channels.

    Returns None where there are none.
    """
    bands = [_band([_tile(p) for p in _spread(found)]) for found in pictures.values() if len(found)]
    if not bands:
        return None
    width = max(band.shape[1] for band in bands)
    wide = [
        np.pad(b, ((0, GAP), (0, width - b.shape[1]), (0, 0)), constant_values=255) for b in bands
    ]
    return np.concatenate(wide)


def save(sheet: np.ndarray, path: Path) -> None:
    """Writes the sheet as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(path)


def _spread(found: Sequence[np.ndarray]) -> list[np.ndarray]:
    index = np.linspace(0, len(found) - 1, min(COLUMNS, len(found))).round().astype(int)
    return [found[i] for i in index]


def _tile(picture: np.ndarray) -> np.ndarray:
    """In colour, and enlarged by whole pixels until its shorter side is TILE pixels or more."""
    times = max(1, -(-TILE // min(picture.shape[:2])))
    return to_rgb(picture).repeat(times, 0).repeat(times, 1)


def _band(tiles: list[np.ndarray]) -> np.ndarray:
    framed = [np.pad(t, ((0, 0), (0, GAP), (0, 0)), constant_values=255) for t in tiles]
    return np.concatenate(framed, 1)
