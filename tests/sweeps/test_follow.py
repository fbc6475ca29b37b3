"""Trials as processes: what becomes of them when they fail, are killed, or the sweep is."""

import errno
import fcntl
import os
import random
import signal
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
from doc_pages import DOCS, parts
from sweep_parts import HERE, RUNNER, begin, child_of, kill, local, numbers, plan, wait_for

from reverie.folder.errors import RunError
from reverie.sweeps import control, file, record, show
from reverie.sweeps.errors import SweepError
from reverie.sweeps.local import Local
from reverie.sweeps.room import Needs, Room


def test_all_trials_run_and_the_plan_is_written(tmp_path):
    said: list[str] = []
    found = begin(tmp_path, plan("a", "b", lr=("1", "2")), said=said)
    names = ["a-lr=1-seed=0", "a-lr=1-seed=1", "a-lr=2-seed=0", "a-lr=2-seed=1"]
    names += [name.replace("a-", "b-") for name in names]
    assert list(found.trials) == names
    assert {r.state for r in found.trials.values()} == {"finished"}
    assert file.read(tmp_path) == found
    command = file.command(tmp_path, found.entry("b-lr=2-seed=1").trial)
    assert command == [
        "train",
        "b",
        "--steps=5",
        "--lr=2",
        "--seed=1",
        f"--logdir={tmp_path}/{names[-1]}",
    ]
    assert said.count("started b-lr=2-seed=1\n") == 1
    assert said[-1].endswith("(8 of 8)\n")


def test_a_trial_that_fails_is_tried_again_then_marked_and_the_others_go_on(tmp_path):
    found = begin(tmp_path, plan("fail", "fail-once", "misunderstood", "a", seeds=1), retries=2)
    rows = {
        n.partition("-seed")[0]: (r.state, r.tries, r.sentence) for n, r in found.trials.items()
    }
    assert rows == {
        "fail": ("failed", 3, "the simulator is not there."),
        "fail-once": ("finished", 2, ""),
        "misunderstood": ("failed", 1, "there is no option --x."),
        "a": ("finished", 1, ""),
    }
    told = "\n".join(show.closing_lines(found, None))
    assert "sweep: 2 finished, 2 failed of 4 trials" in told
    assert "- fail-seed=0 failed: the simulator is not there." in told
    again = begin(tmp_path, plan("fail", "fail-once", "misunderstood", "a", seeds=1), retries=2)
    assert again.trials == found.trials  # nothing is left to do
    resumed = control.resume(tmp_path, local, len, failed=True)
    assert resumed.trials["fail-seed=0"].tries == 6
    assert resumed.trials["a-seed=0"].tries == 1


def test_a_killed_command_goes_on_to_the_same_numbers(tmp_path):
    begin(tmp_path / "whole", plan("slow", seeds=1, steps=40))

    def shoot():
        name = "slow-seed=0"
        wait_for(lambda: name in numbers(tmp_path / "shot"))
        kill(child_of(tmp_path / "shot", name))

    thread = threading.Thread(target=shoot)
    thread.start()
    found = begin(tmp_path / "shot", plan("slow", seeds=1, steps=40))
    thread.join()
    assert numbers(tmp_path / "shot") == numbers(tmp_path / "whole")
    assert (found.trials["slow-seed=0"].tries, found.trials["slow-seed=0"].failures) == (2, 1)


def test_a_killed_process_of_a_trial_is_noticed_and_its_command_not_run_twice(tmp_path):
    def shoot():
        name = "slow-seed=0"
        wait_for(lambda: name in numbers(tmp_path))
        kill(record.read(tmp_path, name).pid)

    thread = threading.Thread(target=shoot)
    thread.start()
    found = begin(tmp_path, plan("slow", seeds=1, steps=40))
    thread.join()
    lines = numbers(tmp_path)["slow-seed=0"].splitlines()
    assert len(lines) == 40
    assert found.trials["slow-seed=0"].state == "finished"
    assert found.trials["slow-seed=0"].failures == 1


