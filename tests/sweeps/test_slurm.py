"""Trials as jobs of a real SLURM on this machine: one is killed, one preempted, one requeued.

Slow: SLURM waits two minutes before it starts a requeued job again. It needs root and Debian's
slurm-wlm and munge, and is left out where they are missing.
"""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sweep_parts import HERE, RUNNER, begin, child_of, kill, numbers, plan, wait_for

from reverie.sweeps import control, file, record, slurm
from reverie.sweeps.errors import SweepError
from reverie.sweeps.file import How, Sweep
from reverie.sweeps.slurm import Slurm

TOOLS = ("slurmctld", "slurmd", "munged", "sbatch")
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
there = os.geteuid() == 0 and all(shutil.which(tool, path=PATH) for tool in TOOLS)
real = pytest.mark.skipif(not there, reason="no SLURM (slurm-wlm, munge, root) on this machine")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """SLURM of one node; its folder."""
    pytest.importorskip("submitit")
    folder = tmp_path_factory.mktemp("slurm")
    script = [str(HERE / "slurm_here.sh"), str(folder)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", PATH)
        subprocess.run(script, check=True, timeout=120)
        patch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
        yield folder
        subprocess.run(["scancel", "--user=root"], check=True, timeout=60)
        subprocess.run([*script, "stop"], check=True, timeout=60)


def jobs(sweep: Sweep) -> Slurm:
    """The back end, with quick trials."""
    known = {entry.trial.name: entry.job for entry in sweep.entries}
    return Slurm(sweep.folder, sweep.how.slurm, known, runner=RUNNER)


HOW = How("slurm", slurm={"partition": "low", "time": "30"})


def disturb(folder: Path) -> None:
    """The command of the first trial is killed, and its job told that its time is up; another
    trial is preempted by a job of more weight."""
    wait_for(lambda: len(numbers(folder)) >= 2, 120)
    first = min(numbers(folder))
    kill(child_of(folder, first))
    wait_for(lambda: record.read(folder, first).tries == 2)
    job = file.read(folder).entry(first).job
    subprocess.run(["scancel", "--signal=USR2", job])  # it says that the batch step knows no signal
    wait_for(lambda: record.read(folder, first).state == "stopped")
    wide = ["sbatch", "--partition=high", f"--cpus-per-task={os.cpu_count()}", "--output=/dev/null"]
    subprocess.run([*wide, "--wrap=sleep 1"], check=True)
    others = [name for name in file.read(folder).trials if name != first]  # SLURM chooses
    wait_for(lambda: any(record.read(folder, n).state == "stopped" for n in others), 300)


@real
@pytest.mark.slow
def test_killed_preempted_and_timed_out_trials_end_with_the_same_numbers(cluster, tmp_path):
    asked, folder = plan("slow", seeds=4, steps=3000), tmp_path / "slurm"
    begin(tmp_path / "whole", asked, jobs=4)
    thread = threading.Thread(target=disturb, args=(folder,))
    thread.start()
    found = control.begin(folder, asked, HOW, jobs, len)
    thread.join()
    assert found.count("finished") == 4
    assert numbers(folder) == numbers(tmp_path / "whole")
    tries = sorted(r.tries for r in found.trials.values())
    assert tries == [1, 1, 2, 3]
    assert sum(r.failures for r in found.trials.values()) == 1


@real
@pytest.mark.slow
def test_cancel_takes_waiting_jobs_out_of_the_queue(cluster, tmp_path):
    folder, asked = tmp_path / "slurm", plan("slow", seeds=6, steps=3000)
    thread = threading.Thread(target=control.begin, args=(folder, asked, HOW, jobs, len))
    thread.start()
    wait_for(lambda: numbers(folder), 120)
    found = control.cancel(folder)
    thread.join(120)
    assert found.count("cancelled") == 6
    own = {entry.job for entry in found.entries}
    wait_for(lambda: not own & slurm.queued(), 60)


def test_what_is_missing_is_said(tmp_path, monkeypatch):
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SweepError, match=r"needs SLURM's commands .sbatch, srun. on this machine"):
        Slurm(tmp_path, {}, {})
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(
        SweepError, match=r"needs the package submitit: pip install 'reverie\[slurm\]'"
    ):
        Slurm(tmp_path, {}, {})


def test_an_unknown_parameter_of_a_job_is_refused(tmp_path, monkeypatch):
    pytest.importorskip("submitit")
    for name in ("srun", "sbatch"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SweepError, match="no parameter 'partiton'; did you mean 'partition'"):
        Slurm(tmp_path, {"partiton": "gpu"}, {})
    with pytest.raises(SweepError, match="takes whole minutes, such as time=600; found '10:00'"):
        Slurm(tmp_path, {"time": "10:00"}, {})
    Slurm(tmp_path, {"partition": "gpu", "gpus-per-node": "1"}, {})
