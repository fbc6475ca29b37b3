"""The update benchmark: what it counts, what it writes, what it refuses."""

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import jax
import pytest
from test_mesh import eight_devices

from reverie.bench import update
from reverie.bench.case import cases, random_rows
from reverie.bench.options import UpdateOptions
from reverie.bench.timing import Contender, Sample
from reverie.module import count_params
from reverie.part.errors import ConfigError


@pytest.fixture(autouse=True)
def program_cache():
    """The benchmark compiles without it; other tests may want it."""
    enabled = jax.config.jax_enable_compilation_cache
    yield
    jax.config.update("jax_enable_compilation_cache", enabled)


KEYS = [
    *("params", "compile_s", "update_ms", "update_cpu_s", "flops"),
    *("peak_share", "host_mb", "device_mb", "collectives", "speedup"),
]

SMALL = ("train.batch=2", "train.length=4", "behavior.imagine=2")

# The specification's table, section 1.8: 64x64x3 with 6 classes, and the walker's 24 numbers.
TABLE = {
    "debug": (11_603, 1_774),
    "1m": (686_456, 640_867),
    "12m": (10_492_616, 9_738_019),
    "400m": (372_887_176, 345_473_059),
}


def parameters(size: str, obs: str) -> int:
    return count_params(update.state_shapes(cases([size], [obs], ["f32"])[0]).agent)


@pytest.mark.parametrize("size", TABLE)
def test_parameters_are_those_of_the_table(size):
    assert (parameters(size, "image"), parameters(size, "vector")) == TABLE[size]


def test_both_adds_the_vector_stacks_to_the_picture():
    image, both = parameters("1m", "image"), parameters("1m", "both")
    # 1m: three encoder layers of 64 on 24 numbers, their rows in the posterior, three decoder
    # layers on 640 features with 24 outputs, and 12 outputs of the actor instead of 6.
    encoder = 24 * 64 + 2 * 64 * 64 + 3 * 2 * 64 + 64 * 64
    decoder = 640 * 64 + 2 * 64 * 64 + 3 * 2 * 64 + 64 * 24 + 24
    assert both - image == encoder + decoder + 65 * 6


def test_arithmetic_is_that_of_the_table():
    """anchors.md, section 2d, has 1.41 TFLOP at 12m: what it counts and we need not do is known."""
    rows, images, triple = 1024, 75.4e6, 6
    # The decoder computes its upsampled 5x5 convolutions as 3x3 ones on the small map.
    saved = rows * images * triple * (1 - 9 / 25)
    # No gradient reaches the picture; nor the imagined features, the inputs of both heads.
    saved += 2 * rows * 9.83e6 + 2 * 16 * rows * 2 * 2560 * 256
    # The policy of the dreams is computed once, not again for its loss.
    saved += 2 * 15 * rows * 0.79e6
    assert update.count(cases(["12m"], ["image"], ["f32"])[0]).flops == pytest.approx(
        1.41e12 - saved, rel=0.03
    )


def test_dry_run_counts_and_leaves_out_the_rest(tmp_path, capsys):
    file = tmp_path / "a.json"
    update.run(UpdateOptions(("400m",), ("vector",), dry=True, json=str(file)))
    found = json.loads(file.read_text())
    assert list(found) == KEYS
    assert (found["params"], found["flops"] > 1e13) == (345_473_059, True)
    assert [k for k in KEYS if found[k] is None] == [
        k for k in KEYS if k not in ("params", "flops")
    ]
    assert "345,473,059" in capsys.readouterr().out


def test_several_cases_are_named_in_the_file(tmp_path):
    file = tmp_path / "a.json"
    options = UpdateOptions(
        ("debug",), ("vector",), ("f32", "bf16"), dry=True, json=str(file), set=SMALL
    )
    update.run(options)
    found = json.loads(file.read_text())
    assert list(found) == ["debug vector f32", "debug vector bf16"]
    assert all(list(cost) == KEYS for cost in found.values())


