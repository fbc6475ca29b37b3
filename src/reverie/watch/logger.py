"""Everything a run tells the world, through one door."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reverie.config.run import LogConfig
from reverie.config.schema import Config
from reverie.watch import sinks, video
from reverie.watch.sink import Sink


class Logger:
    """Writes metrics, videos and dreams of a run into its folder and to its sinks.

    `metrics.jsonl` is the truth: if it cannot be written the run stops (RunError). Whatever else
    fails (TensorBoard, Weights & Biases, a video) is reported once and never stops the run.

    Args:
        logdir: the run folder.
        log: which sinks are wanted.
        config: the resolved configuration, for trackers that show it.
        offset: `state()["offset"]` of the checkpoint to resume from; None for a fresh run.
        notify: receives the sentence about a failing sink; None: a warning of the logger
            `reverie`.
        further: sinks of the user's own.
    """

    def __init__(
        self,
        logdir: Path,
        log: LogConfig,
        config: Config,
        offset: int | None,
        *,
        notify: Callable[[str], None] | None = None,
        further: Sequence[Sink] = (),
    ):
        notify = notify or logging.getLogger("reverie").warning
        self._logdir = Path(logdir)
        self._file = sinks.MetricsFile(self._logdir / "metrics.jsonl", offset)
        self._media = sinks.Guard("writing videos", _Media, notify)
        self._sinks: list[sinks.Guard] = []
        if log.tensorboard:
            last = self._file.last_step
            purge = 0 if last is None else last + 1
            self._sinks.append(
                sinks.Guard("TensorBoard", lambda: sinks.TensorBoard(self._logdir, purge), notify)
            )
        if log.wandb:
            self._sinks.append(
                sinks.Guard("Weights & Biases", lambda: sinks.Wandb(self._logdir, config), notify)
            )
        for sink in further:
            name = f"the sink {type(sink).__name__}"
            self._sinks.append(sinks.Guard(name, lambda sink=sink: sink, notify))

    def write(self, step: int, scalars: Mapping[str, Any]) -> None:
        """One line of metrics.

        Args:
            step: environment steps so far, all environments together.
            scalars: values by names of the catalogue.

        Raises RunError if metrics.jsonl cannot be written.
        """
        self._file.write(step, scalars)
        values = {name: float(value) for name, value in scalars.items()}
        for sink in self._sinks:
            sink.call("write", step, values)

    def video(self, step: int, name: str, frames: np.ndarray, *, fps: float = 15.0) -> None:
        """An episode: frames (T, H, W, C) uint8 as mp4 and as a film strip."""
        self._show(step, name, lambda: (frames, video.film_strip(frames), fps))

    def dream(
        self, step: int, key: str, truth: np.ndarray, prediction: np.ndarray, *, context: int
    ) -> None:
        """An open-loop prediction of the image observation `key`: grid as mp4, strip as still.

        Arguments as in `video.open_loop_grid`; the files are called `openloop_KEY`.
        """

        def pictures():
            strip = video.dream_strip(truth, prediction, context)
            return video.open_loop_grid(truth, prediction, context), strip, 8.0

        self._show(step, f"openloop/{key}", pictures)

    def curves(
        self,
        step: int,
        truth: np.ndarray,
        prediction: np.ndarray,
        *,
        context: int,
        names: Sequence[str],
    ) -> None:
        """An open-loop prediction of vectors, both (T, N), as `videos/openloop-STEP.npz`."""
        path = video.media_path(self._logdir, "openloop", step, "npz")
        curves = video.Curves(truth, prediction, context, tuple(names))
        self._media.call("run", lambda: video.save_curves(path, curves))

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps: `offset`, the length of metrics.jsonl in bytes, now on disk, and
        `digest`, that of these bytes."""
        return {"offset": self._file.offset(), "digest": self._file.digest()}

    def close(self) -> None:
        """Finish all sinks."""
        self._file.close()
        for sink in self._sinks:
            sink.call("close")

    def _show(self, step: int, name: str, make: Callable[[], tuple]) -> None:
        self._media.call("run", lambda: self._save_and_send(step, name, *make()))

    def _save_and_send(
        self, step: int, name: str, frames: np.ndarray, strip: np.ndarray, fps: float
    ) -> None:
        path = video.media_path(self._logdir, name, step, "mp4")
        video.save_picture(path.with_suffix(".png"), strip)
        video.save_video(path, frames, fps)
        for sink in self._sinks:
            sink.call("picture", step, name, strip)
            sink.call("video", step, name, path)


class _Media:
    """Runs what saves pictures, so that a `Guard` can stand before it."""

    def run(self, save: Callable[[], None]) -> None:
        save()
