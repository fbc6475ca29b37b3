"""What simulators print never fills a disk, and a full one never reaches the run."""

import errno
import functools as ft
import os
from pathlib import Path

import numpy as np
import pytest
from unruly_envs import Unruly

from reverie.envs import printed
from reverie.envs.make import maker
from reverie.envs.options import EnvConfig
from reverie.envs.vector import Vector


class Chatty(Unruly):
    """Prints `megabytes` at each step, beside Python's own streams too."""

    def __init__(self, megabytes=0.0, **kwargs):
        super().__init__(**kwargs)
        self.megabytes = megabytes

    def step(self, action):
        for part in range(int(self.megabytes * 10)):
            os.write(1 + part % 2, b"." * 99_990 + f"part{part:05d}\n".encode())
        return super().step(action)


def steps(make_env, log_file, count=4, **settings):
    with Vector(maker(make_env, EnvConfig()), num=1, seed=0, log_file=log_file, **settings) as v:
        for _ in range(count):
            v.send({"action": np.zeros(1, np.int32)})
            v.recv()
        return v.restarted


def test_a_flood_stays_within_the_bound_and_its_end_is_kept(tmp_path):
    path = tmp_path / "simulators.log"
    path.write_bytes(b"from an earlier run\n" * 1000)
    assert steps(ft.partial(Chatty, 20.0), path, count=4) == 0
    assert path.stat().st_size <= printed.LIMIT
    text = path.read_text()
    assert text.startswith("... older lines were dropped here")
    assert text.endswith("part00199\n")


def test_little_is_kept_whole(tmp_path):
    path = tmp_path / "simulators.log"
    steps(ft.partial(Chatty, 0.1), path, count=3)
    steps(ft.partial(Chatty, 0.1), path, count=3)
    assert path.read_text().count("part00000") == 4


def test_tracebacks_of_crashes_are_there_from_both_kinds_of_seats(tmp_path):
    for parallel in (True, False):
        path = tmp_path / f"{parallel}.log"
        make_env = ft.partial(Unruly, "error", once=str(tmp_path / f"once {parallel}"))
        assert steps(make_env, path, parallel=parallel) == 1
        text = path.read_text()
        assert "Traceback (most recent call last)" in text
        assert "the gripper fell off" in text


def test_a_full_disk_is_no_matter(tmp_path, monkeypatch, caplog):
    path = tmp_path / "simulators.log"

    def full(fd, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    log = printed.PrintLog(path)
    with monkeypatch.context() as patch:
        patch.setattr(printed.os, "write", full)
        log.write(b"lost\n")
        log.write(b"lost\n")
    log.write(b"kept\n")
    log.close()
    log.write(b"late\n")
    assert path.read_text() == "kept\n"
    assert caplog.text.count("What simulators print is not kept (No space left on device)") == 1


@pytest.mark.parametrize("kind", ["link", "folder", "pipe", "device", "nowhere"])
def test_what_is_no_plain_file_is_left_alone(kind, tmp_path, caplog):
    path, private = tmp_path / "simulators.log", tmp_path / "private"
    private.write_text("mine\n")
    match kind:
        case "link":
            path.symlink_to(private)
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "device":
            path = Path(os.devnull).with_name("full")
        case "nowhere":
            path = tmp_path / "none" / "simulators.log"
    assert steps(ft.partial(Chatty, 0.2), path) == 0
    assert private.read_text() == "mine\n"
    assert "What simulators print is not kept" in caplog.text
