"""The package of examples/: installed, found by name, trained, killed and resumed, shown."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_runs import TINY, assert_same_run, metrics, start, wait_for_step

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


def command(variables, *words):
    """The command in a process of its own: its exit code, and all that it says."""
    line = [sys.executable, "-m", "reverie", *map(str, words)]
    environment = os.environ | variables
    done = subprocess.run(line, capture_output=True, text=True, env=environment, timeout=300)
    return done.returncode, done.stdout + done.stderr


def say(variables, *words):
    """What the command says; it must end well."""
    code, said = command(variables, *words)
    assert code == 0, said
    return said


def refused(variables, *words):
    """What it says where it must not end well."""
    code, said = command(variables, *words)
    assert code != 0
    return said


def finish(process):
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, output + errors


def test_every_example_is_small():
    files = sorted((PACKAGE / "src" / "my_parts").glob("*.py"))
    assert len(files) == 9
    assert all(len(file.read_text().splitlines()) < 80 for file in files)


def test_the_world_of_others_learns_and_resumes_after_a_kill(tmp_path, cache, variables):
    """Draw, objective, core, extra loss, explorer and suite together in one run."""
    changes = LEARNED | {"train.save_every": 0.0}
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    finish(start("corridor_short", whole, cache, changes, variables))
    last = metrics(whole)[-1]
    for name in ("loss/contrast", "loss/inverse", "loss/ensemble", "eval/return"):
        assert any(name in row for row in metrics(whole)), (name, last)
    process = start("corridor_short", killed, cache, changes, variables)
    wait_for_step(process, killed, 120)
    process.send_signal(signal.SIGKILL)
    process.wait()
    finish(start("corridor_short", killed, cache, changes, variables))
    assert_same_run(whole, killed)
    assert "--allow my_parts" in refused(variables, "eval", whole)
    assert "return" in say(variables, "eval", whole, "--allow", "my_parts", "--episodes", 1)
    say(variables, "report", whole, "--out", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "whole learned without a decoder (contrast)" in page
    say(variables, "compare", whole, killed, "--out", tmp_path / "both.html")


def test_the_replay_of_others_learns(tmp_path, cache, variables):
    """Retention of the longest episodes, and sequences where the reward was not expected."""
    run = tmp_path / "run"
    finish(start("corridor_short", run, cache, KEPT, variables))
    assert max(row.get("train/updates", 0) for row in metrics(run)) > 5
    assert TINY["steps"] == metrics(run)[-1]["step"]


def test_they_are_listed_and_hinted(variables):
    assert "corridor_long" in say(variables, "tasks", "corridor")
    text = say(variables, "train", "corridor_short", "--help", "all")
    for name in ("half_new", "contrast", "minimal", "inverse", "distillation", "reward_error"):
        assert name in text, name
