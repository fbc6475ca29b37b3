"""What a start says, and what one that fails leaves behind."""

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
