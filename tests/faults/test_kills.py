"""A run that is killed at a chosen disk call resumes to the numbers of one that was left alone."""

import random
import re
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from fault_library import Fault, traced, variables
from tiny_runs import assert_same_run, learn, start

from reverie.train import checkpoint

TASK = "gym:CartPole-v1"
CHANGES = {
    "steps": 60,
    "train.keep": 1,
    "train.eval_every": 40,
    "env.parallel": True,
    "log.tensorboard": True,
}
"""A run with everything on: events, evaluation, videos, a dream, several checkpoints."""


def killed(fault: Fault, logdir: Path, cache: Path, library: Path, changes: dict) -> None:
    """The command, killed by `fault`."""
    process = start(TASK, logdir, cache, changes, variables(fault, logdir, library))
    out, error = process.communicate(timeout=300)
    assert process.returncode == -signal.SIGKILL, (fault, out, error)


def check_folder(logdir: Path) -> None:
    """Whatever is there as a checkpoint is whole."""
    for path in checkpoint.complete(logdir / "checkpoints"):
        checkpoint.load(path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, cache):
    """The run that was left alone."""
    return learn(TASK, tmp_path_factory.mktemp("whole") / "run", CHANGES)


CHAIN = [
    Fault(path="config.json", calls="rename"),
    Fault(path="metrics.jsonl", calls="write", nth=3, action="kill-short"),
    Fault(path="checkpoints/*arrays*", calls="write", nth=2, action="kill-short"),
    Fault(path="replay/*", calls="unlink", nth=2, action="kill-after"),
]
"""Where a kill leaves most behind, one after the other in the same folder."""


def test_killed_five_times_at_the_worst_moments(whole, tmp_path, cache, library, traced_once):
    """Before the first checkpoint, in the middle of a line, a file, a cleaning, a video."""
    saving = {**CHANGES, "train.save_every": 0}
    for fault in CHAIN:
        killed(fault, tmp_path / "run", cache, library, saving)
        check_folder(tmp_path / "run")
    encoder = deadly_encoder(tmp_path / "ffmpeg")
    process = start(TASK, tmp_path / "run", cache, saving, {"IMAGEIO_FFMPEG_EXE": str(encoder)})
    said = process.communicate(timeout=300)
    assert process.returncode == -signal.SIGKILL, said
    learn(TASK, tmp_path / "run", CHANGES)
    assert_same_run(whole, tmp_path / "run")


def deadly_encoder(path: Path) -> Path:
    """A program in ffmpeg's place that writes half a video and kills the run that asked for it."""
    path.write_text('#!/bin/sh\nfor out; do :; done\nhead -c 99 > "$out"\nkill -9 "$PPID"\n')
    path.chmod(0o755)
    return path


ACTIONS = ("kill", "kill-short", "kill-after")


@pytest.mark.slow
@pytest.mark.parametrize("begun", [False, True], ids=["fresh", "resumed"])
def test_killed_at_every_call(begun, tmp_path, cache, library, traced_once, record_property):
    """Every call that changes the folder, in a run from the beginning and in one that goes on."""
    first = tmp_path / "first"
    if begun:
        learn(TASK, first, {**CHANGES, "steps": 30})
    whole = copied(first, tmp_path / "whole")
    trace = tmp_path / "trace"
    process = start(TASK, whole, cache, CHANGES, variables(Fault(nth=0), whole, library, trace))
    assert process.wait(timeout=300) == 0, process.communicate()
    points = informative(traced(trace))
    record_property("kills", len(points))
    assert len(points) >= 65
    for number in points:
        logdir = copied(first, tmp_path / f"kill-{number}")
        fault = Fault(nth=number, action=ACTIONS[number % 3])
        killed(fault, logdir, cache, library, CHANGES)
        check_folder(logdir)
        learn(TASK, logdir, CHANGES)
        assert_same_run(whole, logdir)
        shutil.rmtree(logdir)


@pytest.mark.slow
def test_a_chain_of_eight_kills(whole, tmp_path, cache, library, traced_once):
    """At random calls of one and the same run, each resumed where the one before was killed."""
    seed = time.time_ns()
    rng = random.Random(seed)
    run = tmp_path / "run"
    for _ in range(8):
        fault = Fault(nth=rng.randint(1, 250), action=rng.choice(ACTIONS))
        changes = {**CHANGES, "train.save_every": 0}
        process = start(TASK, run, cache, changes, variables(fault, run, library))
        said = process.communicate(timeout=600)
        assert process.returncode in (0, -signal.SIGKILL), (seed, fault, said)
        check_folder(run)
    learn(TASK, run, CHANGES)
    assert_same_run(whole, run)


def copied(folder: Path, to: Path) -> Path:
    """A copy of a run folder; nothing where there is none yet."""
    if folder.is_dir():
        shutil.copytree(folder, to)
    return to


def informative(calls: list[tuple[str, str]], most: int = 2) -> list[int]:
    """Numbers of the calls, from 1: of those that do the same to a file of one kind (names differ
    by numbers, digests and random letters), the first `most`."""
    seen: Counter = Counter()
    kept = []
    for number, (call, path) in enumerate(calls, 1):
        kind = call, re.sub(r"[0-9a-f]{32}|\d+|partial-[a-z0-9_]{8}", "#", path)
        seen[kind] += 1
        if seen[kind] <= most:
            kept.append(number)
    return kept