def test_costs_follow_from_the_samples(monkeypatch):
    """A stand-in for the learner: an update of 6 ms between products of 2 ms."""
    case = cases(["debug"], ["vector"], ["f32"])[0]
    idle = Contender(lambda: None, lambda: None)
    subject = update.Subject(case, idle, 7, 600, 1.25, 3_000_000)
    monkeypatch.setattr(update, "prepare", lambda *_: subject)
    monkeypatch.setattr(update, "MatrixProduct", lambda _: SimpleNamespace(flops=1000, start=None))
    times = {"matmul f32": [0.001, 0.002, 0.9], case.name: [0.004, 0.8, 0.006]}
    samples = {name: [Sample(x, 2 * x) for x in found] for name, found in times.items()}
    monkeypatch.setattr(update, "by_turns", lambda *_: samples)
    cost = update.measure([case], UpdateOptions(("debug",), ("vector",)))[case.name]
    assert cost._replace(host_mb=0) == (7, 1.25, 6.0, 0.012, 600, 0.2, 0, 3.0, None, None)
    assert cost.host_mb > 100


def test_a_mesh_is_compared_with_one_device(monkeypatch, capsys):
    """Stand-ins: an update of 6 ms on one device, of 2 ms on four."""
    chosen = cases(["debug"], ["vector"], ["f32"], meshes=("", "data=4"))
    assert [case.name for case in chosen] == ["debug vector f32", "debug vector f32 data=4"]
    idle = Contender(lambda: None, lambda: None)
    told = {"all-reduce": {"times": 12, "nbytes": 41_900_000}}
    subjects = {
        case.name: update.Subject(
            *(case, idle, 7, 1000, 1.0, 1), told if case.config.device.mesh else None
        )
        for case in chosen
    }
    monkeypatch.setattr(update, "prepare", lambda case, _: subjects[case.name])
    monkeypatch.setattr(update, "MatrixProduct", lambda _: SimpleNamespace(flops=1000, start=None))
    times = {"matmul f32": 0.001, chosen[0].name: 0.006, chosen[1].name: 0.002}
    samples = {name: [Sample(x, x)] for name, x in times.items()}
    monkeypatch.setattr(update, "by_turns", lambda *_: samples)
    costs = update.measure(chosen, UpdateOptions(("debug",), ("vector",), mesh="data=4"))
    alone, spread = costs.values()
    assert (alone.speedup, alone.collectives) == (None, None)
    assert (spread.speedup, spread.collectives, spread.peak_share) == (3.0, told, 0.125)
    said = " ".join(capsys.readouterr().out.split())
    assert "data=4: 3.00 times as fast as on one device (75% of 4)" in said
    assert "an update exchanges 12 all-reduce of 41.9 MB" in said


