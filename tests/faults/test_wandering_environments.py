"""Folders and scripts: what an environment does to the process's folder, and where its class is."""

import functools as ft
import importlib.util
import multiprocessing
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from unruly_envs import Unruly

from reverie.bench.output import check_target
from reverie.config.presets import resolve
from reverie.doctor.visit import sheet_target
from reverie.envs.make import maker
from reverie.envs.options import EnvConfig
from reverie.envs.vector import Vector
from reverie.folder.run_folder import logdir_of


class Wanderer(Unruly):
    """Changes the folder of its process when it is made."""

    def __init__(self, there, told="", **kwargs):
        super().__init__(**kwargs)
        if told:
            with Path(told).open("a") as file:
                file.write(f"{Path.cwd()}\n")
        os.chdir(there)


@pytest.mark.parametrize("parallel", [True, False])
def test_workers_begin_in_the_folder_of_the_start(parallel, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    told = tmp_path / "told"
    once = str(tmp_path / "once")
    make_env = ft.partial(Wanderer, str(tmp_path / "there"), str(told), ending="error", once=once)
    with Vector(maker(make_env, EnvConfig()), num=2, seed=0, parallel=parallel) as vector:
        for _ in range(5):
            vector.send({"action": np.zeros(2, np.int32)})
            vector.recv()
        assert vector.restarted == 1
    if parallel:
        assert told.read_text().splitlines() == [str(tmp_path)] * 3


def test_paths_are_resolved_before_anyone_can_wander(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    for config in (resolve("probe_memory"), resolve("probe_memory", overrides={"logdir": "mine"})):
        assert logdir_of(config).is_absolute()
        assert logdir_of(config).is_relative_to(tmp_path)
    assert check_target("found.json") == str(tmp_path / "found.json")
    assert check_target("") == ""
    assert sheet_target("there/sheet.png") == tmp_path / "there" / "sheet.png"


SCRIPT = """
    import multiprocessing
    import sys
    import numpy as np

    sys.path[:0] = {path!r}
    from unruly_envs import Unruly
    from reverie.config.schema import EnvConfig
    from reverie.envs.make import maker
    from reverie.envs.vector import Vector


    class Mine(Unruly):
        pass


    def drive(make_env):
        with Vector(maker(make_env, EnvConfig()), num=1, seed=0) as vector:
            assert not vector.here
            vector.send({{"action": np.zeros(1, np.int32)}})
            print(vector.recv().is_first, flush=True)


    if __name__ == "__main__":
        child = multiprocessing.get_context("spawn").Process(target=drive, args=(Mine,))
        child.start()
        child.join()
        drive(Mine)
"""


def test_classes_of_a_script_also_in_a_spawned_process(tmp_path):
    code = SCRIPT.format(path=[str(Path(__file__).parent)])
    (tmp_path / "user.py").write_text(textwrap.dedent(code))
    command = [sys.executable, tmp_path / "user.py"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines() == ["[ True]", "[ True]"], done.stderr


@pytest.mark.parametrize("wrap", [lambda made: made, lambda made: ft.partial(made, length=3)])
def test_a_module_beside_the_import_path(wrap, tmp_path):
    (tmp_path / "apart.py").write_text("from unruly_envs import Unruly\nclass Far(Unruly): pass\n")
    spec = importlib.util.spec_from_file_location("apart", tmp_path / "apart.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["apart"] = module
    try:
        spec.loader.exec_module(module)
        with Vector(maker(wrap(module.Far), EnvConfig()), num=1, seed=0) as vector:
            assert not vector.here
    finally:
        del sys.modules["apart"]


def test_an_environment_that_starts_processes_of_its_own():
    def make_env():
        with multiprocessing.get_context("fork").Pool(1) as pool:
            assert pool.apply(abs, (-3,)) == 3
        return Unruly()

    with Vector(maker(make_env, EnvConfig()), num=1, seed=0) as vector:
        assert not vector.here
