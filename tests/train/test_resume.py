"""Runs that are killed and resumed equal the run that was left alone, number for number."""

import random
import signal
import time

import pytest
from tiny_runs import assert_same_run, last_step, learn, newest, start, wait_for_step

KILL, TERM, INT = signal.SIGKILL, signal.SIGTERM, signal.SIGINT


def interrupted(task, logdir, cache, changes, *, stops, rng):
    """Run a task to its end, stopped by a signal of `stops` at random moments; what it said."""
    said = []
    steps = changes["steps"]
    for number in stops:
        process = start(task, logdir, cache, changes)
        begun = last_step(logdir)
        wait_for_step(process, logdir, begun + rng.randint(1, steps // (len(stops) + 2)))
        time.sleep(rng.uniform(0, 0.1))
        process.send_signal(number)
        said.append(process.communicate(timeout=120)[1])
        assert process.returncode == (-9 if number == KILL else 128 + number), said
    process = start(task, logdir, cache, changes)
    out, error = process.communicate(timeout=600)
    assert process.returncode == 0, error
    assert "resumed at step" in out
    return said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "stops"), [("gym:CartPole-v1", [KILL, INT, TERM]), ("probe_memory", [INT, KILL])]
)
def test_killed_at_random_moments(task, stops, tmp_path, cache):
    """Several environments in processes, online queue, updates; each save takes place anywhere."""
    changes = {"steps": 900, "env.num": 3, "env.parallel": True, "train.eval_every": 400}
    learn(task, tmp_path / "whole", changes)
    again = {**changes, "train.save_every": 0.02}
    seed = time.time_ns()
    rng = random.Random(seed)
    said = interrupted(task, tmp_path / "parts", cache, again, stops=stops, rng=rng)
    assert_same_run(tmp_path / "whole", tmp_path / "parts")
    for number, text in zip(stops, said, strict=True):
        if number != KILL:
            assert f"reverie: stopped by {number.name} at step" in text
            assert text.count("\n") == 1, text
    assert newest(tmp_path / "parts")["clocks"]["updates"] > 280, seed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "changes"),
    [
        ("gym:CartPole-v1", {"replay.online": False}),
        ("probe_action", {"replay.capacity": 400, "env.num": 4}),
        ("dmc_reacher_easy", {"env.num": 2}),
        ("atari100k_pong", {"env.num": 2, "env.size": 32}),
        (
            "minigrid_dynamic_obstacles_6x6",
            {"env.num": 2, "env.size": 32, "train.report_every": 90},
        ),
        (
            "gym:CartPole-v1",
            {"replay.capacity": 200, "replay.keep": "reservoir", "replay.unit": "splice"}
            | {"replay.unit.rows": 16},
        ),
        (
            "gym:CartPole-v1",
            {"replay.capacity": 240, "replay.keep": "split", "replay.unit": "episode"}
            | {"replay.keep.other": "coverage", "replay.draw": "stores", "replay.unit.page": 8}
            | {"replay.unit.ongoing": True},
        ),
    ],
)
def test_killed_again_and_again(task, changes, tmp_path, cache):
    changes = {"steps": 600, "env.parallel": True, "train.eval_every": 250, **changes}
    learn(task, tmp_path / "whole", changes)
    stops = [random.choice([KILL, TERM, INT]) for _ in range(8)]
    again = {**changes, "train.save_every": 0.02}
    interrupted(task, tmp_path / "parts", cache, again, stops=stops, rng=random.Random())
    assert_same_run(tmp_path / "whole", tmp_path / "parts")


def test_a_second_signal_leaves_at_once(tmp_path, cache):
    """The environment hangs, so that the first signal cannot be answered."""
    process = start("gym:rude_envs:Rude/Hang-v0", tmp_path, cache, {"env.parallel": True})
    wait_for_step(process, tmp_path, 40)
    while not (tmp_path / "simulators.log").read_text().count("hanging"):
        time.sleep(0.01)
    process.send_signal(INT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(INT)
    begun = time.monotonic()
    error = process.communicate(timeout=60)[1]
    assert time.monotonic() - begun < 20
    assert process.returncode == 130
    assert error == (
        "reverie: stopped by SIGINT at once; the checkpoints before it are intact; the same "
        "command resumes.\n"
    )