@pytest.mark.slow
def test_a_mesh_is_run_and_exchanges_what_is_told(tmp_path):
    """On eight devices of this CPU, whose collectives are traced beside."""
    command = [sys.executable, str(Path(__file__).with_name("mesh_bench.py")), "data=8"]
    done = subprocess.run([*command, tmp_path], env=eight_devices(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    costs = json.loads((tmp_path / "costs.json").read_text())
    traced = json.loads((tmp_path / "traced.json").read_text())
    assert list(costs) == ["debug vector f32", "debug vector f32 data=8"]
    alone, spread = costs.values()
    assert traced["devices"] == 8
    assert spread["collectives"] == traced["collectives"]
    assert spread["collectives"]["all-reduce"]["nbytes"] >= 4 * spread["params"]  # gradients
    assert (alone["collectives"], alone["speedup"]) == (None, None)
    assert spread["params"] == alone["params"]
    assert 0 < spread["speedup"] == round(alone["update_ms"] / spread["update_ms"], 3)
    said = " ".join(done.stdout.split())
    speed = spread["speedup"]
    assert f"data=8: {speed:.2f} times as fast as on one device ({speed / 8:.0%} of 8)" in said


@pytest.mark.slow
def test_a_real_update_is_measured_and_profiled(tmp_path, capsys):
    file = tmp_path / "a.json"
    folder = tmp_path / "profile"
    options = UpdateOptions(
        *(("debug",), ("both",), ("bf16",)),
        json=str(file),
        repeats=2,
        set=SMALL,
        profile=str(folder),
    )
    update.run(options)
    found = json.loads(file.read_text())
    changes = dict(change.split("=") for change in SMALL)
    counted = update.count(cases(["debug"], ["both"], ["bf16"], changes)[0])
    assert list(found) == KEYS
    assert (found["params"], found["flops"]) == (counted.params, counted.flops)
    assert 0 < found["peak_share"] < 0.5
    assert 0.01 < found["update_ms"] < 1e4
    assert 0 < found["update_cpu_s"] < 10
    assert found["compile_s"] > 0.1
    assert found["device_mb"] * 1e6 > 3 * 4 * found["params"]  # weights and two moments at least
    shown = capsys.readouterr().out
    assert re.search(rf"debug both bf16 +{found['params']:,} ", shown)
    assert "matmul bf16: " in shown
    assert "profile of debug both bf16" in shown
    assert list(folder.rglob("*.xplane.pb"))


@pytest.mark.slow
def test_two_seeds_are_updated_at_once(tmp_path):
    file = tmp_path / "a.json"
    changes = (*SMALL, "device.scan=recomputed", "device.unroll=2")
    cost = update.run(
        UpdateOptions(("debug",), ("vector",), seeds=2, json=str(file), repeats=1, set=changes)
    )["debug vector f32"]
    assert json.loads(file.read_text()) == cost._asdict()
    read = dict(change.split("=") for change in changes)
    alone = update.count(cases(["debug"], ["vector"], ["f32"], read)[0])
    assert (cost.params, cost.flops) == (alone.params, 2 * alone.flops)
    assert cost.update_ms is not None and cost.update_ms > 0


def test_the_rows_lie_within_their_ranges():
    case = cases(["debug"], ["both"], ["f32"], {"train.batch": 2, "train.length": 4})[0]
    rows = random_rows(case)
    assert rows["obs/image"].shape == (2, 5, 64, 64, 3)
    assert rows["obs/image"].max() > 200
    assert rows["latent/stoch"].max() == 3
    assert rows["is_first"].sum(0).tolist() == [2, 0, 0, 0, 0]
    assert {name: rows[name].dtype for name in rows} == {
        name: column.dtype for name, column in case.columns.items()
    }


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"size": ("12",)}, "there is no size '12'; did you mean '12m'?"),
        ({"size": ()}, "--size takes different values, at least one; found []."),
        ({"obs": ("image", "image")}, "--obs takes different values"),
        ({"repeats": 0}, "--repeats must be at least 1, found 0."),
        ({"set": ("train.batch",)}, "--set takes KEY=VALUE, found 'train.batch'."),
        ({"seeds": 0}, "--seeds must be at least 1, found 0."),
        ({"set": ("size=1m",)}, "--set cannot change 'size' here"),
        ({"set": ("device.kind=gpu",)}, "--set cannot change 'device.kind' here"),
        ({"set": ("train.batch=4", "train.batch=8")}, "--set is given 'train.batch' twice"),
        ({"dry": True, "profile": "p"}, "--profile runs updates and --dry runs none"),
    ],
)
def test_options_that_cannot_be_meant(change, sentence):
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        UpdateOptions(**change)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("train.bach=4", "there is no configuration key 'train.bach' in 'train'; did you mean"),
        ("train.batch=many", "train.batch takes an integer, found 'many'."),
    ],
)
def test_changes_are_checked_as_in_a_run(change, sentence):
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        update.run(UpdateOptions(set=(change,), dry=True))


def test_a_file_that_cannot_be_written_is_told_before_the_work(tmp_path):
    for target in (tmp_path, tmp_path / "missing" / "a.json"):
        with pytest.raises(ConfigError, match=r"--json .* cannot be written: .*; name a file\."):
            update.run(UpdateOptions(json=str(target)))
