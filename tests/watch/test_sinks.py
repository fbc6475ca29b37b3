"""metrics.jsonl as the truth, and sinks that cannot hurt it."""

import contextlib
import json
import math
import os
import struct
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from reverie.config.run import LogConfig
from reverie.config.schema import Config
from reverie.folder.errors import RunError
from reverie.watch import logger as module
from reverie.watch import sinks

QUIET = LogConfig(tensorboard=False)


@pytest.fixture(name="Logger")
def make_logger():
    """The class Logger, whose instances are closed when the test ends."""
    with contextlib.ExitStack() as stack:

        def build(*args, **kwargs):
            logger = module.Logger(*args, **kwargs)
            stack.callback(logger.close)
            return logger

        yield build


def lines(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def events(folder):
    """Events of all TensorBoard files of a folder, from the record format itself."""
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for path in sorted(folder.glob("events.*")):
        data = path.read_bytes()
        while data:
            (size,) = struct.unpack("<Q", data[:8])
            found.append(Event.FromString(data[12 : 12 + size]))
            data = data[16 + size :]
    return found


def test_lines_are_on_disk_as_soon_as_they_are_written(Logger, tmp_path):
    logger = Logger(tmp_path, QUIET, Config(), None)
    logger.write(1, {"episode/return": np.float32(0.5), "episode/length": 3})
    assert (tmp_path / "metrics.jsonl").read_text() == (
        '{"step": 1, "episode/return": 0.5, "episode/length": 3}\n'
    )
    logger.write(2, {"loss/rew": math.nan, "loss/con": math.inf})
    assert lines(tmp_path)[1] == {"step": 2, "loss/rew": None, "loss/con": None}


def test_resume_cuts_what_the_checkpoint_does_not_know(Logger, tmp_path):
    first = Logger(tmp_path, QUIET, Config(), None)
    for step in range(5):
        first.write(step, {"loss/rew": step / 3})
        if step == 2:
            state = json.loads(json.dumps(first.state()))
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 5, "loss/r')  # the kill came in the middle of a line
    before = (tmp_path / "metrics.jsonl").read_bytes()[: state["offset"]]
    second = Logger(tmp_path, QUIET, Config(), state["offset"])
    assert (tmp_path / "metrics.jsonl").read_bytes() == before
    second.write(3, {"loss/rew": 1.0})
    assert [row["step"] for row in lines(tmp_path)] == [0, 1, 2, 3]
    assert second.state()["offset"] == (tmp_path / "metrics.jsonl").stat().st_size


def test_a_run_from_the_beginning_keeps_the_old_file_aside(Logger, tmp_path):
    Logger(tmp_path, QUIET, Config(), None).write(7, {"loss/rew": 1.0})
    Logger(tmp_path, QUIET, Config(), None).write(1, {"loss/rew": 2.0})
    assert [row["step"] for row in lines(tmp_path)] == [1]
    assert json.loads((tmp_path / "metrics.before.jsonl").read_text())["step"] == 7


@pytest.mark.parametrize("offset", [3, 10_000])
def test_a_changed_file_is_not_cut(Logger, tmp_path, offset):
    Logger(tmp_path, QUIET, Config(), None).write(7, {"loss/rew": 1.0})
    with pytest.raises(RunError, match=f"checkpoint was taken after {offset}"):
        Logger(tmp_path, QUIET, Config(), offset)
    assert lines(tmp_path) == [{"step": 7, "loss/rew": 1.0}]


def test_a_full_disk_is_one_sentence(Logger, tmp_path):
    logger = Logger(tmp_path, QUIET, Config(), None)
    with Path("/dev/full").open("ab", buffering=0) as full:
        logger._file._file = full
        with pytest.raises(RunError, match=r"metrics.jsonl at step 4: No space left.*resumes"):
            logger.write(4, {"loss/rew": 1.0})


def test_half_a_line_is_taken_back(Logger, tmp_path, monkeypatch):
    logger = Logger(tmp_path, QUIET, Config(), None)
    logger.write(1, {"loss/rew": 1.0})
    real, calls = logger._file._file, []

    class Full:
        def __getattr__(self, name):
            return getattr(real, name)

        def write(self, data):
            calls.append(len(data))
            if len(calls) > 1:
                raise OSError(28, os.strerror(28))
            return real.write(data[:5])

    monkeypatch.setattr(logger._file, "_file", Full())
    with pytest.raises(RunError, match="No space left"):
        logger.write(2, {"loss/rew": 1.0})
    assert [row["step"] for row in lines(tmp_path)] == [1]


def test_a_folder_that_is_a_file(Logger, tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(RunError, match=r"cannot write .*metrics.jsonl"):
        Logger(tmp_path / "run", QUIET, Config(), None)


def test_step_is_no_metric(Logger, tmp_path):
    with pytest.raises(ValueError, match="'step' is the line's own key"):
        Logger(tmp_path, QUIET, Config(), None).write(1, {"step": 2})


class Broken:
    """A sink that fails where it is told to."""

    def __init__(self, pattern):
        self.pattern, self.calls = iter(pattern), 0

    def scalars(self, step, values):
        self.calls += 1
        if next(self.pattern):
            raise ConnectionError("no route to host")


def test_a_failing_sink_is_reported_once_and_switched_off():
    sink, notes = Broken([True] * 9), []
    guard = sinks.Guard("Tracker", lambda: sink, notes.append)
    for step in range(9):
        guard.call("scalars", step, {})
    assert sink.calls == sinks.FAILURES and not guard.active
    assert len(notes) == 1 and "Tracker failed: no route to host." in notes[0]


def test_a_sink_that_recovers_goes_on():
    sink, notes = Broken([True, True, False] * 3), []
    guard = sinks.Guard("Tracker", lambda: sink, notes.append)
    for step in range(9):
        guard.call("scalars", step, {})
    assert sink.calls == 9 and guard.active and len(notes) == 1


def test_tensorboard_failing_does_not_stop_a_run(Logger, tmp_path, monkeypatch):
    def broken(self, step, values):
        raise OSError("disk full")

    monkeypatch.setattr(sinks.TensorBoard, "write", broken)
    notes = []
    logger = Logger(tmp_path, LogConfig(), Config(), None, notify=notes.append)
    for step in range(5):
        logger.write(step, {"loss/rew": 1.0})
    logger.close()
    assert len(lines(tmp_path)) == 5
    assert len(notes) == 1 and "TensorBoard failed: disk full" in notes[0]


def test_wandb_missing_names_the_extra(Logger, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    notes = []
    log = LogConfig(tensorboard=False, wandb="dreams")
    logger = Logger(tmp_path, log, Config(log=log), None, notify=notes.append)
    logger.write(1, {"loss/rew": 1.0})
    assert len(lines(tmp_path)) == 1
    assert len(notes) == 1 and "reverie[wandb]" in notes[0]


def test_wandb_unreachable(Logger, tmp_path, monkeypatch):
    def init(**kwargs):
        raise TimeoutError("api.wandb.ai did not answer")

    monkeypatch.setitem(sys.modules, "wandb", types.SimpleNamespace(init=init))
    notes = []
    log = LogConfig(tensorboard=False, wandb="dreams")
    logger = Logger(tmp_path, log, Config(log=log), None, notify=notes.append)
    logger.write(1, {"loss/rew": 1.0})
    assert len(lines(tmp_path)) == 1
    assert notes == [
        "Weights & Biases failed: api.wandb.ai did not answer. It stays off; metrics.jsonl goes on."
    ]


def test_wandb_keeps_its_id_and_the_step(Logger, tmp_path, monkeypatch):
    opened, rows = [], []

    def init(**kwargs):
        opened.append(kwargs)
        return types.SimpleNamespace(
            log=rows.append, define_metric=lambda *a, **k: None, finish=lambda: None
        )

    monkeypatch.setitem(sys.modules, "wandb", types.SimpleNamespace(init=init))
    log = LogConfig(tensorboard=False, wandb="dreams")
    for offset in (None, 0):
        logger = Logger(tmp_path, log, Config(log=log), offset)
        logger.write(4, {"loss/rew": 1.0})
        logger.close()
    assert rows == [{"step": 4, "loss/rew": 1.0}] * 2
    assert opened[0]["id"] == opened[1]["id"] and opened[1]["resume"] == "allow"
    assert opened[0]["project"] == "dreams" and opened[0]["config"]["seed"] == 0


def test_tensorboard_holds_the_same_numbers_and_hides_what_is_recomputed(Logger, tmp_path):
    logger = Logger(tmp_path, LogConfig(), Config(), None)
    logger.write(10, {"loss/rew": 1.5, "loss/con": 0.25})
    offset = logger.state()["offset"]
    logger.write(20, {"loss/rew": 9.0})
    logger.close()
    logger = Logger(tmp_path, LogConfig(), Config(), offset)
    logger.write(20, {"loss/rew": 2.5})
    logger.close()
    found = events(tmp_path)
    values = [(e.step, v.tag, v.simple_value) for e in found for v in e.summary.value]
    assert values == [
        (10, "loss/rew", 1.5),
        (10, "loss/con", 0.25),
        (20, "loss/rew", 9.0),
        (20, "loss/rew", 2.5),
    ]
    starts = [e.step for e in found if e.HasField("session_log")]
    assert starts == [0, 11]


def test_videos_reach_folder_and_tensorboard(Logger, tmp_path):
    logger = Logger(tmp_path, LogConfig(), Config(), None)
    frames = np.random.default_rng(0).integers(0, 255, (5, 24, 32, 3), np.uint8)
    logger.video(500, "eval", frames)
    logger.dream(500, "image", frames[None], frames[None], context=2)
    logger.curves(500, np.zeros((5, 2)), np.ones((5, 2)), context=2, names=["x", "v"])
    logger.close()
    assert sorted(path.name for path in (tmp_path / "videos").iterdir()) == [
        "eval-000000500.mp4",
        "eval-000000500.png",
        "openloop-000000500.npz",
        "openloop_image-000000500.mp4",
        "openloop_image-000000500.png",
    ]
    tags = [v.tag for e in events(tmp_path) for v in e.summary.value if v.HasField("image")]
    assert tags == ["eval", "openloop/image"]


def test_a_video_that_cannot_be_shown_is_reported(Logger, tmp_path):
    notes = []
    logger = Logger(tmp_path, QUIET, Config(), None, notify=notes.append)
    logger.video(1, "eval", np.zeros((5, 24, 32, 0), np.uint8))
    logger.write(1, {"episode/return": 1.0})
    assert len(notes) == 1 and "one channel or more" in notes[0]
    assert len(lines(tmp_path)) == 1
