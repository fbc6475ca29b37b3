"""`reverie sweep status|resume|cancel` and `reverie.sweep`'s methods on folders of quick trials."""

import re
import socket

import pytest
from sweep_parts import begin, local, numbers, plan

import reverie
from reverie.cli import main
from reverie.part.errors import ConfigError
from reverie.sweeps import file, record
from reverie.sweeps.errors import SweepError


@pytest.fixture
def quick(monkeypatch):
    """Trials are the quick commands, not runs."""
    monkeypatch.setattr("reverie.api.sweep_runs.backend_of", local)


def test_status_has_a_line_for_every_trial(tmp_path, capsys):
    begin(tmp_path, plan("a", "fail", seeds=1), retries=0)
    assert main(["sweep", "status", str(tmp_path)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "a-seed=0 finished, step 4, return" in told
    assert "fail-seed=0 failed: the simulator is not there." in told
    assert told.endswith("sweep: 1 finished, 1 failed of 2 trials")


def test_a_trial_whose_process_is_gone_does_not_run(tmp_path, capsys):
    begin(tmp_path, plan("a", seeds=2))
    here = record.Record("running", tries=1, host=socket.gethostname())
    record.write(tmp_path, "a-seed=0", here)
    record.write(tmp_path, "a-seed=1", record.Record("running", tries=1, host="elsewhere"))
    found = reverie.sweep.status(tmp_path).trials
    assert {name: trial.state for name, trial in found.items()} == {
        "a-seed=0": "stopped",
        "a-seed=1": "running",
    }
    handle = record.take(tmp_path, "a-seed=0")
    assert reverie.sweep.status(tmp_path).count("running") == 2  # a process holds it
    record.release(handle)
    assert main(["sweep", "status", str(tmp_path)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "a-seed=0 stopped, step 4, return" in told
    assert ": its process ended without a word; `reverie sweep resume` goes on" in told
    assert told.endswith("sweep: 1 running, 1 stopped of 2 trials")


@pytest.fixture
def begun(tmp_path):
    """A folder of two trials that wait, as after a kill before the first one began."""
    sweep = begin(tmp_path / "cut", plan("a"))
    for name in sweep.trials:
        (tmp_path / "cut" / name / "metrics.jsonl").unlink()
        record.write(sweep.folder, name, record.Record())
    file.write(file.read(sweep.folder))
    return sweep


def test_a_notebook_asks_cancels_and_goes_on(tmp_path, monkeypatch, capsys, quick, begun):
    whole = begin(tmp_path / "whole", plan("a"))
    monkeypatch.chdir(tmp_path)
    assert reverie.sweep.status("cut").count("waiting") == 2
    assert reverie.sweep.cancel("cut").count("cancelled") == 2
    assert reverie.sweep.status("cut").count("cancelled") == 2
    found = reverie.sweep.resume("cut")
    assert found.folder == begun.folder
    assert reverie.sweep.status("cut") == found
    assert found.count("finished") == 2
    assert numbers(found.folder) == numbers(whole.folder)
    assert capsys.readouterr().out == ""


def test_a_notebook_gives_failed_trials_their_tries_again(tmp_path, quick):
    begin(tmp_path, plan("fail-once", seeds=1), retries=0)
    assert reverie.sweep.resume(tmp_path).count("failed") == 1
    assert reverie.sweep.resume(tmp_path, failed=True).count("finished") == 1


@pytest.mark.parametrize("word", ["status", "resume", "cancel"])
def test_a_notebook_is_told_of_a_folder_without_a_sweep(word, tmp_path):
    act = getattr(reverie.sweep, word)
    with pytest.raises(SweepError) as told:
        act(tmp_path / "there")
    assert str(told.value) == f"{tmp_path}/there is no sweep folder: it has no sweep.json."
    assert not [*tmp_path.iterdir()]
    with pytest.raises(ConfigError, match="folder takes a folder's path, found 3"):
        act(3)
    with pytest.raises(ConfigError, match=re.escape("s3://bucket/sweep")):
        act("s3://bucket/sweep")


def test_cancelled_trials_go_on_by_resume(tmp_path, capsys, quick, begun):
    whole, sweep = begin(tmp_path / "whole", plan("a")), begun
    assert main(["sweep", "cancel", str(sweep.folder)]) == 0
    assert capsys.readouterr().out.endswith("sweep: 2 cancelled of 2 trials\n")
    assert main(["sweep", "resume", str(sweep.folder)]) == 0
    assert "sweep: 2 finished of 2 trials" in capsys.readouterr().out
    assert numbers(tmp_path / "cut") == numbers(whole.folder)


def test_a_failed_trial_gets_its_tries_again_and_the_code_is_one(tmp_path, capsys, quick):
    begin(tmp_path, plan("fail", "fail-once", seeds=1), retries=0)
    assert main(["sweep", "resume", str(tmp_path)]) == 1
    assert "sweep: 2 failed of 2 trials" in capsys.readouterr().out
    assert main(["sweep", "resume", str(tmp_path), "--failed"]) == 1
    told = capsys.readouterr().out
    assert "sweep: 1 finished, 1 failed of 2 trials" in told
    assert "fail-seed=0 failed: the simulator is not there." in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["resmue", "there"], "no task 'resmue'; did you mean `reverie sweep resume`?"),
        (["status"], "reverie sweep status takes one sweep folder, found none."),
        (["status", "one", "two"], "takes one sweep folder, found one and two."),
        (["status", "there", "--failed"], "reverie sweep status has no option --failed; it takes"),
        (["resume", "there", "--faild"], "no option --faild; did you mean '--failed'?"),
        (["status", "there"], "there is no sweep folder: it has no sweep.json."),
        (["resume", "there"], "there is no sweep folder: it has no sweep.json."),
        (["cancel", "there"], "there is no sweep folder: it has no sweep.json."),
    ],
)
def test_what_cannot_be_is_one_sentence(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", *words]) != 0
    told = " ".join(capsys.readouterr().err.split())
    assert said in told, told
    assert not [*tmp_path.iterdir()]
