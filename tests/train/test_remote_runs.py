"""Runs whose folder is a URL: they resume on another machine, and every verb reads them."""

import json
import shutil
import time
from pathlib import Path

import pytest
from tiny_runs import assert_same_run, learn, start, wait_for_step

import reverie
from reverie.cli import main
from reverie.folder.address import working_folder
from reverie.folder.remote import Remote

fsspec = pytest.importorskip("fsspec")

URL = "memory://bucket/run"
TASK = "gym:CartPole-v1"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Goes to another machine: one with an empty cache. What the store holds stays."""

    def go_to(name):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))

    go_to("first")
    yield go_to
    store = fsspec.filesystem("memory")
    if store.exists("/bucket"):
        store.rm("/bucket", recursive=True)


def test_a_run_goes_on_elsewhere_number_for_number(machine, tmp_path, cache, traced_once, capsys):
    begun = learn(TASK, f"{URL}/", {"steps": 60})
    assert tmp_path / "first" in begun.parents
    whole = Path(shutil.copytree(begun, tmp_path / "whole"))
    stored = json.loads(Remote(URL).read("config.json"))
    assert stored["config"]["logdir"] == URL
    changes = {"steps": 100}
    learn(TASK, whole, changes)
    machine("second")
    there = learn(TASK, URL, changes)
    assert tmp_path / "second" in there.parents
    assert_same_run(whole, there)
    machine("third")
    assert reverie.load(URL).step == 100
    assert reverie.saved_config(URL).steps == 100
    capsys.readouterr()
    assert main(["report", URL]) == 0
    assert main(["compare", URL, str(whole), "--metric", "episode/return", "--out", "none"]) == 0
    assert "report.html" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("step", [80, 150])
def test_a_killed_run_goes_on_elsewhere(machine, tmp_path, cache, step):
    """The process is killed while it trains and copies; its machine is never seen again."""
    changes = {"train.save_every": 0.2}
    whole = learn(TASK, tmp_path / "whole", changes)
    url = f"file://{tmp_path}/bucket/run"
    process = start(TASK, url, cache, changes)
    wait_for_step(process, working_folder(url), step)
    while Remote(url).marker() is None:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    process.kill()
    process.communicate()
    assert Remote(url).marker() is not None  # or nothing is resumed
    machine("second")
    assert_same_run(whole, learn(TASK, url, changes))


def test_verbs_that_take_no_url_say_so(capsys):
    for words in (
        ["sweep", TASK, "--logdir", "s3://bucket/sweep"],
        ["sweep", "status", "s3://bucket/sweep"],
        ["report", "runs/x", "--out", "s3://bucket/page.html"],
        ["eval", "runs/x", "--video", "s3://bucket/films"],
        ["export", "runs/x", "--out", "s3://bucket/x"],
        ["bench", "env", "probe_memory", "--json", "s3://bucket/x"],
        ["train", TASK, "--init", "s3://bucket/run"],
    ):
        assert main(words) == 2, words
        assert "s3://bucket" in (said := capsys.readouterr().err) and "machine" in said
