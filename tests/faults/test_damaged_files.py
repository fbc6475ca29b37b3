"""Damage in the files of a run is found, told in one sentence, and can be gone behind."""

import functools as ft
import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from rude_envs import Rude
from tiny_runs import assert_same_run, learn, newest, tiny

import reverie
from reverie.cli import main
from reverie.config.schema import Config
from reverie.folder import manifest, run_folder
from reverie.folder.errors import Damaged, RunError
from reverie.replay.errors import ReplayError
from reverie.report.read import ReportError, read_run
from reverie.train import checkpoint, loop, metrics_prefix, recovery, sequence, setup, snapshot
from reverie.watch import sinks

pytestmark = pytest.mark.usefixtures("traced_once")
FLIPS = 200
TREE = {
    "weights": np.random.default_rng(0).normal(size=(40, 30)).astype(np.float32),
    "counts": np.arange(50),
    "texts": ["log", "save"],
    "numbers": {"step": 120, "seconds": 1.25, "none": None},
    "replay": {"files": {}},
}


def flipped(data: bytes, bit: int) -> bytes:
    """`data` with one bit changed."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def found_of_flips(path: Path, read, error, seed: int = 0) -> int:
    """How many of FLIPS random single bits of a file make `read` raise `error` in one line."""
    whole, count = path.read_bytes(), 0
    for bit in random.Random(seed).choices(range(8 * len(whole)), k=FLIPS):
        path.write_bytes(flipped(whole, bit))
        try:
            read()
        except error as found:
            count += "\n" not in str(found)
    path.write_bytes(whole)
    read()
    return count


@pytest.mark.parametrize("name", ["arrays.safetensors", "state.json", "manifest.json"])
def test_every_flipped_bit_of_a_checkpoint_is_found(tmp_path, name):
    path = checkpoint.save(tmp_path, 120, TREE, {"metrics.jsonl": {"offset": 9, "digest": "ab"}})
    assert {file.name for file in path.iterdir()} == {
        "arrays.safetensors",
        "state.json",
        "manifest.json",
    }
    assert found_of_flips(path / name, lambda: checkpoint.load(path), Damaged) == FLIPS


def test_every_flipped_bit_of_the_configuration_is_found(tmp_path):
    run_folder.write_config(tmp_path, Config(), [("disk", "3 MB")], {"step": 3, "optim.lr": [1, 2]})
    path = tmp_path / "config.json"
    assert found_of_flips(path, lambda: run_folder.read_config(path), RunError) == FLIPS
    assert found_of_flips(path, lambda: read_run(tmp_path, "a"), ReportError, seed=1) == FLIPS


@pytest.fixture
def logged(tmp_path):
    """A folder with 30 lines of metrics and a checkpoint taken after 20 of them."""
    file = sinks.MetricsFile(tmp_path / "metrics.jsonl", None)
    for step in range(20):
        file.write(step, {"loss/rew": step / 7})
    beside = {"metrics.jsonl": {"offset": file.offset(), "digest": file.digest()}}
    path = checkpoint.save(tmp_path / "checkpoints", 20, TREE, beside)
    for step in range(20, 30):
        file.write(step, {"loss/rew": step / 7})
    file.close()
    return tmp_path, path, beside["metrics.jsonl"]["offset"]


def test_every_flipped_bit_of_metrics_before_the_checkpoint_is_found(logged):
    run, path, offset = logged
    file = run / "metrics.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[:offset])
    assert found_of_flips(file, lambda: metrics_prefix.check_metrics(run, path), Damaged) == FLIPS
    file.write_bytes(whole)
    assert metrics_prefix.damaged_metrics(run) == ""


def test_a_report_tells_damaged_metrics(logged):
    run = logged[0]
    run_folder.write_config(run, Config(), [])
    assert not any("damaged" in note for note in read_run(run, "a").notes)
    file = run / "metrics.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"step": 3,', b'"step": 2,'))
    notes = [note for note in read_run(run, "a").notes if "damaged" in note]
    assert len(notes) == 1
    assert "metrics.jsonl is damaged: its first" in notes[0]


def test_a_resumed_file_goes_on_with_the_same_digest(logged):
    run, _, offset = logged
    again = sinks.MetricsFile(run / "metrics.jsonl", offset)
    for step in range(20, 30):
        again.write(step, {"loss/rew": step / 7})
    fresh = sinks.MetricsFile(run / "other.jsonl", None)
    for step in range(30):
        fresh.write(step, {"loss/rew": step / 7})
    assert (again.offset(), again.digest()) == (fresh.offset(), fresh.digest())


@pytest.mark.parametrize("last", [b"{", b"[1]", b'{"loss": 1}', b'{"step": null}', b"\xff\xfe"])
def test_a_last_line_that_is_none(tmp_path, last):
    path = tmp_path / "metrics.jsonl"
    data = b'{"step": 1}\n' + last + b"\n"
    path.write_bytes(data)
    with pytest.raises(Damaged, match=r"is damaged: the line that ends at byte \d+ is not one of"):
        sinks.MetricsFile(path, len(data))
    assert path.read_bytes() == data


def test_a_configuration_that_another_program_wrote_again_is_read(tmp_path):
    run_folder.write_config(tmp_path, Config(), [])
    path = tmp_path / "config.json"
    head = json.loads(path.read_text())
    head["config"]["steps"] = 77
    path.write_text(json.dumps(head))
    assert run_folder.read_config(path).steps == 77
    del head["digest"]
    path.write_text(json.dumps(head, indent=1) + "\n")
    assert run_folder.read_config(path).steps == 77


def test_a_missing_manifest_is_found_but_version_0_1_had_none(tmp_path):
    path = checkpoint.save(tmp_path, 5, TREE)
    (path / "manifest.json").unlink()
    with pytest.raises(Damaged, match=r"manifest\.json is missing"):
        checkpoint.load(path)
    as_version_0_1(path)
    assert checkpoint.load(path)["numbers"] == TREE["numbers"]


def as_version_0_1(path: Path) -> None:
    """Make a checkpoint what version 0.1 wrote."""
    (path / "manifest.json").unlink(missing_ok=True)
    state = json.loads((path / "state.json").read_text())
    state["tree"].get("logger", {}).pop("digest", None)
    (path / "state.json").write_text(json.dumps({**state, "version": 2}))


CHANGES = {"train.save_every": 0, "train.keep": 10, "train.eval_episodes": 0, "steps": 100}


@pytest.fixture(scope="module")
def whole(tmp_path_factory, cache):
    """A run with its last ten checkpoints: several of its last step, and some before it."""
    return learn(Rude, tmp_path_factory.mktemp("whole") / "run", CHANGES)


@pytest.fixture
def run(whole, tmp_path):
    """A copy to be damaged."""
    return shutil.copytree(whole, tmp_path / "run")


def steps(run: Path) -> list[int]:
    return [checkpoint.step_of(path) for path in checkpoint.complete(run / "checkpoints")]


def damage(path: Path) -> None:
    path.write_bytes(flipped(path.read_bytes(), 8 * (path.stat().st_size // 2)))


@pytest.mark.parametrize("name", ["arrays.safetensors", "state.json", "manifest.json"])
def test_the_whole_one_is_named_and_resumed_from(whole, run, cache, name):
    last = steps(run)[-1]
    for path in checkpoint.complete(run / "checkpoints"):
        if checkpoint.step_of(path) == last:
            damage(path / name)
    before = {path.name: path.read_bytes() for path in run.glob("*.jsonl")}
    good = max(step for step in steps(run) if step < last)
    sentence = rf"{name} is damaged.* The checkpoint of step {good} is whole: --from {good} "
    with pytest.raises(Damaged, match=sentence) as stop:
        learn(Rude, run, CHANGES)
    assert "\n" not in str(stop.value)
    assert {path.name: path.read_bytes() for path in run.glob("*.jsonl")} == before
    with pytest.raises(Damaged, match=sentence):
        reverie.load(run)
    learn(Rude, run, CHANGES, from_step=good)
    assert_same_run(whole, run)
    assert (run / "metrics.before.jsonl").read_bytes() == before["metrics.jsonl"]
    assert not list((run / "checkpoints").glob(".*"))


def test_going_back_is_as_safe_as_a_save(whole, run, cache, monkeypatch):
    """Whatever the moment of a kill, the folder resumes and nothing that it needs is gone."""
    first = steps(run)[0]

    class Killed(BaseException):
        pass

    def kill(*_):
        raise Killed

    later = len(steps(run)) - 1
    for number in (0, 1, later - 1, later):
        there = shutil.copytree(run, run.with_name(f"killed-{number}"))
        path = checkpoint.complete(there / "checkpoints")[0]
        real, calls = checkpoint.set_aside, iter([*[False] * number, True])
        with monkeypatch.context() as patch:
            patch.setattr(
                checkpoint, "set_aside", lambda p, r=real, c=calls: kill() if next(c) else r(p)
            )
            if number < later:
                with pytest.raises(Killed):
                    recovery.rewind(there, path)
            else:
                recovery.rewind(there, path)
        assert steps(there) == steps(run)[: later + 1 - number]
        assert len(list((there / "checkpoints").iterdir())) == later + 1
        last = checkpoint.complete(there / "checkpoints")[-1]
        assert recovery.damage(there, last) == ""
    assert first in steps(there)


def test_a_step_that_is_not_there(run, cache):
    listed = ", ".join(map(str, dict.fromkeys(steps(run))))
    with pytest.raises(RunError, match=rf"no checkpoint of step 7 .* of the steps {listed}\."):
        learn(Rude, run, CHANGES, from_step=7)


def test_from_on_the_command_line(capsys, tmp_path):
    assert main(["train", "probe_memory", "--from", "soon"]) == 2
    assert "from takes an integer" in capsys.readouterr().err
    words = [f"--logdir={tmp_path / 'new'}", "--size=debug", "--device.kind=cpu"]
    assert main(["train", "probe_memory", "--from", "40", *words]) == 1
    assert "there is no checkpoint of step 40 to resume from" in capsys.readouterr().err


def test_damaged_metrics_stop_a_resume_until_one_says_to_go_on(run, cache, capsys):
    file, longer = run / "metrics.jsonl", {**CHANGES, "steps": 110}
    damage(file)
    last = steps(run)[-1]
    sentence = rf"metrics\.jsonl is damaged: its first .* --from {last} to go on with it as it is"
    with pytest.raises(Damaged, match=sentence):
        learn(Rude, run, longer)
    learn(Rude, run, longer, from_step=last)
    assert newest(run)["clocks"]["step"] == 110
    assert "goes on as it is" in " ".join(capsys.readouterr().out.split())


def test_a_damaged_replay_file_is_told_with_what_is_whole(run, cache):
    tree = newest(run)
    last = steps(run)[-1]
    paths = [p for p in checkpoint.complete(run / "checkpoints") if checkpoint.step_of(p) < last]
    older = [checkpoint.replay_manifest(path) for path in paths]
    needed = {name for m in older for part in m["files"].values() for _, name, _ in part}
    names = {name for part in tree["replay"]["files"].values() for _, name, _ in part}
    damage(run / "replay" / sorted(names - needed)[0])
    with pytest.raises(ReplayError, match=r"is damaged: .* of step \d+ is whole: --from \d+"):
        learn(Rude, run, CHANGES)


@pytest.fixture(scope="module")
def resumer(cache, tmp_path_factory):
    """The stations of the same run, to be put where a checkpoint was taken."""
    folder = tmp_path_factory.mktemp("resumer")
    config = tiny("custom:test", folder, CHANGES)
    open_envs = ft.partial(setup.training_envs, config, Rude, folder)
    with open_envs(sequence.visits(config)[0]) as envs:
        yield loop.Run(setup.complete(config, envs), envs, open_envs, None, folder)


def broken(tree: dict, place: str, value) -> None:
    *parents, last = place.split("/")
    for name in parents:
        tree = tree[name]
    if value is ...:
        del tree[last]
    else:
        tree[last] = value


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("learner", None),
        ("learner/newest", None),
        ("learner/state", {}),
        ("learner/pending", 3),
        ("learner/pending/ticket", None),
        ("clocks", ...),
        ("clocks/step", "many"),
        ("clocks/step", -2),
        ("clocks/due", True),
        ("clocks/chores", [1]),
        ("clocks/seconds", None),
        ("actor/count", None),
        ("envs/envs", {}),
        ("envs/restarted", "x"),
        ("episodes/returns", 3),
        ("replay", []),
        ("replay/files", None),
        ("replay/counters", 7),
        ("ratio", None),
        ("mean/sums", [1]),
        ("logger", {}),
        ("logger/offset", 1.5),
        ("specs/obs", None),
        ("specs/obs/vector", {"kind": 3, "colour": 1}),
    ],
)
def test_a_state_of_the_wrong_kinds_is_one_sentence(run, resumer, place, value):
    """As version 0.1, without digests, or another program may have left it."""
    path = checkpoint.complete(run / "checkpoints")[-1]
    as_version_0_1(path)
    state = json.loads((path / "state.json").read_text())
    broken(state["tree"], place, value)
    (path / "state.json").write_text(json.dumps(state))
    resumer.logdir = run
    with pytest.raises((RunError, ReplayError, reverie.EnvError)) as stop:
        snapshot.begin(resumer, None, {})
    assert str(stop.value).count("\n") == 0
    assert len(str(stop.value)) > 40


def test_a_run_of_version_0_1_resumes_and_says_so_once(run, cache, capsys):
    for path in checkpoint.complete(run / "checkpoints"):
        as_version_0_1(path)
    config = json.loads((run / "config.json").read_text())
    del config["digest"]
    (run / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    learn(Rude, run, {**CHANGES, "steps": 110})
    said = " ".join(capsys.readouterr().out.split())
    assert said.count("is one of version 0.1 and carries no digests") == 1
    assert manifest.read(checkpoint.complete(run / "checkpoints")[-1]) is not None
    learn(Rude, run, {**CHANGES, "steps": 120})
    assert "carries no digests" not in capsys.readouterr().out
