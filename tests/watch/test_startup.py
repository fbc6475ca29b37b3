"""What a start says, and when, and what one that fails leaves behind."""

import subprocess
import sys

import pytest

from reverie.folder import run_folder
from reverie.folder.errors import RunError
from reverie.folder.fresh import taken_back
from reverie.watch.startup import phase, wanted


def test_a_phase_is_begun_before_it_is_timed():
    said = []
    with phase("imports", shown=True, write=said.append):
        assert "".join(said) == "imports       "
    assert "".join(said) == "imports       0.0 s\n"


def test_a_phase_that_fails_ends_its_line():
    said = []
    with pytest.raises(KeyError), phase("networks", shown=True, write=said.append):
        raise KeyError
    assert "".join(said).endswith("\n") and " s" not in "".join(said).replace("networks", "")


def test_a_silent_phase_says_nothing():
    said = []
    with phase("imports", shown=False, write=said.append):
        pass
    assert said == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("train gym:A", True),
        ("train gym:A --log.progress plain", True),
        ("train gym:A --log.progress none", False),
        ("train gym:A --log.progress=none", False),
        ("train --help", False),
    ],
)
def test_who_wants_no_progress_hears_nothing_of_the_start(words, told):
    assert wanted(words.split()) is told


FIRST = """
import os, sys, time
from reverie.watch import terminal

def say(text):
    os.write(1, f"{text.strip()} {'jax' in sys.modules} {time.process_time()}".encode())
    os._exit(0)

terminal.say = say
from reverie.cli import main
main()
"""


def test_the_first_word_of_a_run_comes_within_a_second():
    """Of the process's own time, which other work on the machine does not lengthen."""
    command = [sys.executable, "-c", FIRST, "train", "gym:CartPole-v1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    word, imported, seconds = done.stdout.split()
    assert (word, imported) == ("imports", "False"), done.stderr
    assert float(seconds) <= 1.0


@pytest.mark.parametrize(("overrides", "told"), [({}, True), ({"log.progress": "none"}, False)])
def test_the_first_word_of_a_run_from_python_is_of_imports_too(overrides, told):
    code = f"import reverie; reverie.train('gym:A', steps='many', overrides={overrides})"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "steps takes an integer, found 'many'" in done.stderr
    assert done.stdout.startswith("imports   ") == told and (told or not done.stdout)


def start(logdir, *, begun=False):
    """A start that fails, after or before the configuration is written."""
    with taken_back(logdir), run_folder.claim(logdir):
        (logdir / "simulators.log").write_text("hello")
        if begun:
            (logdir / "config.json").write_text("{}")
        raise RunError("the disk is full.")


def test_a_start_that_fails_leaves_no_folder_that_was_not_there(tmp_path):
    with pytest.raises(RunError, match="the disk is full"):
        start(tmp_path / "runs" / "deep" / "mine")
    assert list(tmp_path.iterdir()) == []


def test_what_was_there_stays(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").write_text("keep")
    with pytest.raises(RunError):
        start(tmp_path / "mine")
    assert (tmp_path / "mine" / "notes").read_text() == "keep"


def test_a_run_that_has_begun_stays(tmp_path):
    with pytest.raises(RunError):
        start(tmp_path / "mine", begun=True)
    assert (tmp_path / "mine" / "config.json").exists()
