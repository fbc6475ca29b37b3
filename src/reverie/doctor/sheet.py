"""Pictures side by side, in the order of time; and the file that they are written to."""

from collections.abc import Sequence
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


def contact_sheet(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """COLUMNS pictures, evenly spread over all of them, in the order of time; uint8 (H, W, 3).

    Args:
        pictures: at least one, uint8 (h, w, C) each, any number of channels.
    """
    index = np.linspace(0, len(pictures) - 1, min(COLUMNS, len(pictures))).round().astype(int)
    gaps = ((0, GAP), (0, GAP), (0, 0))
    tiles = [np.pad(_tile(pictures[i]), gaps, constant_values=255) for i in index]
    return np.concatenate(tiles, 1)


def stacked(bands: Sequence[np.ndarray]) -> np.ndarray | None:
    """Bands, uint8 (h, w, 3) each, below one another; None where there are none."""
    if not bands:
        return None
    width = max(band.shape[1] for band in bands)
    return np.concatenate(
        [np.pad(b, ((0, 0), (0, width - b.shape[1]), (0, 0)), constant_values=255) for b in bands]
    )


def save(sheet: np.ndarray, path: Path) -> None:
    """Writes the sheet as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(path)


def _tile(picture: np.ndarray) -> np.ndarray:
    """In colour, and enlarged by whole pixels until its shorter side is TILE pixels or more."""
    times = max(1, -(-TILE // min(picture.shape[:2])))
    return to_rgb(picture).repeat(times, 0).repeat(times, 1)
