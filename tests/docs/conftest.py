"""What the tests of the pages share: a loop that makes short runs, and a folder to work in."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from doc_runs import shrunk

from reverie.folder.run_folder import write_config


@pytest.fixture(scope="module")
def train(tmp_path_factory, traced_once, cache):
    """The loop for shrunk runs: one that was there before under another name is copied."""
    from reverie.train import loop

    real, made = loop.train, {}

    def learn(config, make_env=None, **options):
        config = shrunk(config)
        key = repr(replace(config, logdir="", task="any"))
        if options or key not in made:
            folder = real(config, make_env=make_env, **options)
            made[key] = folder.absolute()  # the next page works in another folder
            return folder
        folder = Path(config.logdir or f"runs/{len(made)}")
        shutil.copytree(made[key], folder)
        write_config(folder, replace(config, logdir=str(folder)), [])
        return folder

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "train", learn)
        yield learn


@pytest.fixture
def home(monkeypatch, tmp_path, train):
    """An empty folder to work in."""
    monkeypatch.setattr("reverie.machine.device._cache", lambda folder: None)
    monkeypatch.chdir(tmp_path)
    return tmp_path