STEPS = 60


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What four slow trials write when nobody touches them."""
    folder = tmp_path_factory.mktemp("whole")
    begin(folder, plan("slow", seeds=4, steps=STEPS), jobs=4)
    return numbers(folder)


def started(folder, steps: int = STEPS) -> subprocess.Popen:
    """A sweep of four slow trials, two at once, in a process of its own."""
    words = [str(HERE / "sweep_parts.py"), str(folder), "slow", str(steps)]
    process = subprocess.Popen([sys.executable, *words])
    wait_for(lambda: numbers(folder))
    return process


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_stopped_sweep_goes_on_to_the_same_numbers(tmp_path, whole, number):
    process, folder = started(tmp_path / "cut"), tmp_path / "cut"
    process.send_signal(number)
    process.wait(60)
    there = file.read(folder)
    running = [name for name, found in there.trials.items() if found.state == "running"]
    assert len(show.table(there)) == 4
    assert bool(running) == (number == signal.SIGKILL)  # a signal is answered, trials are saved
    found = control.resume(folder, local, len)
    assert {r.state for r in found.trials.values()} == {"finished"}
    assert numbers(folder) == whole
    if number == signal.SIGKILL:
        assert {r.tries for r in found.trials.values()} == {1}  # adopted, not run again


@pytest.mark.slow
def test_five_kills_at_random_moments(tmp_path):
    asked = plan("slow", seeds=4, steps=200)
    begin(tmp_path / "whole", asked, jobs=4)
    folder, draws = tmp_path / "cut", random.Random(0)
    for _ in range(5):
        words = [str(HERE / "sweep_parts.py"), str(folder), "slow", "200"]
        process = subprocess.Popen([sys.executable, *words])
        try:
            process.wait(draws.uniform(0.3, 3))
        except subprocess.TimeoutExpired:
            process.kill()
        process.wait()
        for name, found in file.read(folder).trials.items() if file.exists(folder) else ():
            if found.state == "running" and draws.random() < 0.3 and record.held(folder, name):
                os.kill(found.pid, signal.SIGKILL)
    found = begin(folder, asked)
    assert {r.state for r in found.trials.values()} == {"finished"}
    assert numbers(folder) == numbers(tmp_path / "whole")


def test_a_sweep_that_is_followed_is_not_resumed_beside(tmp_path):
    process = started(tmp_path)
    with pytest.raises(RunError, match=f"another process .{process.pid}. is running"):
        control.resume(tmp_path, local, len)
    process.terminate()
    process.wait(60)


@pytest.mark.parametrize("followed", [True, False], ids=["followed", "left behind"])
def test_cancel_saves_what_runs_and_resume_finishes_it(tmp_path, whole, followed):
    process, folder = started(tmp_path / "sweep"), tmp_path / "sweep"
    wait_for(lambda: len(numbers(folder)) == 2)
    running = {*numbers(folder)}
    commands = [child_of(folder, name) for name in running]
    process.send_signal(signal.SIGSTOP if followed else signal.SIGKILL)
    slow = threading.Timer(2.0, process.send_signal, [signal.SIGCONT])  # it sees the request late
    slow.start()
    assert control.status(folder).count("running") == 2
    found = control.cancel(folder)
    assert not any(Path(f"/proc/{pid}").exists() for pid in commands)
    assert found.count("cancelled") == 4
    assert control.status(folder) == found
    assert (folder / "sweep.json").read_text().count('"state": "cancelled"') == 4
    saved = {name: text.splitlines() for name, text in numbers(folder).items()}
    assert {*saved} == running
    assert all(0 < len(lines) < STEPS for lines in saved.values())
    told = dict(show.table(found))
    for name, lines in saved.items():
        assert told[name].startswith(f"cancelled, step {len(lines) - 1}, return")
    assert [told[name] for name in found.trials if name not in running] == ["cancelled"] * 2
    resumed = control.resume(folder, local, len)  # whoever followed the sweep has left it
    assert process.wait(60) == (0 if followed else -signal.SIGKILL)
    assert numbers(folder) == whole
    assert {n: (r.state, r.tries, r.failures) for n, r in resumed.trials.items()} == {
        name: ("finished", 2 if name in running else 1, 0) for name in found.trials
    }


def test_a_folder_of_another_plan_names_the_difference(tmp_path):
    begin(tmp_path, plan("a", seeds=1, lr=("1", "2")))
    with pytest.raises(
        SweepError, match=r"vary lr is 1,2 there and 1,3 here; steps is 5 there and 6"
    ):
        begin(tmp_path, plan("a", seeds=1, steps=6, lr=("1", "3")))
    with pytest.raises(SweepError, match="seeds is 0 there and 0 1 here"):
        begin(tmp_path, plan("a", seeds=2, lr=("1", "2")))


def test_no_sweep_folder_and_a_damaged_one(tmp_path):
    begin(tmp_path / "mine", plan("a", seeds=1))
    with pytest.raises(SweepError, match=r"is no sweep folder: it has no sweep.json; did you mean"):
        file.read(tmp_path)
    path = tmp_path / "mine" / "sweep.json"
    path.write_text(path.read_text().replace('"a-seed=0"', '"../a"'))
    with pytest.raises(SweepError, match="is not the plan of a sweep"):
        file.read(tmp_path / "mine")


def test_the_page_s_python_runs(tmp_path, monkeypatch, capsys):
    blocks = [b.text for b in parts(DOCS / "scale.md")[0] if b.language == "python"]
    assert len(blocks) == 2
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("reverie.api.sweep_runs.backend_of", local)
    exec(compile("\n".join(blocks).replace("20_000", "3"), "scale.md", "exec"), {})
    told = capsys.readouterr().out
    assert (told.count("'finished'"), told.count(" is finished'")) == (10, 10)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["local", "ray"])
def test_a_hundred_trials_are_all_there(tmp_path, kind):
    def ray_cluster(sweep):
        pytest.importorskip("ray")
        from reverie.sweeps.ray import Ray

        return Ray(sweep.folder, None, runner=RUNNER)

    make = local if kind == "local" else ray_cluster
    found = control.begin(tmp_path, plan("a", seeds=100), file.How(kind, jobs=4), make, len)
    assert found.count("finished") == len(numbers(tmp_path)) == 100
    assert {r.tries for r in found.trials.values()} == {1}


def test_a_trial_that_its_process_cannot_run_says_why(tmp_path):
    asked = plan("a", seeds=1)
    begin(tmp_path, asked)
    record.write(tmp_path, "a-seed=0", record.Record())
    (tmp_path / "sweep.json").write_text("{}")
    words = [*RUNNER, str(tmp_path), "a-seed=0", "1"]
    assert subprocess.run(words).returncode == 1
    found = record.read(tmp_path, "a-seed=0")
    assert found.state == "failed"
    assert "sweep.json is not the plan of a sweep" in found.sentence


def test_a_trial_that_has_ended_is_not_run_again(tmp_path):
    found = begin(tmp_path, plan("a", seeds=1))
    assert subprocess.run([*RUNNER, str(tmp_path), "a-seed=0", "1"]).returncode == 0
    assert file.read(tmp_path).trials == found.trials


@pytest.mark.parametrize(("each", "given"), [(1, ["3", "5", "6", "7"]), (2, ["3,5", "6,7"])])
def test_each_trial_gets_devices_of_its_own(tmp_path, monkeypatch, each, given):
    room = Room(cores=8, each=Needs(1, each), devices=("3", "5", "6", "7"))
    seen: list[str] = []

    def started(words, *, env, **options):
        seen.append(env["CUDA_VISIBLE_DEVICES"])
        return popen(words, env=env, **options)

    popen = subprocess.Popen
    monkeypatch.setattr("reverie.sweeps.local.subprocess.Popen", started)
    asked = plan("slow", seeds=len(given), steps=40)
    make = partial(Local, room=room, runner=RUNNER)
    found = control.begin(tmp_path, asked, file.How(), lambda sweep: make(sweep.folder), len)
    assert found.count("finished") == len(given)
    assert sorted(seen) == given


def test_a_file_system_without_locks_is_told_instead_of_waited_for(tmp_path, monkeypatch):
    (tmp_path / record.LOGS).mkdir()

    def refuse(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(SweepError, match=r"cannot lock files .No locks available., and by their"):
        record.take(tmp_path, "a-seed=0")
