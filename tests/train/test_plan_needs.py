"""What is planned before the first step, against what a run then takes."""

import json
import re

import jax
import numpy as np
import pytest
from tiny_runs import learn, start, tiny

from reverie.machine.readings import Stopwatch, machine_readings
from reverie.replay.replay import Replay
from reverie.replay.rows import row_bytes
from reverie.train import checkpoint, loop, plan, sequence, setup
from reverie.train.compiling import Compiled


@pytest.fixture(scope="module")
def planned(tmp_path_factory, cache):
    """The plan of a run, and its replay and learner before the first step."""
    config = tiny("probe_memory", tmp_path_factory.mktemp("plan"), {"env.num": 3, "steps": 301})
    first = sequence.visits(config)[0]
    with setup.training_envs(config, None, tmp_path_factory.mktemp("log"), first) as envs:
        run = loop.Run(setup.complete(config, envs), envs, None, None, None)
    compiled = Compiled(None, flops=1000, seconds=1.0)
    return plan.make_plan(run.config, run.learner, run.replay, compiled, 301), run


def test_host_memory_is_the_replays_own(planned):
    numbers, run = planned
    arrays = sum(array.nbytes for array in run.replay._store.arrays.values())
    assert numbers.host_bytes == arrays
    # 301 steps are 101 turns; context, length and one more row of room for each of 3 streams
    assert numbers.host_bytes == 3 * (101 + 7 + 1) * row_bytes(run.replay.columns)


def test_a_row_of_the_plan_fills_one_row_of_memory(planned):
    """The pages that rows really touch: within 10 % of what was planned."""
    _, run = planned
    columns = run.replay.columns | {"obs/image": ((64, 64, 3), "uint8")}
    before = machine_readings()["system/ram_gb"]
    replay = Replay(columns, streams=2, capacity=20_000, length=8)
    rows = {k: np.ones((2, *c.shape), c.dtype) for k, c in replay.columns.items()}
    for _ in range(10_000):
        replay.add(rows)
    taken = 1e9 * (machine_readings()["system/ram_gb"] - before)
    assert taken == pytest.approx(replay.planned_bytes, rel=0.1)


def test_disk_of_a_whole_run(tmp_path, cache):
    """The most that checkpoints and replay take between two saves: 60 to 100 % of the plan."""
    most = 0
    changes = {"steps": 400, "train.save_every": 0, "replay.chunk": 64}
    real = plan.make_plan
    seen = []

    def note(*args, **how):
        seen.append(real(*args, **how))
        return seen[0]

    def before_prune(*args):
        nonlocal most
        most = max(most, plan.used_bytes(tmp_path / "run"))
        return prune(*args)

    prune = checkpoint.prune
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "make_plan", note)
        patch.setattr(checkpoint, "prune", before_prune)
        learn("probe_memory", tmp_path / "run", changes)
    assert 0.6 < most / seen[0].disk_bytes < 1.0, most


def test_planned_and_taken_host_memory_of_a_process(tmp_path, cache):
    process = start("probe_memory", tmp_path / "run", cache, {"log.progress": "plain"})
    said, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    words = "host memory: ([0-9.]+) (MB|GB) planned, ([0-9.]+) (MB|GB) at most taken"
    found = re.search(words, " ".join((said + errors).split()))
    assert found, said
    planned, taken = (float(found[i]) * {"MB": 1e6, "GB": 1e9}[found[i + 1]] for i in (1, 3))
    assert 0.6 < planned / taken < 1.5
    assert taken > 1e8
    logged = [row for row in metrics_of(tmp_path / "run") if "system/ram_peak_gb" in row]
    assert logged[-1]["system/ram_peak_gb"] <= 1.02e-9 * taken


def metrics_of(logdir):
    return [json.loads(line) for line in (logdir / "metrics.jsonl").read_text().splitlines()]


def test_updates_and_seconds(planned):
    numbers, run = planned
    assert numbers.updates == pytest.approx(301 * 8 / 24)
    assert numbers.params == sum(x.size for x in jax.tree.leaves(run.learner.train_state.agent))
    assert numbers.device_bytes == run.learner.nbytes
    assert numbers.seconds > 0


@pytest.mark.parametrize(
    ("count", "text"), [(999, "999 B"), (1000, "1 kB"), (16_500, "16.5 kB"), (82e9, "82.00 GB")]
)
def test_bytes_for_people(count, text):
    assert plan.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *[(89, "89 s"), (90, "2 minutes"), (5399, "90 minutes"), (5400, "1.5 hours")],
        *[(172_799, "48.0 hours"), (172_800, "2 days"), (1e10, "115,741 days")],
    ],
)
def test_seconds_for_people(seconds, text):
    assert plan.duration(seconds) == text


def test_the_stopwatch_leaves_out_the_pause_between_two_parts():
    watch = Stopwatch()
    watch.resume(100.0, steps=50, updates=5)
    lap = watch.lap(60, 7)
    assert 100.0 <= lap["time/seconds"] < 101.0
    assert lap["time/steps_per_s"] == pytest.approx(5 * lap["time/updates_per_s"])
    assert watch.lap(60, 7)["time/steps_per_s"] == 0.0
