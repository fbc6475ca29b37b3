"""Films of whole episodes, written while they are played: no length is too much for memory."""

import logging
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from reverie import files
from reverie.envs.pictures import to_rgb
from reverie.envs.vector import Vector
from reverie.folder.errors import RunError
from reverie.records import Step
from reverie.watch import encoder, video
from reverie.watch.recorder import picture

PATIENCE = 60.0
"""Seconds that the encoder gets to finish after its last frame."""

log = logging.getLogger("reverie")


class Film:
    """An H.264 film of pictures of one size, under a temporary name until it is `finished`.

    Raises RunError where the folder or the encoder refuses.
    """

    def __init__(self, folder: Path, fps: float):
        self._folder, self._fps = folder, fps
        self._shape: tuple[int, ...] = ()
        self._process: Any = None
        self._partial = Path()

    def add(self, frame: np.ndarray) -> bool:
        """Take in one picture (H, W, C) uint8; False: it has another size, and is left out."""
        frame = to_rgb(frame[None])[0]
        process = self._process or self._start(frame.shape)
        if frame.shape != self._shape:
            return False
        try:
            process.stdin.write(frame.tobytes())
        except OSError:
            raise self._failed() from None
        return True

    def finished(self, path: Path) -> None:
        """Close the film and give it its name."""
        try:
            _, said = self._process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            said = f"it did not finish within {PATIENCE:.0f} seconds".encode()
        if self._process.wait():
            raise self._failed(said)
        try:
            self._partial.chmod(0o644)
            self._partial.replace(path)
        except OSError as error:
            raise RunError(f"the film {path} cannot be written ({error.strerror}).") from error

    def abandon(self) -> None:
        """Forget the film; nothing stays of it. Nothing happens where it has its name already."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._partial.unlink(missing_ok=True)

    def _start(self, shape: tuple[int, ...]) -> Any:
        self._shape = shape
        try:
            files.check_folder(self._folder)
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".partial-", suffix=".mp4", dir=self._folder)
            os.close(handle)
            self._partial = Path(name)
            # In a session of its own: a Ctrl-C is answered by `abandon`.
            self._process = subprocess.Popen(
                [*encoder.program(), *encoder.arguments(shape[0], shape[1], self._fps), name],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            return self._process
        except OSError as error:
            raise RunError(
                f"no film can be written to {self._folder} ({error.strerror or error})."
            ) from error

    def _failed(self, said: bytes | None = None) -> RunError:
        text: Any = self._process.communicate()[1] if said is None else said
        lines = text.decode(errors="replace").strip().splitlines()
        reason = lines[-1] if lines else f"exit status {self._process.wait()}"
        return RunError(f"ffmpeg failed at a film in {self._folder}: {reason}.")


class Films:
    """A film of every episode that counts in an evaluation, numbered in the order in which they
    end: `NAME_01-STEP.mp4`, as `video.media_path` names files.

    The environments draw themselves; where they cannot, the largest picture that they show is
    filmed. `written` are the films that are whole.
    """

    def __init__(self, folder: Path, *, fps: float = 15.0):
        self.written: list[Path] = []
        self._folder, self._fps = folder, fps
        self._open: dict[int, Film] = {}  # by environment
        self._name, self._step, self._number = "eval", 0, 0

    def begin(self, name: str, step: int) -> None:
        """The next episodes are of `name` and of weights after `step` environment steps."""
        self.close()
        self._name, self._step, self._number = name, step, 0

    def add(self, envs: Vector, step: Step, wanted: np.ndarray) -> None:
        """Take in one row of every environment; `wanted` (E,): whether its episode counts.

        Raises RunError where an environment has no picture to film.
        """
        for index in np.flatnonzero(step.is_first):
            self._leave(index)  # an episode that a crash has cut
            if wanted[index]:
                self._open[index] = Film(self._folder, self._fps)
        for index, film in list(self._open.items()):
            if not film.add(_frame(envs, step, index)):
                log.warning("No film of an episode: the environment draws pictures of two sizes.")
                self._leave(index)
            elif step.is_last[index]:
                self._finish(index)

    def _finish(self, index: int) -> None:
        self._number += 1
        name = f"{self._name}_{self._number:02d}"
        path = self._folder / video.media_path(Path(), name, self._step, "mp4").name
        self._open[index].finished(path)
        del self._open[index]
        self.written.append(path)

    def _leave(self, index: int) -> None:
        film = self._open.pop(index, None)
        if film is not None:
            film.abandon()

    def close(self) -> None:
        """Forget the films that are not whole."""
        for index in list(self._open):
            self._leave(index)


def _frame(envs: Vector, step: Step, index: int) -> np.ndarray:
    drawn = envs.render(index)
    frame = picture(step, envs.obs_specs, index) if drawn is None else drawn
    if frame is None:
        raise RunError(
            "there is nothing to film: the environment draws no pictures and shows none. Where it "
            'can draw, make it with render_mode="rgb_array".'
        )
    return frame
