"""What one watches: pictures of dreams and episodes, and the files that hold them.

A run's folder `videos/` holds, for a `name` and an environment step of nine digits,

    NAME-STEP.mp4   H.264 video, small pictures enlarged by whole factors
    NAME-STEP.png   lossless still that tells the same story without motion
    NAME-STEP.npz   an open-loop prediction of vectors (`Curves`)

Names that begin with `openloop` are dreams next to reality, all others are episodes.
"""

import io
import os
import re
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from reverie import files
from reverie.envs.pictures import to_rgb
from reverie.watch import encoder

Array = np.ndarray

SEQUENCES = 6
BORDER = 2
PAUSE = 10
GREEN, RED = (0, 255, 0), (255, 0, 0)
GREY = 170
PATIENCE = 300.0
"""Seconds that the encoder of a video gets."""
CURVES_BYTES = 1 << 26
"""Most bytes of an open-loop prediction of vectors, packed and unpacked."""
FILE = re.compile(r"(?P<name>[A-Za-z0-9_]+)-(?P<step>\d{9,})\.(?P<kind>mp4|png|npz)")


class Curves(NamedTuple):
    """An open-loop prediction of N numbers over T rows."""

    truth: Array  # (T, N) float32, environment units
    prediction: Array  # (T, N) float32, same units
    context: int  # rows that the model observed; it dreams the rest
    names: tuple[str, ...]  # N


class MediaFile(NamedTuple):
    """A file of `videos/`, its name taken apart."""

    path: Path
    name: str
    step: int  # environment steps
    kind: str  # mp4, png or npz


def open_loop_grid(truth: Array, prediction: Array, context: int) -> Array:
    """Video of dreams under reality: frames (T + 10, 3·H + 4, n·(W + 4), 3) uint8.

    The first n = min(6, B) sequences stand side by side; each is a stack of truth, prediction and
    error, (prediction − truth + 255) / 2, in a 2-pixel border: green while the model observes
    (the first `context` rows), red while it dreams. Ten black frames close the loop.

    Args:
        truth: (B, T, H, W, C) uint8, drawn by `to_rgb`; W below is the width that it gives.
        prediction: decoded pictures, same shape and type.
        context: observed rows, in [0, T].

    Raises ValueError for other shapes, types or values.
    Source: official DreamerV3, open-loop report (spec §5.6).
    """
    stacks = _bordered_stacks(truth[:SEQUENCES], prediction[:SEQUENCES], context)
    frames = np.concatenate(list(stacks), axis=2)
    return np.concatenate([frames, np.zeros_like(frames[:1]).repeat(PAUSE, axis=0)])


def dream_strip(truth: Array, prediction: Array, context: int, *, count: int = 10) -> Array:
    """Still of the first sequence's dream: (3·H + 4, m·(W + 4), 3), m = min(count, T) rows in time.

    Columns are rows evenly spaced from the first to the last; arguments as in `open_loop_grid`.
    """
    stack = _bordered_stacks(truth[:1], prediction[:1], context)[0]
    return np.concatenate(list(stack[_spread(len(stack), count)]), axis=1)


def film_strip(frames: Array, *, count: int = 8, gap: int = 2) -> Array:
    """Still of a video: min(count, T) frames (H, W, 3) from first to last, side by side.

    Args:
        frames: (T, H, W, C) uint8.
        count: most frames shown.
        gap: grey pixels between two of them.
    """
    chosen = to_rgb(frames)[_spread(len(frames), count)]
    padded = np.pad(chosen, ((0, 0), (0, 0), (0, gap), (0, 0)), constant_values=GREY)
    strip = np.concatenate(list(padded), axis=1)
    return strip[:, : strip.shape[1] - gap]


def _bordered_stacks(truth: Array, prediction: Array, context: int) -> Array:
    """(B, T, 3·H + 4, W + 4, 3): truth, prediction and error of each sequence in its border."""
    if truth.ndim != 5 or truth.shape != prediction.shape or not len(truth):
        raise ValueError(
            f"truth {truth.shape} and prediction {prediction.shape} must have the same shape "
            "(B, T, height, width, channels) with at least one sequence."
        )
    if not 0 <= context <= truth.shape[1]:
        raise ValueError(f"context must lie in [0, T] = [0, {truth.shape[1]}], got {context}.")
    truth, prediction = to_rgb(truth), to_rgb(prediction)
    stack = np.concatenate([truth, prediction, difference(truth, prediction)], axis=2)
    margin = (BORDER, BORDER)
    framed = np.pad(stack, ((0, 0), (0, 0), margin, margin, (0, 0)))
    colors = np.where((np.arange(truth.shape[1]) < context)[:, None], GREEN, RED).astype(np.uint8)
    edge = np.ones(framed.shape[2:4], bool)
    edge[BORDER:-BORDER, BORDER:-BORDER] = False
    return np.where(edge[..., None], colors[:, None, None, :], framed)


