"""Failing disks. Run by `test_disks.py` in a process that was started with the library."""

import errno
import json
import shutil
from pathlib import Path

import pytest
from disk_parts import ENDING, Part, write_sinks
from fault_library import Fault, failing, traced
from tiny_runs import assert_same_run, learn

from reverie.folder.errors import RunError
from reverie.replay.errors import ReplayError
from reverie.report.read import ReportError
from reverie.train import checkpoint

NAMES = ("ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES", "EMFILE")
OURS = (RunError, ReplayError, ReportError)
TASK = "gym:CartPole-v1"


WRITING = "open,write,fsync,rename,mkdir,truncate,chmod"
"""Calls that a full or failing disk refuses; deleting, which cleaning up needs, is not among
them."""


def check_sentence(error: Exception) -> None:
    text = str(error)
    assert text.count("\n") == 0
    assert text.endswith(".")
    assert "Errno" not in text
    assert "None" not in text


def calls_of(part: Part, logdir: Path, calls: str = WRITING) -> list[str]:
    """The names of the calls that change the disk when `part` is written, in order."""
    logdir.mkdir()
    part.before(logdir)
    trace = logdir.with_suffix(".trace")
    with failing(Fault(calls=calls, nth=0), logdir, trace):
        part.write(logdir)
    return [name for name, _ in traced(trace)]


def met(part: Part, logdir: Path, fault: Fault) -> bool:
    """Whether `fault` ended `part`; checks the sentence, what is left, and the next try."""
    logdir.mkdir()
    part.before(logdir)
    ended = False
    try:
        with failing(fault, logdir):
            part.write(logdir)
    except OURS as error:
        check_sentence(error)
        ended = True
    part.intact(logdir)
    part.write(logdir)
    part.intact(logdir)
    shutil.rmtree(logdir)
    return ended


@pytest.mark.parametrize("error", NAMES)
@pytest.mark.parametrize("name", ENDING)
def test_every_error_at_every_call_of_a_part(name, error, tmp_path):
    """One sentence, the earlier state intact, and the next try succeeds; whether the disk fails
    for ever, once, or after half a write. All errors meet one call of every name, one error all."""
    part, number = ENDING[name], getattr(errno, error)
    ways = [("error", 0), ("error", 1), ("error-short", 0)]
    calls = calls_of(part, tmp_path / "calls")
    points = {calls.index(call) + 1 for call in calls}
    if error == "ENOSPC":
        points = set(range(1, len(calls) + 1))
    ended = 0
    for nth in sorted(points):
        for action, times in ways if error == "ENOSPC" else ways[:1]:
            fault = Fault(WRITING, nth=nth, action=action, error=number, times=times)
            ended += met(part, tmp_path / f"{nth}-{action}-{times}", fault)
    assert ended >= len(points) / 2


@pytest.mark.parametrize("error", ["EDQUOT", "EIO"])
@pytest.mark.parametrize("name", [name for name in ENDING if name != "lock"])
def test_what_a_close_says(name, error, tmp_path):
    """Network file systems report a full disk when a file is closed."""
    part, number = ENDING[name], getattr(errno, error)
    for nth in range(1, len(calls_of(part, tmp_path / "calls", "close")) + 1):
        fault = Fault(calls="close", nth=nth, action="error", error=number, times=1)
        met(part, tmp_path / str(nth), fault)


@pytest.mark.parametrize("error", NAMES)
@pytest.mark.parametrize(
    ("path", "nth"),
    [
        *(("videos", nth) for nth in (1, 3)),
        *(("videos/*", nth) for nth in (1, 3, 9)),
        *(("events.*", nth) for nth in (1, 2, 3)),
    ],
)
def test_a_failing_sink_is_said_once_and_metrics_go_on(path, nth, error, tmp_path):
    fault = Fault(WRITING, path, nth, "error", getattr(errno, error))
    with failing(fault, tmp_path):
        said = write_sinks(tmp_path)
    rows = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(row)["step"] for row in rows] == [0, 1, 2, 3]
    assert len(said) <= 1
    assert all("failed: " in text and text.count("\n") == 0 for text in said)
    assert not list(tmp_path.glob("videos/.partial*"))


CHANGES = {"steps": 60, "train.save_every": 0, "train.keep": 2, "log.tensorboard": True}
PLACES = {
    "checkpoint": Fault(path="checkpoints/*", calls="write", nth=8),
    "checkpoint-fsync": Fault(path="checkpoints/*", calls="fsync", nth=9),
    "checkpoint-rename": Fault(path="checkpoints/*", calls="rename", nth=4),
    "checkpoint-delete": Fault(path="checkpoints/*", calls="unlink,rmdir", nth=4),
    "replay": Fault(path="replay/*", calls="write", nth=6),
    "replay-rename": Fault(path="replay/*", calls="rename", nth=5),
    "replay-delete": Fault(path="replay/*", calls="unlink", nth=3),
    "metrics": Fault(path="metrics.jsonl", calls="write", nth=4),
    "metrics-fsync": Fault(path="metrics.jsonl", calls="fsync", nth=5),
    "everything": Fault(calls="open,write,mkdir,rename,fsync", nth=150),
    "config": Fault(path="config*", nth=2),
    "lock": Fault(path=".lock", nth=1),
}
"""Where a failing disk ends a run."""
SINKS = {
    "videos": Fault(path="videos/*", calls="write", nth=1),
    "videos-folder": Fault(path="videos", calls="mkdir", nth=1),
    "events": Fault(path="events.*", calls="write", nth=2),
    "events-open": Fault(path="events.*", calls="open", nth=1),
    "simulators": Fault(path="simulators.log", calls="open", nth=1),
}
"""Where it does not."""
FEW = {("checkpoint", "ENOSPC"), ("metrics-fsync", "EIO")}
FEW |= {("videos", "ENOSPC"), ("events", "EDQUOT"), ("simulators", "EACCES")}
"""What is tried in every session; the rest is slow."""


def marked(places: dict[str, Fault]) -> list:
    return [
        pytest.param(place, error, marks=() if (place, error) in FEW else pytest.mark.slow)
        for place in places
        for error in NAMES
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory, traced_once):
    """The run on a disk that works."""
    return learn(TASK, tmp_path_factory.mktemp("whole") / "run", CHANGES)


def faulty(fault: Fault, error: str) -> Fault:
    return Fault(fault.calls, fault.path, fault.nth, "error", getattr(errno, error))


@pytest.mark.parametrize(("place", "error"), marked(PLACES))
def test_a_run_ends_in_one_sentence_and_resumes(place, error, whole, tmp_path):
    run = tmp_path / "run"
    fault = faulty(PLACES[place], error)
    with failing(fault, run), pytest.raises(OURS) as stop:
        learn(TASK, run, CHANGES)
    check_sentence(stop.value)
    for path in checkpoint.complete(run / "checkpoints"):
        checkpoint.load(path)
    learn(TASK, run, CHANGES)
    assert_same_run(whole, run)


@pytest.mark.parametrize(("place", "error"), marked(SINKS))
def test_a_failing_sink_ends_no_run(place, error, whole, tmp_path, caplog):
    with failing(faulty(SINKS[place], error), tmp_path / "run"):
        learn(TASK, tmp_path / "run", CHANGES)
    assert_same_run(whole, tmp_path / "run")
