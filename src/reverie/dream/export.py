"""What can be kept: the page with a session in it, and films of a dream."""

import base64
import functools
import gzip
import io
import json
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from PIL import Image

from reverie.dream import lines
from reverie.dream.branch import Row
from reverie.dream.desk import Desk
from reverie.dream.errors import DreamError
from reverie.envs.pictures import to_rgb
from reverie.part.errors import suggest
from reverie.watch import video

FPS = 8.0
"""Rows a second in a film."""
GAP = 4
"""White pixels between its pictures."""
MOST_ROWS = 1_000
"""Rows of a film."""
KINDS = ("gif", "mp4")
LARGEST_GIF = 3
"""Factor by which small pictures are enlarged in a GIF at most."""
SIDE = 192
"""Pixels of a picture in a GIF at least, as far as that factor goes."""


@functools.cache
def _template() -> jinja2.Template:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    return made.get_template("page.html")


def page(nonce: str, data: bytes = b"") -> str:
    """The page, self-contained. `data`: a session that is in it, packed."""
    packed = base64.b64encode(data).decode()
    return _template().render(nonce=nonce, packed=packed, policy=policy(nonce))


def policy(nonce: str) -> str:
    """What a browser lets the page do."""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
        "img-src data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'"
    )


def frozen(desk: Desk, body: Any) -> bytes:
    """A session as one file that needs no server. Raises DreamError as `Desk.ask` does."""
    found = desk.ask("frozen", body)
    data = gzip.compress(json.dumps(found, allow_nan=False, separators=(",", ":")).encode())
    return page(secrets.token_urlsafe(12), data).encode()


def film(desk: Desk, body: Any) -> tuple[bytes, str]:
    """A branch as a film; its bytes and kind. Only its rows are asked of the desk: while the film
    is made, others are answered.

    Raises DreamError where the branch or the kind is not there, or the encoder fails.
    """
    if not isinstance(body, dict):
        raise DreamError("a request is a JSON object.")
    kind = body.get("kind", "gif")
    if kind not in KINDS:
        raise DreamError(f"there are no films {kind!r}; {suggest(str(kind), KINDS)}")
    number = body.get("branch")
    rows = desk.hold(body.get("session"), lambda session: list(session.find(number).rows))
    frames = frames_of(rows, body.get("key"))
    return (_gif(frames) if kind == "gif" else _mp4(frames)), kind


def frames_of(rows: Sequence[Row], key: Any = None) -> np.ndarray:
    """Frames (T, H, W, 3) of the rows of a branch; reality that nobody knows is grey.

    Pictures: reality, dream and their difference side by side; `key` of the observation, None: the
    first one. Where only numbers are observed: how the environment draws itself, if it does, beside
    their lines.

    Raises DreamError for pictures that are not there, and too many rows.
    """
    if len(rows) > MOST_ROWS:
        raise DreamError(
            f"a film has at most {MOST_ROWS:,} rows, the branch has {len(rows):,}: begin another "
            "one where the film is to begin."
        )
    shown = rows[-1].shown
    names = [name for name, value in shown.items() if value.dtype == np.uint8]
    if key is not None and key not in names:
        known = suggest(str(key), names) if names else "the model shows numbers only."
        raise DreamError(f"there is no picture {key!r}; {known}")
    if names:
        return np.stack([_frame(row, key or names[0]) for row in rows])
    drawn = next((row.drawn for row in rows if row.drawn is not None), None)
    panels = lines.frames(rows)
    if drawn is None:
        return panels
    return np.stack([_drawn(row, drawn, panel) for row, panel in zip(rows, panels, strict=True)])


def _drawn(row: Row, like: np.ndarray, panel: np.ndarray) -> np.ndarray:
    """What the environment draws beside the panel; grey where nothing is known."""
    real = np.full_like(like, video.GREY) if row.drawn is None else row.drawn
    high = max(len(real), len(panel))
    parts = []
    for part in (real, np.full((high, GAP, 3), 255, np.uint8), panel):
        parts.append(np.pad(part, [(0, high - len(part)), (0, 0), (0, 0)], constant_values=255))
    return np.concatenate(parts, 1)


def _frame(row: Row, key: str) -> np.ndarray:
    dream = to_rgb(row.shown[key])
    real = np.full_like(dream, video.GREY)
    difference = real
    if row.real is not None:
        real = to_rgb(row.real[key])
        difference = video.difference(real, dream)
    gap = np.full((dream.shape[0], GAP, 3), 255, np.uint8)
    return np.concatenate([real, gap, dream, gap, difference], 1)


def _gif(frames: np.ndarray) -> bytes:
    factor = max(1, min(LARGEST_GIF, SIDE // frames.shape[1]))
    large = frames.repeat(factor, 1).repeat(factor, 2)
    first, *others = [Image.fromarray(frame) for frame in large]
    out = io.BytesIO()
    how: dict[str, Any] = {"duration": 1000 / FPS, "loop": 0, "optimize": True}
    first.save(out, "GIF", save_all=True, append_images=others, **how)
    return out.getvalue()


def _mp4(frames: np.ndarray) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dream.mp4"
        try:
            video.save_video(path, frames, FPS)
        except OSError as error:
            raise DreamError(f"the film cannot be made ({error}).") from error
        return path.read_bytes()