def difference(truth: Array, prediction: Array) -> Array:
    """(prediction − truth + 255) / 2 of two uint8 arrays, uint8: mid-grey where they agree."""
    return ((prediction.astype(np.int16) - truth + 255) // 2).astype(np.uint8)


def _spread(length: int, count: int) -> Array:
    """At most `count` indices from 0 to length − 1, evenly spaced, both ends included."""
    return np.linspace(0, length - 1, min(count, length)).round().astype(int)


def media_path(logdir: Path, name: str, step: int, kind: str) -> Path:
    """`videos/NAME-STEP.KIND` in a run folder; characters of `name` that are neither letters,
    digits nor "_" become "_" (`openloop/image` is the file `openloop_image`)."""
    stem = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return Path(logdir) / "videos" / f"{stem}-{step:09d}.{kind}"


def media_of(logdir: Path) -> tuple[list[MediaFile], list[str]]:
    """All finished files of `videos/`, by name, then step; none where there is no such folder.

    Links, pipes and the like are passed over, with a clause each: the second list.
    """
    folder = Path(logdir) / "videos"
    if not folder.is_dir() or folder.is_symlink():
        return [], _odd(files.check_folder, folder)
    found, odd = list[MediaFile](), list[str]()
    for path in sorted(folder.iterdir()):
        if match := FILE.fullmatch(path.name):
            clauses = _odd(files.check_plain, path)
            odd += clauses
            if not clauses:
                found.append(MediaFile(path, match["name"], int(match["step"]), match["kind"]))
    return sorted(found, key=lambda f: (f.name, f.step, f.kind)), odd


def _odd(check: Any, path: Path) -> list[str]:
    try:
        check(path)
    except files.NotPlain as error:
        return [f"videos/{path.name}: {error.strerror}" if path.name != "videos" else str(error)]
    return []


def save_video(path: Path, frames: Array, fps: float = 15.0) -> None:
    """Write frames (T, H, W, C) uint8 as an H.264 mp4 that browsers play; appears whole.

    Pictures whose short side is below 256 pixels are enlarged by the smallest whole factor that
    reaches it (nearest neighbour); odd sides get one black row or column.

    Args:
        path: file to write; its folder is created.
        frames: at least one frame.
        fps: frames per second, above 0.

    Raises ValueError for arrays that are no video, OSError if the encoder fails.
    """
    if frames.ndim != 4 or not len(frames) or fps <= 0:
        raise ValueError(f"a video is (T, H, W, C) frames at fps > 0, got {frames.shape}, {fps}.")
    frames = to_rgb(frames)
    height, width = frames.shape[1:3]
    arguments = encoder.arguments(height, width, fps)
    _write_whole(path, lambda partial: _ffmpeg([*arguments, str(partial)], frames.tobytes()))


def _ffmpeg(arguments: list[str], data: bytes) -> None:
    """Feed `data` to ffmpeg. In a session of its own: a Ctrl-C meant for the run spares it."""
    try:
        done = subprocess.run(
            [*encoder.program(), *arguments],
            input=data,
            capture_output=True,
            start_new_session=True,
            check=False,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        raise OSError(f"ffmpeg did not finish within {PATIENCE:.0f} seconds") from None
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        raise OSError(f"ffmpeg failed: {reason[-1] if reason else done.returncode}")


def save_picture(path: Path, picture: Array) -> None:
    """Write a picture (H, W, C) uint8 as a PNG, lossless; appears whole."""
    _write_whole(path, lambda partial: Image.fromarray(to_rgb(picture)).save(partial))


def save_curves(path: Path, curves: Curves) -> None:
    """Write an open-loop prediction of vectors; appears whole. Raises ValueError for bad shapes."""
    shape = (len(curves.truth), len(curves.names))
    if curves.truth.shape != shape or curves.prediction.shape != shape:
        raise ValueError(
            f"truth {curves.truth.shape} and prediction {curves.prediction.shape} must both be "
            f"(T, N) with one column for each of the {len(curves.names)} names."
        )
    fields: dict[str, Any] = {
        "truth": curves.truth.astype(np.float32),
        "prediction": curves.prediction.astype(np.float32),
        "context": np.int64(curves.context),
        "names": np.array(curves.names, dtype=np.str_),
    }
    _write_whole(path, lambda partial: np.savez(partial, **fields))


def load_curves(path: Path) -> Curves:
    """Read what `save_curves` wrote.

    Raises ValueError, with the reason, for any other file; nothing of it is run.
    """
    data = files.read(path, CURVES_BYTES)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            size = sum(entry.file_size for entry in packed.infolist())
        if size > CURVES_BYTES:
            raise ValueError(f"it unpacks to {size:,} bytes")
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            truth, prediction, context, names = (
                arrays[name] for name in ("truth", "prediction", "context", "names")
            )
            curves = Curves(truth, prediction, int(context), tuple(map(str, names)))
    except Exception as error:  # whatever a damaged archive provokes in its decoders
        raise ValueError(f"it is no open-loop prediction ({error})") from error
    _check_curves(curves)
    return curves


def _check_curves(curves: Curves) -> None:
    shape = curves.truth.shape
    for array in (curves.truth, curves.prediction):
        if array.dtype.kind != "f" or array.shape != shape or not np.isfinite(array).all():
            raise ValueError("truth and prediction are not finite numbers of one shape")
    if len(shape) != 2 or 0 in shape or len(curves.names) != shape[1]:
        raise ValueError(f"{len(curves.names)} names do not fit to numbers {shape}")
    if not 0 <= curves.context <= shape[0]:
        raise ValueError(f"context {curves.context} of {shape[0]} rows")


def _write_whole(path: Path, write: Any) -> None:
    """Let `write` fill a temporary file beside `path`, then give it its name at once."""
    files.check_folder(path.parent)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".partial-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    partial = Path(name)
    try:
        write(partial)
        partial.chmod(0o644)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
