"""Square pictures for skies and floors: made by a program from a seed, or read from a folder."""

import functools as ft
import io
from pathlib import Path

import numpy as np
from PIL import Image

from reverie.envs.base import EnvError

SIDE = 256
"""Side of a texture, pixels."""
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
"""Endings of files that are taken for photographs."""


def noise(rng: np.random.Generator, side: int, coarsest: int, finest: int) -> np.ndarray:
    """Smooth random values (side, side) in [0, 1] that join at opposite borders.

    A sum of random grids of coarsest, 2·coarsest, … finest cells a side, each smoothly enlarged
    and half as strong as the one before. `side` must be a multiple of every number of cells.
    """
    total, weight, cells = np.zeros((side, side)), 1.0, coarsest
    while cells <= finest:
        total += weight * _enlarged(rng.random((cells, cells)), side)
        weight, cells = weight / 2, cells * 2
    low, high = total.min(), total.max()
    return (total - low) / (high - low)


def _enlarged(grid: np.ndarray, side: int) -> np.ndarray:
    cells = len(grid)
    at = np.arange(side) * cells / side
    index, part = at.astype(int), at % 1.0
    part = part * part * (3 - 2 * part)
    rows = grid[index] * (1 - part)[:, None] + grid[(index + 1) % cells] * part[:, None]
    return rows[:, index] * (1 - part) + rows[:, (index + 1) % cells] * part


def sky(seed: int) -> np.ndarray:
    """A sky (256, 256, 3) uint8: two colours one above the other, and clouds of a third."""
    rng = np.random.default_rng([seed, 0])
    top, bottom, cloud = rng.random((3, 3))
    height = np.linspace(0, 1, SIDE)[:, None, None] ** rng.uniform(0.5, 2.0)
    clouds = noise(rng, SIDE, int(rng.choice([2, 4, 8])), 64)
    cover = np.clip((clouds - rng.uniform(0.2, 0.7)) * rng.uniform(1.5, 6.0), 0, 1)[..., None]
    return _bytes((top * (1 - height) + bottom * height) * (1 - cover) + cloud * cover)


def floor(seed: int) -> np.ndarray:
    """A floor (256, 256, 3) uint8: tiles, bricks, planks or bare ground in two colours, grained."""
    rng = np.random.default_rng([seed, 1])
    one, two, joint = rng.random((3, 3))
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    rows, columns = rng.integers(1, 9, 2)
    shift = rng.choice([0.0, 0.5]) * (np.floor(y * rows) % 2)
    u, v = (x * columns + shift) % 1.0, (y * rows) % 1.0
    shade = rng.random((rows, columns + 1))
    column = np.floor((x * columns + shift) % columns).astype(int)
    tile = shade[np.floor(y * rows).astype(int), column]
    grain = noise(rng, SIDE, int(rng.choice([2, 8, 16])), 128)
    mix = np.clip(rng.uniform(0, 1) * tile + rng.uniform(0.3, 1) * grain, 0, 1)[..., None]
    picture = one * (1 - mix) + two * mix
    width = rng.uniform(0, 0.08)
    gap = (np.minimum(np.minimum(u, 1 - u), np.minimum(v, 1 - v)) < width)[..., None]
    return _bytes(np.where(gap, joint, picture) * rng.uniform(0.6, 1.0))


def _bytes(picture: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


@ft.cache
def photographs(folder: str, kind: str) -> tuple[Path, ...]:
    """The pictures in a subfolder, sorted. Raises EnvError if there is none."""
    place = Path(folder).expanduser() / kind
    found = [path for path in sorted(place.glob("*")) if path.suffix.lower() in PICTURES]
    if not found:
        raise EnvError(
            f"env.remastered.photos needs pictures ({', '.join(PICTURES)}) in the subfolders "
            f"'skies' and 'floors'; there is none in {place}."
        )
    return tuple(found)


def photograph(path: Path) -> np.ndarray:
    """A photograph as a square texture (256, 256, 3) uint8, stretched where it is not square."""
    with Image.open(path) as image:
        square = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        return np.asarray(square)


def png(picture: np.ndarray) -> bytes:
    """A picture (height, width, 3) uint8 as the bytes of a PNG file."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG", compress_level=1)
    return stream.getvalue()
