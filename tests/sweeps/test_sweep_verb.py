"""`reverie sweep status|resume|cancel` on folders of quick trials: words, and exit codes."""

import pytest
from sweep_parts import begin, local, numbers, plan

from reverie.cli import main
from reverie.sweeps import file, record


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


def test_cancelled_trials_go_on_by_resume(tmp_path, capsys, quick):
    whole = begin(tmp_path / "whole", plan("a"))
    sweep = begin(tmp_path / "cut", plan("a"))
    for name in sweep.trials:
        (tmp_path / "cut" / name / "metrics.jsonl").unlink()
        record.write(sweep.folder, name, record.Record())
    file.write(file.read(sweep.folder))
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
