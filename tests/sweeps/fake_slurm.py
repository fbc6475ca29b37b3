"""Stands for SLURM's commands: a cluster that runs the first job it is given; all others wait.

    python fake_slurm.py FOLDER sbatch|squeue|scancel ...

A job is a file of FOLDER by its number, which holds its state.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path


def sbatch(folder: Path, words: list[str]) -> None:
    """Take the job, or the array of jobs, that a script of submitit describes."""
    script = Path(words[-1]).read_text()
    array = re.search(r"^#SBATCH --array=0-(\d+)", script, re.MULTILINE)
    number = str(1 + len({path.name.partition("_")[0] for path in folder.iterdir()}))
    ends = [f"_{task}" for task in range(int(array[1]) + 1)] if array else [""]
    for end in ends:
        (folder / f"{number}{end}").write_text("PENDING")
    if number == "1":
        (folder / f"1{ends[0]}").write_text("RUNNING")
        (line,) = [line for line in script.splitlines() if line.startswith("srun ")]
        command = shlex.split(line)
        given = [str(folder), "run", f"1{ends[0]}", *command[command.index("-u") - 1 :]]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.Popen([sys.executable, __file__, *given], start_new_session=True, **quiet)
    print(f"Submitted batch job {number}")


def run(folder: Path, words: list[str]) -> None:
    """Run a job to its end, with the variables by which submitit finds what it is."""
    number, _, task = words[0].partition("_")
    told = {"JOB_ID": number, "NTASKS": "1", "JOB_NUM_NODES": "1", "JOB_NODELIST": "here"}
    told |= dict.fromkeys(("NODEID", "PROCID", "LOCALID"), "0")
    told |= {"ARRAY_JOB_ID": number, "ARRAY_TASK_ID": task} if task else {}
    told = {f"SLURM_{key}": value for key, value in told.items()}
    subprocess.run(words[1:], env=os.environ | told | {"SUBMITIT_EXECUTOR": "slurm"})
    (folder / words[0]).write_text("COMPLETED")


def squeue(folder: Path, words: list[str]) -> None:
    """The jobs that wait or run; with --states=PENDING those that wait."""
    shown = ("PENDING",) if "--states=PENDING" in words else ("PENDING", "RUNNING")
    print("\n".join(path.name for path in folder.iterdir() if path.read_text() in shown))


def scancel(folder: Path, words: list[str]) -> None:
    """Cancel those of the jobs that wait; one that has ended is an error, as in SLURM."""
    assert words[0] == "--state=PENDING"
    if (folder.parent / "broken").exists():
        raise SystemExit("scancel: error: Access/permission denied")
    for name in words[1:]:
        if (folder / name).read_text() == "PENDING":
            (folder / name).write_text("CANCELLED")
    ended = [name for name in words[1:] if (folder / name).read_text() == "COMPLETED"]
    if ended:
        raise SystemExit(f"scancel: error: Kill job error on job id {ended[0]}: Invalid job id")


if __name__ == "__main__":
    {"sbatch": sbatch, "run": run, "squeue": squeue, "scancel": scancel}[sys.argv[2]](
        Path(sys.argv[1]), sys.argv[3:]
    )
