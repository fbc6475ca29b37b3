"""Moving pictures for a background: read from a folder of videos, or made by a program."""

import functools as ft
from pathlib import Path
from typing import Literal

import numpy as np

from reverie.envs.base import EnvError
from reverie.envs.scenes.textures import noise

Part = Literal["all", "train", "eval"]
VIDEOS = (".mp4", ".avi", ".mkv", ".webm", ".mov", ".gif")
"""Endings of files that are taken for videos."""
CLIP = 300
"""Frames of a clip that is made by a program (10 seconds of 30, as Kinetics' clips are)."""
SCROLL = 128
"""Side of the pictures that move across a made clip, pixels."""


@ft.lru_cache(4)
def videos(folder: str, *, count: int, side: int, gray: bool, seed: int, part: Part) -> np.ndarray:
    """Frames (count, side, side, 1 or 3) uint8 of the videos in a folder, shuffled by `seed`.

    Whole clips one after the other until `count` frames are reached; they start over if the folder
    holds fewer.

    Args:
        part: "eval" takes the last fifth of the videos (by name; at least one), "train" the others.

    Raises EnvError if the folder holds no video, one video to split, or one without frames.
    """
    found = _files(folder)
    if part != "all":
        found = _share(found, folder, part)
    order = np.random.default_rng(seed).permutation(len(found))
    frames: list[np.ndarray] = []
    have, turn = 0, 0
    while have < count:
        clip = _decode(found[order[turn % len(order)]], side, gray)[: count - have]
        frames.append(clip)
        have, turn = have + len(clip), turn + 1
    return np.concatenate(frames)


def _files(folder: str) -> list[Path]:
    found = [
        path
        for path in sorted(Path(folder).expanduser().rglob("*"))
        if path.suffix.lower() in VIDEOS
    ]
    if not found:
        raise EnvError(
            f"env.background.videos names {folder!r}, which holds no video "
            f"({', '.join(VIDEOS)}). Name a folder of videos, or leave the option empty for "
            "moving pictures made by a program."
        )
    return found


def _share(found: list[Path], folder: str, part: Part) -> list[Path]:
    if len(found) < 2:
        raise EnvError(
            f"env.split held_out needs two videos or more, one of them for evaluation; {folder!r} "
            "holds one."
        )
    cut = len(found) - max(1, len(found) // 5)
    return found[cut:] if part == "eval" else found[:cut]


def _decode(path: Path, side: int, gray: bool) -> np.ndarray:
    import imageio_ffmpeg

    channels = 1 if gray else 3
    options = {"pix_fmt": "gray" if gray else "rgb24", "bits_per_pixel": 8 * channels}
    scale = ["-vf", f"scale={side}:{side}:flags=bilinear"]
    try:
        reader = imageio_ffmpeg.read_frames(str(path), **options, output_params=scale)
        next(reader)  # what it knows of the file
        frames = [np.frombuffer(frame, np.uint8) for frame in reader]
    except (OSError, RuntimeError, StopIteration) as error:
        raise EnvError(f"The video {path} cannot be read: {str(error).splitlines()[:1]}") from None
    if not frames:
        raise EnvError(f"The video {path} holds no frame.")
    return np.stack(frames).reshape(-1, side, side, channels)


@ft.lru_cache(4)
def made(*, count: int, side: int, gray: bool, seed: int) -> np.ndarray:
    """Frames (count, side, side, 1 or 3) uint8 made by a program; other seeds, other clips.

    Clips of 300 frames with a cut between them. In each, two smooth textures drift across each
    other in front of a third, at speeds of their own, as things do beside a moving car.
    """
    clips = [
        _clip(np.random.default_rng([seed, number]), min(CLIP, count - start), side, gray)
        for number, start in enumerate(range(0, count, CLIP))
    ]
    return np.concatenate(clips)


def _clip(rng: np.random.Generator, count: int, side: int, gray: bool) -> np.ndarray:
    base, near, far = (noise(rng, SCROLL, int(rng.choice([2, 4, 8])), 64) for _ in range(3))
    colours = rng.random((3, 1 if gray else 3)) * 255
    edges, sharp = rng.uniform(0.35, 0.6, 2), rng.uniform(4, 16)
    speeds = rng.uniform(-3, 3, (3, 2))
    frames = np.empty((count, side, side, colours.shape[1]), np.uint8)
    rows = np.arange(side) * SCROLL // (2 * side)
    for index in range(count):
        moved = [
            layer[np.ix_(*((rows + int(shift)) % SCROLL for shift in index * speed))]
            for layer, speed in zip((base, near, far), speeds, strict=True)
        ]
        picture = colours[0] * (0.4 + 0.6 * moved[0][..., None])
        for layer, edge, colour in zip(moved[1:], edges, colours[1:], strict=True):
            cover = np.clip((layer - edge) * sharp, 0, 1)[..., None]
            picture = picture * (1 - cover) + colour * (0.5 + 0.5 * layer[..., None]) * cover
        frames[index] = picture
    return frames
