"""Where metrics go: the file that is the truth, and sinks that may fail without hurting a run."""

import contextlib
import importlib
import io
import json
import math
import os
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from reverie import files
from reverie.config import edit
from reverie.config.schema import Config
from reverie.folder.digest import Growing
from reverie.folder.errors import Damaged, RunError

FAILURES = 3
FLUSH_SECONDS = 5.0


class MetricsFile:
    """`metrics.jsonl`: one JSON object a line, `step` first, each line on disk when written.

    Args:
        path: the file.
        offset: length in bytes that a checkpoint recorded (`offset` of that moment): what follows
            is cut off, because the resumed run writes it again. None: a run from the beginning;
            a file left by an earlier try is kept aside as `metrics.before.jsonl`.

    Raises RunError if the file cannot be opened, Damaged if it does not fit to `offset`.
    """

    def __init__(self, path: Path, offset: int | None):
        self._path, self._digest = path, Growing()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if offset is None and os.path.lexists(path) and path.lstat().st_size:
                files.check_plain(path)
                path.replace(path.with_name("metrics.before.jsonl"))
            self.last_step = self._check(offset) if offset else None
            self._file = files.open_to_append(path)
            self._file.truncate(offset or 0)
            self._file.seek(offset or 0)
        except OSError as error:
            raise RunError(self._refusal(error)) from error

    def write(self, step: int, scalars: Mapping[str, Any]) -> None:
        """Append one line. Raises RunError if the disk refuses it; no half line is left then."""
        if "step" in scalars:
            raise ValueError("'step' is the line's own key and cannot name a metric.")
        row = {"step": int(step)} | {name: _plain(value) for name, value in scalars.items()}
        line = json.dumps(row, allow_nan=False).encode() + b"\n"
        left = memoryview(line)
        start = self._file.tell()
        try:
            while left:
                left = left[self._file.write(left) :]
            self._digest.add(line)
        except OSError as error:
            with contextlib.suppress(OSError):  # else the next resume cuts it
                self._file.truncate(start)
                self._file.seek(start)
            raise RunError(self._refusal(error, f" at step {step}")) from error

    def offset(self) -> int:
        """Length in bytes, after making sure that they are on disk. Raises RunError if not."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise RunError(self._refusal(error)) from error
        return self._file.tell()

    def digest(self) -> str:
        """Digest of everything up to `offset`."""
        return self._digest.text()

    def close(self) -> None:
        """Close the file. Raises RunError if the disk refuses what was written last."""
        try:
            self._file.close()
        except OSError as error:
            raise RunError(self._refusal(error)) from error

    def _refusal(self, error: OSError, when: str = "") -> str:
        return f"cannot write {self._path}{when}: {error.strerror}. {_REMEDY}"

    def _check(self, offset: int) -> int:
        """The step of the line that ends at byte `offset`. Raises Damaged where none does."""
        head = b""
        if os.path.lexists(self._path):
            with files.open_to_read(self._path) as file:
                head = file.read(offset)
        if len(head) < offset or not head.endswith(b"\n"):
            raise Damaged(
                f"{self._path} holds {len(head)} usable bytes, but the checkpoint was taken after "
                f"{offset}, at the end of a line: the file was changed since. Put the original "
                "back, or start a new run in another logdir."
            )
        self._digest.add(head)
        line = head[head.rfind(b"\n", 0, -1) + 1 :]
        try:
            return int(json.loads(line)["step"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Damaged(
                f"{self._path} is damaged: the line that ends at byte {offset} is not one of "
                f"metrics ({type(error).__name__}: {error}). Put the original back."
            ) from error


_REMEDY = (
    "Free some space or make the folder writable, then give the same command again: "
    "the run resumes from its last checkpoint."
)


def _plain(value: Any) -> int | float | None:
    """The JSON number of a Python, numpy or jax scalar; None for NaN and infinities."""
    if isinstance(value, int | np.integer):
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else None


class TensorBoard:
    """Events for TensorBoard, written in this thread so that a failure is seen here.

    Events reach the disk every few seconds and at `close`: each flush waits for the disk.

    Args:
        folder: where the events file goes.
        purge_step: events of this step and later, left by an earlier try, are hidden.
    """

    def __init__(self, folder: Path, purge_step: int | None):
        writer = importlib.import_module("tensorboardX.event_file_writer")
        proto = importlib.import_module("tensorboardX.proto.event_pb2")
        self._summary = importlib.import_module("tensorboardX.proto.summary_pb2").Summary
        self._event = proto.Event
        self._flushed = time.monotonic() - 2 * FLUSH_SECONDS
        self._file = writer.EventsWriter(str(folder / "events"), f".{time.time_ns()}")
        if purge_step is not None:
            start = proto.SessionLog(status=proto.SessionLog.START)
            self._put(purge_step, session_log=start)

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """One event with all values."""
        summary = self._summary()
        for name, value in scalars.items():
            summary.value.add(tag=name, simple_value=value)
        self._put(step, summary=summary)

    def picture(self, step: int, name: str, picture: np.ndarray) -> None:
        """A still under the tab Images."""
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, format="PNG")
        height, width = picture.shape[:2]
        image = self._summary.Image(
            height=height, width=width, colorspace=3, encoded_image_string=buffer.getvalue()
        )
        summary = self._summary()
        summary.value.add(tag=name, image=image)
        self._put(step, summary=summary)

    def video(self, step: int, name: str, path: Path) -> None:
        """TensorBoard shows no mp4: the still stands for it."""

    def close(self) -> None:
        """Flush and close the events file."""
        self._file.close()

    def _put(self, step: int, **content: Any) -> None:
        event = self._event(wall_time=time.time(), step=int(step), **content)
        self._file.write_event(event)
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self._file.flush()
            self._flushed = time.monotonic()


class Wandb:
    """A Weights & Biases run; a resumed run continues under the id kept in `wandb_id`.

    Raises RunError if the package or an API key is missing, wandb's own errors otherwise.
    """

    def __init__(self, logdir: Path, config: Config):
        try:
            self._wandb = importlib.import_module("wandb")
        except ImportError as error:
            raise RunError(
                "the package wandb is not installed; install it with "
                "pip install 'reverie[wandb]', or leave out --log.wandb"
            ) from error
        id_file = logdir / "wandb_id"
        if not os.path.lexists(id_file):
            id_file.write_text(uuid.uuid4().hex[:12] + "\n", encoding="utf-8")
        files.check_folder(logdir / "wandb")
        identity = files.read(id_file, 1_000).decode().strip()
        self._run = self._wandb.init(
            project=config.log.wandb,
            id=identity,
            name=logdir.name,
            dir=str(logdir),
            config=edit.to_json(config),
            resume="allow",
            settings={
                "init_timeout": 30,  # seconds
                "finish_timeout": 30,  # seconds; what is left waits on disk for `wandb sync`
                "finish_timeout_raises": True,
                "console": "off",
                "silent": True,
            },
        )
        self._run.define_metric("*", step_metric="step")

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """One row."""
        self._run.log({"step": step, **scalars})

    def picture(self, step: int, name: str, picture: np.ndarray) -> None:
        """A still."""
        self._run.log({"step": step, f"{name}/still": self._wandb.Image(picture)})

    def video(self, step: int, name: str, path: Path) -> None:
        """The mp4 as it is on disk."""
        self._run.log({"step": step, name: self._wandb.Video(str(path), format="mp4")})

    def close(self) -> None:
        """Finish the upload."""
        self._run.finish()


class Guard:
    """Stands before a sink: reports its first failure and switches it off when it cannot be used.

    A sink that cannot be opened is off for this run; one that fails three times in a row is
    switched off, one that recovers in between goes on. No exception passes (except those that
    end a program, as KeyboardInterrupt does).

    Args:
        name: what the report calls the sink.
        build: makes the sink.
        notify: receives one sentence at the first failure.
    """

    def __init__(self, name: str, build: Callable[[], Any], notify: Callable[[str], None]):
        self.name = name
        self._notify = notify
        self._failures, self._reported = 0, False
        self._sink: Any = None
        try:
            self._sink = build()
        except Exception as error:  # any failure of a sink is only reported
            self._report(error, "It stays off; metrics.jsonl goes on.")

    @property
    def active(self) -> bool:
        """Whether the sink is still in use."""
        return self._sink is not None

    def call(self, method: str, *args: Any) -> None:
        """Call the sink's `method`, if it is still in use."""
        if self._sink is None:
            return
        try:
            getattr(self._sink, method)(*args)
            self._failures = 0
        except Exception as error:  # any failure of a sink is only reported
            self._failures += 1
            self._report(error, f"It is off after {FAILURES} failures; metrics.jsonl goes on.")
            if self._failures >= FAILURES:
                broken, self._sink = self._sink, None
                with contextlib.suppress(Exception):
                    broken.close()

    def _report(self, error: Exception, consequence: str) -> None:
        if not self._reported:
            self._reported = True
            reason = str(error).rstrip(".") or type(error).__name__
            self._notify(f"{self.name} failed: {reason}. {consequence}")
