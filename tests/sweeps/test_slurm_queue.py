"""Jobs that wait in SLURM's queue, by stand-ins for its commands: which of them are taken back."""

import sys

import pytest
from sweep_parts import HERE, RUNNER, plan, wait_for
from test_search import asked

from reverie.sweeps import control, file, record, show, slurm
from reverie.sweeps.errors import SearchError, SweepError
from reverie.sweeps.file import How, Sweep
from reverie.sweeps.slurm import Slurm

HOW = How("slurm", jobs=4, retries=0)


@pytest.fixture
def queue(tmp_path, monkeypatch):
    """The folder of a cluster that runs one job, the first: a file for each job, with its state."""
    pytest.importorskip("submitit")
    folder, programs = tmp_path / "cluster" / "jobs", tmp_path / "programs"
    folder.mkdir(parents=True)
    programs.mkdir()
    for name in ("sbatch", "squeue", "scancel", "srun"):
        words = f"{sys.executable} {HERE / 'fake_slurm.py'} {folder} {name}"
        (programs / name).write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setattr(slurm, "UNSEEN", 0.5)
    monkeypatch.setattr(Slurm, "interval", 0.1)
    return folder


def states(queue) -> dict[str, str]:
    """Of every job, by its number, as soon as none runs: a trial says that it is done before its
    process has ended."""

    def now():
        return {path.name: path.read_text() for path in sorted(queue.iterdir())}

    wait_for(lambda: not {"RUNNING", ""} & {*now().values()})
    return now()


def jobs(sweep: Sweep) -> Slurm:
    """The back end, with quick trials, four of which may be queued."""
    known = {entry.trial.name: entry.job for entry in sweep.entries}
    return Slurm(sweep.folder, sweep.how.slurm, known, most=4, retries=0, runner=RUNNER)


class Neighbour:
    """Another sweep, which queues two jobs as soon as the first one has begun."""

    def __init__(self, folder):
        self._backend, self.heard = Slurm(folder, {}, {}, runner=RUNNER), list[str]()

    def hear(self, text: str) -> None:
        if text.startswith("started") and not self.heard:
            self._backend.start(["one", "two"])
        self.heard.append(text)


def search(tmp_path) -> list[str]:
    """What a search says that cannot go on, in the folder `sweep`, beside another sweep."""
    beside = Neighbour(tmp_path / "other")
    with pytest.raises(SearchError, match=r"trial-0000 has finished and has no loss/kl"):
        folder, wanted = tmp_path / "sweep", asked(20, metric="loss/kl")
        control.begin(folder, wanted, HOW, jobs, beside.hear)
    return beside.heard


WAITS = {"2_0": "PENDING", "2_1": "PENDING"}


def test_a_search_that_cannot_go_on_takes_its_own_jobs_back(tmp_path, queue):
    said = search(tmp_path)
    own = {"1_0": "COMPLETED"} | {f"1_{task}": "CANCELLED" for task in (1, 2, 3)}
    assert states(queue) == own | WAITS
    assert "ending trials: 3 waited and begin no more, 0 save\n" in said
    found = control.status(tmp_path / "sweep")
    assert [entry.job for entry in found.entries] == list(own)
    assert show.counts(found) == "1 finished, 3 waiting of 4 trials"


def test_jobs_that_slurm_keeps_are_told_and_not_waited_for(tmp_path, queue):
    (tmp_path / "cluster" / "broken").touch()
    said = "".join(search(tmp_path))
    assert "SLURM keeps the jobs 1_1 1_2 1_3 (scancel: error: Access/permission denied)" in said
    assert "each ends as soon as it begins" in said
    folder = tmp_path / "sweep"
    with pytest.raises(SweepError, match="SLURM keeps the jobs 1_1 1_2 1_3 "):
        control.cancel(folder)
    assert control.status(folder).count("cancelled") == 3
    (tmp_path / "cluster" / "broken").unlink()
    assert {*states(queue).values()} == {"COMPLETED", "PENDING"}


def test_cancel_takes_back_jobs_beside_one_that_has_ended(tmp_path, queue):
    search(tmp_path)
    folder = tmp_path / "sweep"
    for task, name in enumerate(file.read(folder).trials):
        record.write(folder, name, record.Record())  # all four wait, the first by an old number
        (queue / f"1_{task}").write_text("PENDING" if task else "COMPLETED")
    file.write(file.read(folder))
    assert control.cancel(folder).count("cancelled") == 4
    own = {"1_0": "COMPLETED"} | {f"1_{task}": "CANCELLED" for task in (1, 2, 3)}
    assert states(queue) == own | WAITS


def test_no_command_of_slurm_is_one_sentence(tmp_path, monkeypatch):
    file.write(Sweep(tmp_path, plan("a"), HOW, "", (file.Entry(plan("a").trials()[0], job="1"),)))
    (tmp_path / record.LOGS).mkdir()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SweepError, match=r"SLURM does not answer .*scancel.*: jobs that run go on"):
        control.cancel(tmp_path)
    assert control.status(tmp_path).count("cancelled") == 1
