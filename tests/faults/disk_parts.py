"""What a run writes, part by part, without the run: each with what must survive a failing disk."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from replay_model import SPECS, fill

from reverie.config.presets import resolve
from reverie.config.run import LogConfig
from reverie.config.schema import Config
from reverie.folder import run_folder
from reverie.replay.replay import Replay
from reverie.report.page import write_whole
from reverie.train import checkpoint
from reverie.watch import sinks
from reverie.watch.logger import Logger

TREE = {"numbers": np.arange(60, dtype=np.float32), "text": "as it was"}
CONFIG = resolve("gym:CartPole-v1", size="debug")


@dataclass(frozen=True)
class Part:
    """`before` leaves what an earlier run left, `write` writes, `intact` checks what must be there
    after a `write` that failed, and that no half file is taken for a whole one."""

    write: Callable[[Path], object]
    before: Callable[[Path], object]
    intact: Callable[[Path], object]


def save_checkpoint(logdir: Path, step: int = 5) -> None:
    checkpoint.save(logdir / "checkpoints", step, TREE)
    checkpoint.prune(logdir / "checkpoints", 2)


def checkpoints_before(logdir: Path) -> None:
    for step in (2, 3):
        save_checkpoint(logdir, step)


def check_checkpoints(logdir: Path) -> None:
    found = checkpoint.complete(logdir / "checkpoints")
    assert len(found) >= 2
    for path in found:
        np.testing.assert_array_equal(checkpoint.load(path)["numbers"], TREE["numbers"])


def make_replay() -> Replay:
    return Replay(SPECS, streams=2, capacity=100, length=5, seed=3, chunk=20, gigabytes=1)


def replay_before(logdir: Path) -> None:
    replay = make_replay()
    fill(replay, 40)
    manifest = replay.save(logdir / "replay")
    (logdir / "manifest.json").write_text(json.dumps(manifest))


def save_replay(logdir: Path) -> None:
    replay = make_replay()
    fill(replay, 50)
    replay.save(logdir / "replay")


def check_replay(logdir: Path) -> None:
    replay = make_replay()
    replay.load(logdir / "replay", json.loads((logdir / "manifest.json").read_text()))


LINE = {"step": 1, "episode/return": 1.0}


def metrics_before(logdir: Path) -> None:
    """One line that a checkpoint knows, and one that came after it."""
    text = json.dumps(LINE) + "\n"
    (logdir / "metrics.jsonl").write_text(text + json.dumps({**LINE, "step": 7}) + "\n")


def write_metrics(logdir: Path) -> None:
    length = len(json.dumps(LINE)) + 1
    with contextlib.closing(sinks.MetricsFile(logdir / "metrics.jsonl", length)) as file:
        file.write(2, {"episode/return": 2.0})
        file.offset()


def check_metrics(logdir: Path) -> None:
    text = (logdir / "metrics.jsonl").read_text()
    lines = text[: text.rfind("\n")].splitlines()  # half a line is cut by the next try
    assert json.loads(lines[0]) == LINE
    assert [json.loads(line)["step"] for line in lines[1:]] in ([], [2], [7])


def write_config(logdir: Path) -> None:
    run_folder.write_config(logdir, CONFIG, [("memory", "14 MB")])


def check_config(logdir: Path) -> None:
    assert run_folder.read_config(logdir / "config.json") == CONFIG


def claim(logdir: Path) -> None:
    with run_folder.claim(logdir / "run"):
        pass


def nothing(logdir: Path) -> None:
    """There is nothing that could be lost."""


def write_page(logdir: Path) -> None:
    write_whole(logdir / "out" / "report.html", "<p>new</p>" * 9000)


def page_before(logdir: Path) -> None:
    (logdir / "out").mkdir()
    (logdir / "out" / "report.html").write_text("<p>old</p>")


def check_page(logdir: Path) -> None:
    assert (logdir / "out" / "report.html").read_text() in ("<p>old</p>", "<p>new</p>" * 9000)
    assert [path.name for path in (logdir / "out").iterdir()] == ["report.html"]


ENDING = {
    "checkpoint": Part(save_checkpoint, checkpoints_before, check_checkpoints),
    "replay": Part(save_replay, replay_before, check_replay),
    "metrics": Part(write_metrics, metrics_before, check_metrics),
    "config": Part(write_config, write_config, check_config),
    "lock": Part(claim, nothing, nothing),
    "page": Part(write_page, page_before, check_page),
}
"""Parts whose failure ends the run or the command."""


def write_sinks(logdir: Path) -> list[str]:
    """Metrics, a video, a dream and curves through the logger; what it said."""
    said: list[str] = []
    frames = np.zeros((4, 16, 16, 3), np.uint8)
    numbers = np.zeros((4, 2), np.float32)
    logger = Logger(logdir, LogConfig(tensorboard=True), Config(), None, notify=said.append)
    with contextlib.closing(logger):
        for step in range(4):
            logger.write(step, {"episode/return": 1.0})
            logger.video(step, "eval", frames)
        logger.dream(4, "image", frames[None], frames[None], context=2)
        logger.curves(4, numbers, numbers, context=2, names=["a", "b"])
    return said
