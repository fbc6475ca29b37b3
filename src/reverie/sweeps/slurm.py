"""Trials as jobs of SLURM, through submitit: one array, time-outs and preemption requeue a job."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reverie.part.errors import suggest
from reverie.sweeps import record
from reverie.sweeps.backend import RUNNER, AbstractBackend, command, need
from reverie.sweeps.errors import SweepError

MINUTES = 24 * 60
"""Time limit of a job where --slurm time=MINUTES gives none; a job that reaches it goes on in
another one."""
REQUEUES = 1000
"""Time limits that one trial may reach."""
MOST = 1000
"""Jobs of a sweep that wait and run at once: SLURM's own limit of an array."""
UNSEEN = 15.0
"""Seconds for which the scheduler may not yet show a job that it took."""
SAVING = 75.0
"""Seconds that a run may take to save when its time is up: submitit has 90 for all of it."""
NOTICE = 120.0
"""Seconds that a run which SLURM told to end waits for what SLURM does next."""


class Job:
    """What a job runs; submitit pickles it."""

    def __init__(self, words: Sequence[str]):
        self.words = tuple(words)
        self._process: subprocess.Popen | None = None

    def __call__(self) -> int:
        """The exit code of the trial's process."""
        self._process = subprocess.Popen((*self.words, "together"))
        while (code := self._process.poll()) is None:  # the handler of a signal may wait inside
            time.sleep(0.2)
        folder, name = Path(self.words[-3]), self.words[-2]
        if record.read(folder, name).state == "stopped" and not record.asked(folder, name):
            time.sleep(NOTICE)  # a preemption: submitit's handler requeues the job from here
        return code

    def checkpoint(self) -> Any:
        """The trial is saved; the job that comes after this one goes on with it."""
        from submitit.helpers import DelayedSubmission

        if self._process is not None and self._process.poll() is None:
            folder, name = Path(self.words[-3]), self.words[-2]
            record.ask(folder, name, "stopped")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(SAVING)  # what is not saved by then is done again
            record.withdraw(folder, name)
        return DelayedSubmission(Job(self.words))


class Slurm(AbstractBackend):
    """Raises SweepError where submitit or SLURM's commands are missing, or a parameter is
    unknown."""

    interval = 2.0
    lasting = True

    def __init__(
        self,
        folder: Path,
        parameters: Mapping[str, str],
        known: Mapping[str, str],
        *,
        jobs: int = 0,
        most: int = MOST,
        retries: int = 1,
        runner: Sequence[str] = RUNNER,
    ):
        """`known`: numbers of the jobs that an earlier process of the sweep started; `jobs`: those
        of an array that may run at once; `most`: those that may be queued."""
        submitit = need("submitit", "slurm", "the back end slurm")
        if shutil.which("sbatch") is None or shutil.which("srun") is None:
            raise SweepError(
                "the back end slurm needs SLURM's commands (sbatch, srun) on this machine, and "
                "finds none: start it on a login node of the cluster, or take --backend local."
            )
        self._folder, self._retries, self._runner = folder, retries, tuple(runner)
        self._most = most
        self._jobs = {name: job for name, job in known.items() if job}
        self._since = dict.fromkeys(self._jobs, 0.0)
        self._seen, self._looked = set[str](), 0.0
        logs = folder / record.LOGS / "slurm"
        self._executor = submitit.SlurmExecutor(logs, max_num_timeout=REQUEUES)
        given: dict[str, Any] = {"job_name": f"reverie-{folder.name}", "time": MINUTES}
        given |= {"array_parallelism": jobs} if jobs else {}
        self._executor.update_parameters(**given | _checked(submitit, parameters))

    def room(self, names: Sequence[str]) -> int:
        """What may still be queued."""
        return self._most - len(names)

    def start(self, names: Sequence[str]) -> None:
        """Submit one array."""
        words = [command(self._folder, name, self._retries, self._runner) for name in names]
        try:
            with self._executor.batch():
                submitted = [self._executor.submit(Job(line)) for line in words]
        except Exception as error:
            said = " ".join(str(error).split())
            raise SweepError(
                f"SLURM did not take the jobs: {said}. Change --slurm KEY=VALUE, then give the "
                "same command again."
            ) from error
        self._jobs |= {name: job.job_id for name, job in zip(names, submitted, strict=True)}
        self._since |= dict.fromkeys(names, time.monotonic())

    def alive(self, name: str) -> bool:
        """Whether SLURM has its job waiting, running, or about to run again."""
        job = self._jobs.get(name)
        if job is None:
            return False
        if time.monotonic() - self._since[name] < UNSEEN:
            return True
        if time.monotonic() - self._looked > self.interval:
            self._seen, self._looked = queued(), time.monotonic()
        return job in self._seen

    def withdraw(self, names: Sequence[str]) -> None:
        """By their numbers."""
        withdraw([self._jobs[name] for name in names if name in self._jobs])

    def jobs(self) -> dict[str, str]:
        """The numbers of the jobs."""
        return dict(self._jobs)

    def close(self) -> None:
        """Nothing is held."""


def queued(*options: str) -> set[str]:
    """Numbers of this user's jobs that wait or run. Raises SweepError where SLURM is silent."""
    done = _asked("squeue", "--noheader", "--array", "--me", "--format=%i", *options)
    if done.returncode:
        raise SweepError(_silent(done.stderr.strip()))
    return set(done.stdout.split())


def withdraw(jobs: Sequence[str]) -> None:
    """Take jobs out of the queue that have not begun; those that run end by themselves.

    Raises SweepError where SLURM is silent, or keeps some of them.
    """
    if not jobs:
        return
    done = _asked("scancel", "--state=PENDING", *jobs)  # one that has ended is an error, too
    kept = {*jobs} & queued("--states=PENDING") if done.returncode else ()
    if kept:
        raise SweepError(
            f"SLURM keeps the jobs {' '.join(sorted(kept))} ({done.stderr.strip()}): each ends as "
            "soon as it begins; scancel takes them back before."
        )


def _asked(*words: str) -> subprocess.CompletedProcess[str]:
    """What a command of SLURM says. Raises SweepError where it cannot be run, or takes too long."""
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise SweepError(_silent(str(error))) from error


def _silent(why: str) -> str:
    return (
        f"SLURM does not answer ({why}): jobs that run go on; `reverie sweep resume` looks for "
        "them again."
    )


def _checked(submitit: Any, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Parameters of submitit, numbers as numbers. Raises SweepError for an unknown one."""
    known = sorted(submitit.SlurmExecutor._valid_parameters())
    found: dict[str, Any] = {}
    for key, value in parameters.items():
        name = key.replace("-", "_")
        if name not in known:
            raise SweepError(f"--slurm has no parameter {key!r}; {suggest(name, known)}")
        if name == "time" and not value.isdecimal():
            raise SweepError(
                f"--slurm time takes whole minutes, such as time=600; found {value!r}."
            )
        found[name] = int(value) if value.isdecimal() else value
    return found
