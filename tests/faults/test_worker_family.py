"""Whatever an environment started ends with its process."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from unruly_envs import Parent, is_running, wait_until

from reverie.envs.base import EnvError
from reverie.envs.make import maker
from reverie.envs.options import EnvConfig
from reverie.envs.vector import Vector


def started(told):
    return [int(pid) for pid in Path(told).read_text().split()]


def drive(vector, rows):
    for _ in range(rows):
        vector.send({"action": np.zeros(vector.num, np.int32)})
        vector.recv()


def all_gone(told):
    return wait_until(lambda: not any(is_running(pid) for pid in started(told)))


@pytest.mark.parametrize("way", Parent.WAYS)
@pytest.mark.parametrize("ending", ["", "leave", "kill", "hang", "error"])
def test_children_end_with_their_worker(way, ending, tmp_path):
    told = tmp_path / "told"

    def make_env():
        return Parent(told, way, ending=ending)

    timeout = 1.5 if ending == "hang" else 60.0
    with Vector(maker(make_env, EnvConfig()), num=1, seed=0, restarts=0, timeout=timeout) as vector:
        assert all(is_running(pid) for pid in started(told))
        if ending:
            with pytest.raises(EnvError, match="all 0 restarts"):
                drive(vector, 5)
        else:
            drive(vector, 5)
    assert all_gone(told)


def test_children_of_other_workers_live_on(tmp_path):
    told = tmp_path / "told"

    def make_env(index):
        return Parent(told, "session", ending="kill" if index else "", length=50)

    with Vector(maker(make_env, EnvConfig()), num=2, seed=0, restarts=1) as vector:
        before = started(told)
        drive(vector, 5)
        assert vector.restarted == 1
        assert sorted(is_running(pid) for pid in before) == [False, True]
        assert len(started(told)) == 3
    assert all_gone(told)


CODE = """
    import functools as ft, sys, time
    from unruly_envs import Parent
    from reverie.config.schema import EnvConfig
    from reverie.envs.make import maker
    from reverie.envs.vector import Vector

    vector = Vector(maker(ft.partial(Parent, {told!r}, "session"), EnvConfig()), num=1, seed=0)
    print("made", flush=True)
    time.sleep(600)
"""


def test_children_end_when_the_run_is_killed(tmp_path):
    told = str(tmp_path / "told")
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    run = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(CODE.format(told=told))],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert run.stdout.readline() == "made\n"
    run.kill()
    run.wait()
    assert all_gone(told)


def test_children_obey_signals_as_usual(tmp_path):
    """A worker takes no notice of SIGTERM; what it starts does, or close() would wait for ever."""
    told = tmp_path / "told"

    class Polite(Parent):
        def close(self):
            pid = started(told)[0]
            os.kill(pid, signal.SIGTERM)
            code = os.waitpid(pid, 0)[1]
            told.with_name("code").write_text(str(os.WTERMSIG(code)))

    with Vector(maker(lambda: Polite(told), EnvConfig()), num=1, seed=0):
        pass
    assert int(told.with_name("code").read_text()) == signal.SIGTERM
