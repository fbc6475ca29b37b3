"""Runs that take seconds: in this process or in one of their own, and what they leave behind."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reverie.config.presets import resolve
from reverie.config.schema import Config
from reverie.train import checkpoint, loop

TINY: dict[str, Any] = {
    "steps": 240,
    "env.num": 2,
    "env.parallel": False,
    "train.ratio": 8.0,
    "train.batch": 4,
    "train.length": 6,
    "train.report_length": 4,
    "train.log_every": 40,
    "train.eval_episodes": 1,
    "train.save_every": 1e6,
    "replay.capacity": 10_000,
    "replay.chunk": 64,
    "behavior.imagine": 4,
    "device.kind": "cpu",
    "log.tensorboard": False,
    "log.progress": "none",
}
"""The smallest model that still does everything, on few steps."""


def tiny(
    task: str, logdir: Path, changes: dict[str, Any] | None = None, agent: str = "v3"
) -> Config:
    """The configuration of a tiny run."""
    edits = {**TINY, "device.precision": "f32", **(changes or {}), "logdir": str(logdir)}
    return resolve(task, agent=agent, size="debug", overrides=edits)


def learn(task: Any, logdir: Path, changes: dict[str, Any] | None = None, **options: Any) -> Path:
    """A tiny run in this process; `task` may be a callable that makes the environment."""
    if isinstance(task, str):
        return loop.train(tiny(task, logdir, changes), **options)
    return loop.train(tiny("custom:test", logdir, changes), task, **options)


def start(
    task: str,
    logdir: Path,
    cache: Path,
    changes: dict[str, Any],
    variables: Mapping[str, str] | None = None,
) -> subprocess.Popen:
    """A tiny run in a process of its own, by the command line; `variables` of the environment
    come on top of this process's own."""
    edits = {**TINY, **changes, "device.cache": cache}
    flags = ["--size=debug", *(f"--{key}={value}" for key, value in edits.items())]
    path = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-m", "reverie", "train", task, f"--logdir={logdir}", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            **(variables or {}),
        },
    )


def last_step(logdir: Path) -> int:
    """Step of the last metric line; 0 before the first."""
    path = logdir / "metrics.jsonl"
    text = path.read_bytes() if path.is_file() else b""
    rows = text.splitlines(keepends=True)
    whole = [row for row in rows if row.endswith(b"\n")]
    return json.loads(whole[-1])["step"] if whole else 0


def free_port() -> int:
    """A port of this machine that nothing listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_for_step(process: subprocess.Popen, logdir: Path, step: int) -> None:
    """Return as soon as the run has logged `step`; fails if the process ends before."""
    while last_step(logdir) < step:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def metrics(logdir: Path) -> list[dict[str, Any]]:
    """All metric lines without the names that may differ between two identical runs."""
    rows = map(json.loads, (logdir / "metrics.jsonl").read_text().splitlines())
    return [
        {k: v for k, v in row.items() if not k.startswith(("time/", "system/"))} for row in rows
    ]


def newest(logdir: Path) -> dict[str, Any]:
    """The newest checkpoint, without its wall time and the length of its metrics file."""
    tree = checkpoint.load(checkpoint.complete(logdir / "checkpoints")[-1])
    del tree["clocks"]["seconds"], tree["logger"]
    return tree


def flat(tree: Any, name: str = "") -> dict[str, Any]:
    """Leaves of nested dicts and lists by path."""
    if isinstance(tree, dict | list):
        items = tree.items() if isinstance(tree, dict) else enumerate(tree)
        return {k: v for key, part in items for k, v in flat(part, f"{name}/{key}").items()}
    return {name: tree}


def assert_same_run(one: Path, two: Path) -> None:
    """Metrics, every tensor and counter of the last checkpoint, and the replay's content.

    The replay's files are named by the digest of what they hold, and their names are compared.
    """
    assert metrics(one) == metrics(two)
    first, second = flat(newest(one)), flat(newest(two))
    assert first.keys() == second.keys()
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name], err_msg=name)
