"""The package of examples/: installed, found by name, trained, killed and resumed, shown."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_runs import TINY, assert_same_run, learn, metrics, start, wait_for_step

from reverie.cli import main
from reverie.envs import registry
from reverie.part import part

PACKAGE = Path(__file__).parents[1] / "examples" / "my_parts"
LEARNED = {
    "replay.draw": "half_new",
    "replay.draw.share": 0.25,
    "world.objective": "contrast",
    "world.dynamics.core": "minimal",
    "world.extras": "inverse",
    "explore": "distillation",
}
KEPT = {
    "replay.unit": "episode",
    "replay.keep": "longest",
    "replay.capacity": 400,
    "replay.draw": "proportional",
    "replay.signal": "reward_error",
    "train.length": 4,
}


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A folder with the package installed in it, without any index; pip writes beside a copy."""
    folder, copy = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("copy") / "my_parts"
    shutil.copytree(PACKAGE, copy)
    flags = ["--no-index", "--no-deps", "--no-build-isolation", "--quiet"]
    line = [sys.executable, "-m", "pip", "install", *flags, "--target", folder, copy]
    found = subprocess.run(line, capture_output=True, text=True, timeout=120)
    assert found.returncode == 0, found.stderr
    return folder


@pytest.fixture(scope="session")
def variables(site):
    known = [str(site), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(filter(None, known))}


def forget():
    """Nothing is known of the package any more in this process."""
    for known in (part._offered, registry.offered):
        known.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_parts"]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def installed(site, traced_once):
    """The package is found in this process, as in those of its user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(site))
        forget()
        yield
    forget()


@pytest.fixture
def say(installed, capsys):
    """What the command says; it must end well."""

    def run(*words):
        code = main([*map(str, words)])
        said = capsys.readouterr()
        assert code == 0, said.out + said.err
        return said.out + said.err

    return run


def test_every_example_is_small():
    files = sorted((PACKAGE / "src" / "my_parts").glob("*.py"))
    assert len(files) == 9
    assert all(len(file.read_text().splitlines()) < 80 for file in files)


def test_the_world_of_others_learns_and_resumes_after_a_kill(
    say, tmp_path, cache, variables, capsys
):
    """Draw, objective, core, extra loss, explorer and suite together in one run: one left alone,
    and one that the command begins in a process of its own, which is killed."""
    changes = LEARNED | {"train.save_every": 0.0}
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    learn("corridor_short", whole, changes)
    last = metrics(whole)[-1]
    for name in ("loss/contrast", "loss/inverse", "loss/ensemble", "eval/return"):
        assert any(name in row for row in metrics(whole)), (name, last)
    process = start("corridor_short", killed, cache, changes, variables)
    wait_for_step(process, killed, 120)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    learn("corridor_short", killed, changes)
    assert_same_run(whole, killed)
    assert main(["eval", str(whole)]) != 0
    assert "--allow my_parts" in capsys.readouterr().err
    assert "return" in say("eval", whole, "--allow", "my_parts", "--episodes", 1)
    say("report", whole, "--out", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "whole learned without a decoder (contrast)" in page
    say("compare", whole, killed, "--out", tmp_path / "both.html")


def test_the_replay_of_others_learns(installed, tmp_path, cache):
    """Retention of the longest episodes, and sequences where the reward was not expected."""
    run = learn("corridor_short", tmp_path / "run", KEPT)
    assert max(row.get("train/updates", 0) for row in metrics(run)) > 5
    assert TINY["steps"] == metrics(run)[-1]["step"]


def test_they_are_listed_and_hinted(say):
    assert "corridor_long" in say("tasks", "corridor")
    text = say("train", "corridor_short", "--help", "all")
    for name in ("half_new", "contrast", "minimal", "inverse", "distillation", "reward_error"):
        assert name in text, name
